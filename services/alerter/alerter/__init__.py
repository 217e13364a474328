"""Turns incidents into signed alerts and sends them to every vehicle nearby."""
