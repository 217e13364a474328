"""What the machine gives and refuses: its clocks, and files that outlive a power cut."""
