"""What was recorded: a day on a line, ten minutes as one file, and the newest picture."""
