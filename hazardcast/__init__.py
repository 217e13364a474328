"""Hazardcast's contract library: the messages, topics and edges that every service shares."""

__version__ = "0.1.0"
