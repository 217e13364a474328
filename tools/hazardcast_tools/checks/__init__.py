"""What `hazardcast check` looks at."""
