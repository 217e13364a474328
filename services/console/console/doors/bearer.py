"""Secrets that a client shows: made at random, and kept only as a hash."""

from __future__ import annotations

import hashlib
import secrets

SECRET_BYTES = 32
LONGEST = 128
"""Characters of one that is looked up at all."""


def new() -> str:
    """A secret of 256 bits, to be told once."""
    return secrets.token_urlsafe(SECRET_BYTES)


def kept(secret: str) -> str:
    """What is kept of it: with 256 random bits a plain hash cannot be turned back."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
