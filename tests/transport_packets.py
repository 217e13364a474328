"""Transport streams packet by packet, written here by hand from ISO/IEC 13818-1."""

from __future__ import annotations

VIDEO_PID = 0x100
PARAMETERS = b"\0\0\0\1\x67sps\0\0\0\1\x68pps\0\0\0\1\x65"


def packet(pid: int, payload: bytes, *, starts: bool, key: bool = False) -> bytes:
    """One packet, filled up with adaptation field stuffing."""
    header = bytes([0x47, (0x40 if starts else 0) | pid >> 8, pid & 0xFF])
    stuffing = 184 - len(payload)
    if stuffing == 0 and not key:
        return header + b"\x10" + payload
    assert stuffing >= (2 if key else 1)
    field = bytes([0x40 if key else 0]) + b"\xff" * (stuffing - 2) if stuffing > 1 else b""
    return header + b"\x30" + bytes([stuffing - 1]) + field + payload


def section(pid: int, body: bytes) -> bytes:
    length = len(body) - 3 + 4
    body = body[:1] + bytes([0xB0 | length >> 8, length & 0xFF]) + body[3:] + b"\0\0\0\0"
    return packet(pid, b"\0" + body, starts=True)


def tables(stream_type: int = 0x1B, pmt_pid: int = 0x1000) -> bytes:
    pat = bytes([0, 0, 0, 0, 1, 0xC1, 0, 0, 0, 1, 0xE0 | pmt_pid >> 8, pmt_pid & 0xFF])
    pmt = bytes([2, 0, 0, 0, 1, 0xC1, 0, 0, 0xE1, 0, 0xF0, 0])
    sound = bytes([0x0F, 0xE1, 1, 0xF0, 0])
    picture = bytes([stream_type, 0xE0 | VIDEO_PID >> 8, VIDEO_PID & 0xFF, 0xF0, 0])
    return section(0, pat) + section(pmt_pid, pmt + sound + picture)


def stamp(prefix: int, ticks: int) -> bytes:
    return bytes([
        prefix << 4 | ticks >> 29 & 0x0E | 1,
        ticks >> 22 & 0xFF,
        ticks >> 14 & 0xFE | 1,
        ticks >> 7 & 0xFF,
        ticks << 1 & 0xFE | 1,
    ])  # fmt: skip


def picture(pts: int, dts: int | None = None, *, key: bool = False, extra: int = 1) -> bytes:
    if dts is None:
        header = bytes([0x80, 0x80, 5]) + stamp(2, pts)
    else:
        header = bytes([0x80, 0xC0, 10]) + stamp(3, pts) + stamp(1, dts)
    first = b"\0\0\1\xe0\0\0" + header + (PARAMETERS if key else b"\0\0\0\1\x41")
    rest = packet(VIDEO_PID, b"x" * 184, starts=False) * extra
    return packet(VIDEO_PID, first, starts=True, key=key) + rest
