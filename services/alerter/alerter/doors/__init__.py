"""The ways in: HTTP, dropped files, and what a reporter is told."""
