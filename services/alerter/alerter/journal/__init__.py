"""What was broadcast and decided, kept for stores that missed it."""
