"""Keytrail: offline forensic analysis of stolen AI-provider keys."""

__version__ = "0.1.0"
