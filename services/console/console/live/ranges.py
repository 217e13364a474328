"""The `Range` header (RFC 9110, 14). Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ONE = re.compile(r"bytes\s*=\s*(\d{0,18})-(\d{0,18})", re.I)


@dataclass(frozen=True)
class Piece:
    """Bytes from `first` up to and with `last`."""

    first: int
    last: int

    @property
    def size(self) -> int:
        """How many they are."""
        return self.last - self.first + 1


class UnsatisfiableError(Exception):
    """No byte of what is there was asked for: 416."""


def wanted(header: str | None, size: int) -> Piece | None:
    """What a request wants of `size` bytes; None for all of it.

    A header that is none, is reversed or asks for several pieces is passed over, as it may be.

    Raises:
        UnsatisfiableError: it asks for what is not there.
    """
    match = _ONE.fullmatch(header.strip()) if header and len(header) <= 100 else None
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:
        first, last = max(0, size - int(match[2])), size - 1
        if not int(match[2]):
            raise UnsatisfiableError
    else:
        first, last = int(match[1]), int(match[2]) if match[2] else size - 1
        if match[2] and last < first:
            return None
    if first >= size:
        raise UnsatisfiableError
    return Piece(first, min(last, size - 1))


def exact(header: str) -> Piece | None:
    """The piece of a header that names both its ends, whatever there is; None for another."""
    match = _ONE.fullmatch(header.strip()) if len(header) <= 100 else None
    if match is None or not match[1] or not match[2] or int(match[2]) < int(match[1]):
        return None
    return Piece(int(match[1]), int(match[2]))
