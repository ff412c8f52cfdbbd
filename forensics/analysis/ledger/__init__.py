"""The exposure ledger: which acts touched the place of a key, by class of evidence."""
