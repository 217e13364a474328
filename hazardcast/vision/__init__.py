"""What everything that looks at pictures shares; its libraries are the extra `vision`."""
