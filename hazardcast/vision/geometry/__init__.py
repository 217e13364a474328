"""Boxes and the numbers beside them; no pixels."""
