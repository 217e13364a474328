"""Where a frame shows flames and smoke."""
