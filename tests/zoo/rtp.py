"""Payloads of RTP packets: how a picture, or a piece of sound, is cut up for the network."""

from __future__ import annotations

import struct

from tests.zoo.coded import SETS, unit_type

TURNED = bytes.fromhex("06 2f 03 08 00 09 80")
"""Display orientation SEI (H.264 D.1.27): 90° anticlockwise, until told otherwise."""


def h264(units: list[bytes], *, most: int, together: bool) -> list[bytes]:
    """RFC 6184: a unit each, FU-A fragments of large ones, STAP-A for small ones `together`."""
    payloads: list[bytes] = []
    small: list[bytes] = []

    def flush() -> None:
        if len(small) == 1:
            payloads.append(small[0])
        elif small:
            importance = max(unit[0] & 0x60 for unit in small)
            joined = b"".join(struct.pack(">H", len(unit)) + unit for unit in small)
            payloads.append(bytes([importance | 24]) + joined)
        small.clear()

    for unit in units:
        if together and len(unit) < most // 4:
            if sum(map(len, small)) + len(unit) + 2 * len(small) + 3 > most:
                flush()
            small.append(unit)
            continue
        flush()
        payloads += [unit] if len(unit) <= most else _fragments(
            unit[1:], most, bytes([unit[0] & 0xE0 | 28]), unit[0] & 31
        )  # fmt: skip
    flush()
    return payloads


def hevc(units: list[bytes], *, most: int) -> list[bytes]:
    """RFC 7798: a unit each, or fragments of it."""
    payloads: list[bytes] = []
    for unit in units:
        if len(unit) <= most:
            payloads.append(unit)
            continue
        head, kind = bytes([unit[0] & 0x81 | 49 << 1, unit[1]]), unit_type(unit, "hevc")
        payloads += _fragments(unit[2:], most, head, kind)
    return payloads


def _fragments(body: bytes, most: int, head: bytes, kind: int) -> list[bytes]:
    """Each behind `head` and a byte of its kind, which tells the first and the last one."""
    parts = [body[at : at + most - 3] for at in range(0, len(body), most - 3)]
    last = len(parts) - 1
    return [
        head + bytes([0x80 * (place == 0) | 0x40 * (place == last) | kind]) + part
        for place, part in enumerate(parts)
    ]


def whole(data: bytes, *, most: int) -> list[bytes]:
    """RFC 6416, MPEG-4 part 2: cut anywhere."""
    return [data[at : at + most] for at in range(0, len(data), most)]


def jpeg(data: bytes, *, most: int) -> list[bytes]:
    """RFC 2435 with the picture's own quantization tables (Q = 255)."""
    tables, scan_at, frame = b"", 0, b""
    at = 2
    while not scan_at:
        mark, length = data[at + 1], struct.unpack(">H", data[at + 2 : at + 4])[0]
        body = data[at + 4 : at + 2 + length]
        if mark == 0xDB:
            tables += b"".join(body[k + 1 : k + 65] for k in range(0, len(body), 65))
        elif mark == 0xC0:
            frame = body
        elif mark == 0xDA:
            scan_at = at + 2 + length
        at += 2 + length
    height, width = struct.unpack(">HH", frame[1:5])
    kind = 1 if frame[7] == 0x22 else 0
    tables = (tables * 2)[:128]
    scan = data[scan_at : data.rindex(b"\xff\xd9")]
    payloads, done = [], 0
    while done < len(scan):
        quant = struct.pack(">BBH", 0, 0, 128) + tables if done == 0 else b""
        part = scan[done : done + most - 8 - len(quant)]
        head = struct.pack(">IBBBB", done, kind, 255, width // 8, height // 8)
        payloads.append(head + quant + part)
        done += len(part)
    return payloads


def access_unit(data: bytes) -> bytes:
    """RFC 3640, AAC-hbr: one frame with its header."""
    return struct.pack(">HH", 16, len(data) << 3) + data


def without_sets(units: list[bytes], codec: str) -> list[bytes]:
    return [unit for unit in units if unit_type(unit, codec) not in SETS[codec]]


def supplement(size: int) -> bytes:
    """An SEI unit of a maker's own (H.264 D.1.7) of about `size` bytes."""
    length = b"\xff" * (size // 255) + bytes([size % 255])
    return b"\x06\x05" + length + (b"roadside camera " * (size // 16 + 1))[:size] + b"\x80"


def packet(payload: bytes, *, kind: int, mark: bool, number: int, stamp: int, source: int) -> bytes:
    """RFC 3550 5.1."""
    marked = kind | (0x80 if mark else 0)
    return (
        struct.pack(">BBHII", 0x80, marked, number & 0xFFFF, stamp & 0xFFFFFFFF, source) + payload
    )


def sender_report(wall: float, stamp: int, *, source: int, packets: int) -> bytes:
    """RFC 3550 6.4.1: what the wall clock was at an RTP time."""
    seconds = wall + 2_208_988_800
    ntp = struct.pack(">II", int(seconds) & 0xFFFFFFFF, int(seconds % 1 * 2**32))
    counts = struct.pack(">III", stamp & 0xFFFFFFFF, packets, packets * 1000)
    return struct.pack(">BBHI", 0x80, 200, 6, source) + ntp + counts
