"""Read evidence into the store, accounting for every record."""
