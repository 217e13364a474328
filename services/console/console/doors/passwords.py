"""Passwords by argon2id (RFC 9106), the memory-hard hash that guessing pays for."""

from __future__ import annotations

import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

SHORTEST = 10
LONGEST_BYTES = 1024
AT_ONCE = 2
"""Each takes 64 MiB while it runs: logins beyond wait for one another."""


class Passwords:
    """Makes and tries hashes, a few at a time; may be called by any thread."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
        self._room = threading.Semaphore(AT_ONCE)
        self._of_nobody = self.hashed("nobody has this password")

    def hashed(self, password: str) -> str:
        """What is kept of a password."""
        with self._room:
            return self._hasher.hash(password)

    def match(self, password: str, kept: str | None) -> bool:
        """Whether `password` is the one that `kept` was made of.

        Args:
            password: as it was typed.
            kept: the account's hash; None where there is no such account, which takes as long.
        """
        with self._room:
            try:
                holds = self._hasher.verify(kept or self._of_nobody, password)
            except (VerificationError, InvalidHashError):
                return False
        return holds and kept is not None


def problem_of(password: str) -> str | None:
    """Why a password cannot be chosen; None: it can."""
    if len(password) < SHORTEST:
        return f"a password has at least {SHORTEST} characters"
    if len(password.encode("utf-8", "surrogatepass")) > LONGEST_BYTES:
        return f"a password has at most {LONGEST_BYTES} bytes"
    return None
