"""What files of the user say of the addresses in the evidence."""
