"""H.264 whose pictures are pairs of fields (PAFF), which no free encoder makes.

Every macroblock carries its samples as they are (I_PCM), so nothing needs to be encoded
(ITU-T H.264 7.3.2.1, 7.3.2.2, 7.3.3, 7.3.5). Sizes must be multiples of 16 across and 32 down.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

KEY_INTERVAL = 5
START = b"\x00\x00\x00\x01"
_PCM = b"\x0d\x00"
"""mb_type 25 as ue(v), filled up to a whole byte."""
_PCM_IN_P = b"\x87\xc0"
"""mb_skip_run 0 and mb_type 30, likewise."""


class Bits:
    """A bit string under construction."""

    def __init__(self) -> None:
        self.text = ""

    def u(self, value: int, length: int = 1) -> Bits:
        self.text += f"{value:0{length}b}"
        return self

    def ue(self, *values: int) -> Bits:
        for value in values:
            code = f"{value + 1:b}"
            self.text += "0" * (len(code) - 1) + code
        return self

    def whole(self) -> bytes:
        """With the stop bit, as bytes."""
        text = self.text + "1"
        text += "0" * (-len(text) % 8)
        return int(text, 2).to_bytes(len(text) // 8, "big")

    def aligned(self) -> bytes:
        """Filled up with zeros, as bytes."""
        text = self.text + "0" * (-len(self.text) % 8)
        return int(text, 2).to_bytes(len(text) // 8, "big")


def unit(header: int, body: bytes) -> bytes:
    """A NAL unit with its start code and emulation prevention."""
    escaped = re.sub(rb"\x00\x00(?=[\x00-\x03])", b"\x00\x00\x03", body)
    return START + bytes([header]) + escaped


def sequence_set(width: int, height: int) -> bytes:
    bits = Bits().u(77, 8).u(0, 8).u(40, 8).ue(0, 0, 0, 4, 1).u(0)
    bits.ue(width // 16 - 1, height // 32 - 1).u(0).u(0).u(1).u(0).u(0)
    return unit(0x67, bits.whole())


def picture_set() -> bytes:
    bits = Bits().ue(0, 0).u(0).u(0).ue(0, 0, 0).u(0).u(0, 2).ue(0, 0, 0).u(1).u(0).u(0)
    return unit(0x68, bits.whole())


def field(samples: NDArray[np.uint8], *, number: int, bottom: bool) -> bytes:
    """One field as a slice: the first field of each key frame is an IDR picture, others lean on it.

    So decoding can begin with that field only, as with a real camera's.

    Args:
        samples: (height / 2, width) grey.
        number: of its frame since the key frame.
        bottom: which field.
    """
    is_idr = number == 0 and not bottom
    head = Bits().ue(0, 7 if is_idr else 5, 0).u(number % 16, 4).u(1).u(int(bottom))
    if is_idr:
        head.ue(0)
    head.u((2 * number + bottom) % 256, 8)
    head.u(0, 2) if is_idr else head.u(0, 3)
    head.ue(0, 1, 25) if is_idr else head.ue(0, 1, 0, 30)
    blocks = (_PCM if is_idr else _PCM_IN_P).join(_blocks(samples))
    return unit(0x65 if is_idr else 0x61, head.aligned() + blocks + b"\x80")


def _blocks(samples: NDArray[np.uint8]) -> Iterator[bytes]:
    chroma = bytes([128]) * 128
    limited = (samples.astype(np.uint16) * 219 // 255 + 16).astype(np.uint8)
    for top in range(0, samples.shape[0], 16):
        for left in range(0, samples.shape[1], 16):
            yield limited[top : top + 16, left : left + 16].tobytes() + chroma


def stream(pictures: Iterable[NDArray[np.uint8]], *, fps: float) -> bytes:
    """All of them as a byte stream, each picture begun by an access unit delimiter."""
    parts: list[bytes] = []
    for place, picture in enumerate(pictures):
        number = place % KEY_INTERVAL
        parts.append(START + b"\x09\xf0")
        if number == 0:
            parts += [sequence_set(picture.shape[1], picture.shape[0]), picture_set()]
        parts.append(field(picture[0::2], number=number, bottom=False))
        parts.append(field(picture[1::2], number=number, bottom=True))
    return b"".join(parts)
