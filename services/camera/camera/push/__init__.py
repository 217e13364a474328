"""Cameras that a client brings: doors, tokens, pictures, and the stream that is made of them."""
