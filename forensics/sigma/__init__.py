"""Sigma rules: read from a folder, turned into SQL over aws_event. Nothing here runs anything."""
