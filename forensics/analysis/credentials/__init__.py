"""Which credential came from which: the graph of issue and use, its trees, and what an intrusion reaches in it."""
