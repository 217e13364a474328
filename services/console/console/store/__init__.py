"""What the console remembers: one database, written by one thread, read by many."""
