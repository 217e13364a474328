"""The acceptance run: a fake accident, what became of it, and how sure that makes us."""
