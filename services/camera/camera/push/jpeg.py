"""JPEG as it comes from strangers: judged by its header, before anything is decoded. Pure.

Markers: ITU-T T.81 table B.1; the frame header: B.2.2.
"""

from __future__ import annotations

from dataclasses import dataclass

MOST_BYTES = 2_000_000
LEAST_SIDE_PX, MOST_SIDE_PX = 16, 4096
MOST_NOISE_BYTES = 65_536
"""So much may stand between two pictures: the header of a part is a hundred bytes."""
START, END = b"\xff\xd8", b"\xff\xd9"
_FIRST_BYTES = 64
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD9)})
_SCAN, _FINISH = 0xDA, 0xD9
_USABLE_FRAMES = frozenset({0xC0, 0xC1, 0xC2})
"""Baseline, extended and progressive, with Huffman codes: what cameras and phones send."""
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PICKLES = tuple(b"\x80" + bytes([protocol]) for protocol in range(2, 6))


class Refused(Exception):  # noqa: N818 - the client's fault, told to it
    """What came cannot be used: `reason` for the counters, the text for the client."""

    def __init__(self, reason: str, text: str, *, fatal: bool = False) -> None:
        super().__init__(text)
        self.reason, self.fatal = reason, fatal
        """Fatal: what comes next will be no better."""


@dataclass(frozen=True)
class Header:
    """Of a picture: its size, pixels, as it is coded (a phone may want it turned)."""

    width: int
    height: int


def check(data: bytes) -> Header:
    """The header of one whole JPEG.

    Raises:
        Refused: it is too large, no JPEG, cut short, or of a kind that is not taken.
    """
    if len(data) > MOST_BYTES:
        raise too_large()
    if not data.startswith(START):
        raise foreign(data)
    header = _header(data)
    if END not in data[-4096:]:
        raise Refused("truncated", "the JPEG is cut short: its end is missing")
    return header


def too_large() -> Refused:
    """A picture beyond `MOST_BYTES`."""
    text = f"a picture may have {MOST_BYTES:,} bytes; send it smaller, or with a lower quality"
    return Refused("too_large", text, fatal=True)


def foreign(data: bytes) -> Refused:
    """What stands in a JPEG's place, in words. Nothing of it is ever unpickled."""
    if is_pickled(data):
        text = "pickled data is never read here: send the bytes of the JPEG as they are"
        return Refused("pickle", text, fatal=True)
    if data.startswith(b"\x89PNG"):
        return Refused("png", "this is PNG: send JPEG", fatal=True)
    printable = sum(32 <= byte < 127 or byte in b"\t\r\n" for byte in data[:64])
    if data and printable > 0.9 * len(data[:64]):
        return Refused("text", "this is text: send JPEG", fatal=True)
    return Refused("no_jpeg", "this is no JPEG: it does not begin with FF D8", fatal=True)


def is_pickled(data: bytes) -> bool:
    """A pickle, alone or behind the 4 or 8 bytes of its length (`struct.pack("Q", n) + …`)."""
    return any(data[skip:].startswith(_PICKLES) for skip in (0, 4, 8))


def _header(data: bytes) -> Header:
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            break
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
        elif marker in _STANDALONE:
            at += 2
        elif marker in _FRAMES:
            return _frame(marker, data[at + 4 : at + 10])
        elif marker in (_SCAN, _FINISH):
            break
        else:
            at += 2 + int.from_bytes(data[at + 2 : at + 4])
    raise Refused("truncated", "the JPEG is cut short or damaged: it has no frame header")


def _frame(marker: int, body: bytes) -> Header:
    if len(body) < 6:
        raise Refused("truncated", "the JPEG is cut short in its header")
    bits, components = body[0], body[5]
    height, width = int.from_bytes(body[1:3]), int.from_bytes(body[3:5])
    if bits != 8:
        raise Refused("bits", f"the JPEG has {bits} bits a sample: send 8")
    if marker not in _USABLE_FRAMES:
        raise Refused("coding", "the JPEG is lossless or arithmetic: send a plain one")
    if components not in (1, 3):
        raise Refused("colours", f"the JPEG has {components} colours (CMYK?): send grey or YCbCr")
    if not 0 < width <= MOST_SIDE_PX or not 0 < height <= MOST_SIDE_PX:
        most = f"send at most {MOST_SIDE_PX} × {MOST_SIDE_PX}"
        raise Refused("dimensions", f"the picture has {width} × {height} pixels: {most}")
    if min(width, height) < LEAST_SIDE_PX:
        raise Refused("dimensions", f"{width} × {height} pixels show nothing")
    return Header(width, height)


class Pictures:
    """Finds JPEGs, one behind the other, in a body: of multipart or plain MJPEG."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._at, self._in_scan, self._noise = 0, False, 0
        self._first, self._found = b"", False

    def feed(self, data: bytes) -> list[bytes]:
        """The pictures that are whole now.

        Raises:
            Refused: what comes is no JPEG, or has too many bytes.
        """
        self._data += data
        self._first += data[: _FIRST_BYTES - len(self._first)]
        found = []
        while picture := self._next():
            found.append(picture)
            self._found = True
        if self._at and len(self._data) > MOST_BYTES:
            raise too_large()
        return found

    def finish(self) -> None:
        """The body is at its end.

        Raises:
            Refused: it ended within a picture, or there was none in it (fatal).
        """
        if self._at:
            text = "the JPEG is cut short: its end is missing"
            raise Refused("truncated", text, fatal=not self._found)
        if self._first and not self._found:
            raise foreign(self._first)

    def _next(self) -> bytes | None:
        if self._at == 0 and not self._to_start():
            return None
        end = self._to_end()
        if end is None:
            return None
        picture = bytes(self._data[:end])
        del self._data[:end]
        self._at, self._in_scan = 0, False
        return picture

    def _to_start(self) -> bool:
        """Skip what stands before a picture."""
        if self._noise == 0 and is_pickled(bytes(self._data[:10])):
            raise foreign(bytes(self._data[:10]))
        start = self._data.find(START)
        skipped = start if start >= 0 else max(0, len(self._data) - 1)
        self._noise += skipped
        if self._noise > MOST_NOISE_BYTES:
            raise foreign(bytes(self._data[:64]))
        if start < 0:
            if self._data[:4] == b"\x89PNG":
                raise foreign(bytes(self._data[:64]))
            del self._data[:skipped]
            return False
        del self._data[:start]
        self._at, self._noise = 2, 1
        return True

    def _to_end(self) -> int | None:
        """Walk the segments of the picture that has begun; past its end, None while that lacks."""
        data = self._data
        while True:
            if self._in_scan:
                at = data.find(b"\xff", self._at)
                if at < 0 or at + 2 > len(data):
                    self._at = len(data) if at < 0 else at
                    return None
                if data[at + 1] == 0 or 0xD0 <= data[at + 1] <= 0xD7:
                    self._at = at + 2
                    continue
                self._at, self._in_scan = at, False
            if self._at + 4 > len(data) and data[self._at : self._at + 2] != END:
                return None
            if data[self._at] != 0xFF:
                raise Refused("truncated", "the JPEG is damaged: a marker is missing", fatal=True)
            marker = data[self._at + 1]
            if marker == _FINISH:
                return self._at + 2
            if marker == 0:
                raise Refused("truncated", "the JPEG is damaged: a marker is missing", fatal=True)
            if marker == 0xFF or marker in _STANDALONE:
                self._at += 1 if marker == 0xFF else 2
                continue
            self._at += 2 + int.from_bytes(data[self._at + 2 : self._at + 4])
            self._in_scan = marker == _SCAN
