"""Fuzzing of the readers, outside the everyday run: `make fuzz`."""
