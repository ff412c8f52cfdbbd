"""Files of indicators in the forms that others write, and the forms that we write."""
