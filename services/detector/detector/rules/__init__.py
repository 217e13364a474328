"""Incident rules: pure functions from what was observed to what may have happened."""
