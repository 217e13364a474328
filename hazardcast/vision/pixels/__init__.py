"""Pictures: where they come from, and everything that looks at them."""
