"""Misuse at the provider: direct links, expected use, and signs, each kind of evidence in a module of its own."""
