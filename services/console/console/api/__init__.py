"""What the store answers over HTTP."""
