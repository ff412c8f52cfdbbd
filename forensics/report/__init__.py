"""Render a report from stored results."""
