"""What the services share; it knows none of them."""

__version__ = "0.1.0"
