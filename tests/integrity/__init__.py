"""Tests of log integrity."""
