"""How a camera is reached, and how its video lies on disk and in time."""
