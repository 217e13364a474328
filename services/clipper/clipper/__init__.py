"""Keeps the video around an incident."""
