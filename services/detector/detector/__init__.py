"""Sees incidents in video."""
