"""The console: what an operator sees, looks up and decides, in a browser."""
