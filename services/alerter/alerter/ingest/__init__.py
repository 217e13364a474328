"""Judging a report: its time, its place, why it is not taken."""
