"""The body of a request as it comes: chunked, of a told length, or until its end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.message import Message
from io import BufferedReader

BLOCK = 65_536
_LONGEST_LINE = 1024
_LENGTH = re.compile(r"[0-9]{1,18}")


class BodyError(Exception):
    """It is not framed as HTTP says."""


def blocks(reader: BufferedReader, headers: Message) -> Iterator[bytes]:
    """The body in pieces, as they come.

    Raises:
        BodyError: its framing is broken.
        TimeoutError: nothing came in time.
    """
    if "chunked" in (headers.get("Transfer-Encoding") or "").lower():
        yield from _chunked(reader)
        return
    length = headers.get("Content-Length")
    left = int(length) if length and _LENGTH.fullmatch(length) else None
    while left is None or left > 0:
        data = reader.read1(BLOCK if left is None else min(BLOCK, left))
        if not data:
            return
        left = None if left is None else left - len(data)
        yield data


def _chunked(reader: BufferedReader) -> Iterator[bytes]:
    """RFC 9112, section 7.1."""
    while True:
        line = reader.readline(_LONGEST_LINE)
        if not line:
            return
        try:
            left = int(line.split(b";")[0].strip() or b"?", 16)
        except ValueError:
            raise BodyError("the body's chunks are broken") from None
        if left == 0:
            return
        while left > 0:
            data = reader.read1(min(BLOCK, left))
            if not data:
                return
            left -= len(data)
            yield data
        reader.readline(_LONGEST_LINE)
