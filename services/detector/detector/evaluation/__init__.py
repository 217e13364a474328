"""Measuring the detector: running it over clips, and telling what came of it."""
