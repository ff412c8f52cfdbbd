"""Price tables: the one that travels with the program, a case's own, and which model of the evidence costs what."""
