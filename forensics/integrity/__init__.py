"""Log integrity: digests and signatures (registered as evidence today, validated later)."""
