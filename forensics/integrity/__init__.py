"""Log integrity: digests, signatures and the log files they prove, checked without a network."""
