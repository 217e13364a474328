"""What the kernel may let through to a socket in a flood, as a classic BPF program. Pure.

The program sees a datagram from its UDP header on, and by `_NETWORK` from its IP header on
(linux/filter.h). A load beyond the end of the datagram refuses it.
"""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterable
from itertools import islice

Step = tuple[int, int, int, int]
"""code, jump if true, jump if false, operand."""
_STEP = struct.Struct("@HBBI")
_LOAD_WORD, _EQUALS, _RETURN = 0x20, 0x15, 0x06
_UDP_HEADER_BYTES = 8
_NETWORK = 0xFFF0_0000
_SOURCE_OFFSET = 12
_ALL = 0xFFFF_FFFF
STEP_BYTES = _STEP.size
MAX_PREFIXES = 32
MAX_SOURCES = 32
MAX_PREFIX_BYTES = 128


def only(prefixes: Iterable[bytes], *, sources: Iterable[str] | None = None) -> bytes:
    """Let through what begins with one of `prefixes`, and comes from one of `sources` if given.

    Prefixes are of 4 bytes or more; of a long one only the beginning counts.
    """
    steps: list[Step] = [] if sources is None else _from_one_of(list(islice(sources, MAX_SOURCES)))
    for prefix in islice(prefixes, MAX_PREFIXES):
        steps += _accept(prefix[:MAX_PREFIX_BYTES])
    steps.append((_RETURN, 0, 0, 0))
    return b"".join(_STEP.pack(*step) for step in steps)


def _from_one_of(sources: list[str]) -> list[Step]:
    """Refuse whatever has another source address; fall through otherwise."""
    count = len(sources)
    steps: list[Step] = [(_LOAD_WORD, 0, 0, _NETWORK + _SOURCE_OFFSET)]
    for index, source in enumerate(sources):
        steps.append((_EQUALS, count - index, 0, int(ipaddress.IPv4Address(source))))
    return [*steps, (_RETURN, 0, 0, 0)]


def _accept(prefix: bytes) -> list[Step]:
    """Accept what begins so; fall through otherwise."""
    offsets = [*range(0, len(prefix) - 3, 4)]
    if len(prefix) % 4:
        offsets.append(len(prefix) - 4)
    steps: list[Step] = []
    for index, offset in enumerate(offsets):
        word = int.from_bytes(prefix[offset : offset + 4], "big")
        to_the_next_prefix = 2 * (len(offsets) - 1 - index) + 1
        steps.append((_LOAD_WORD, 0, 0, _UDP_HEADER_BYTES + offset))
        steps.append((_EQUALS, 0, to_the_next_prefix, word))
    return [*steps, (_RETURN, 0, 0, _ALL)]
