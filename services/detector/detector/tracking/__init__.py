"""The same road user followed from frame to frame."""
