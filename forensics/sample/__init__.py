"""Seeded writer of the sample incident: a synthetic cloud break-in with its provider exports."""
