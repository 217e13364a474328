"""Impacts: vehicles whose motion breaks off, and how much that looks like a crash."""
