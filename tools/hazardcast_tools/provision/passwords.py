"""Mosquitto's password file, without mosquitto.

A line is `user:$7$iterations$salt$hash`: PBKDF2 (RFC 8018) with HMAC-SHA512, salt and hash in
base64, as `mosquitto_passwd(1)` of Mosquitto 2 writes and reads it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Mapping

ITERATIONS = 1000
"""The broker spends them at every connection; the passwords are random, 192 bits, not guessable."""
_SALT_BYTES = 12
_HASH_BYTES = 64
_PASSWORD_BYTES = 24


def new_password() -> str:
    """A random password of 192 bits."""
    return secrets.token_urlsafe(_PASSWORD_BYTES)


def hashed(password: str, *, salt: bytes | None = None, iterations: int = ITERATIONS) -> str:
    """The `$7$…` entry of `password`."""
    salt = secrets.token_bytes(_SALT_BYTES) if salt is None else salt
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, iterations, _HASH_BYTES)
    return "$".join(["", "7", str(iterations), _base64(salt), _base64(digest)])


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def matches(password: str, entry: str) -> bool:
    """Whether `entry` is one of `password`; False also when it is not understood."""
    try:
        _, algorithm, iterations, salt, _ = entry.split("$")
        expected = hashed(
            password, salt=base64.b64decode(salt, validate=True), iterations=int(iterations)
        )
    except (ValueError, OverflowError, MemoryError, binascii.Error):
        return False
    return algorithm == "7" and hmac.compare_digest(expected.encode(), entry.encode())


def password_file(accounts: Mapping[str, str], *, before: str = "") -> str:
    """The whole file for user → password; entries of `before` that still hold stay as they are."""
    known = dict(line.split(":", 1) for line in before.splitlines() if ":" in line)
    lines = [
        f"{user}:{entry if matches(password, entry := known.get(user, '')) else hashed(password)}"
        for user, password in sorted(accounts.items())
    ]
    return "\n".join(lines) + "\n"
