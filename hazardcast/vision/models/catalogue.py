"""Models that may be fetched by name: Apache-2.0 only, from their authors' own releases, pinned.

The pinned SHA-256 are those of the release files. A file that differs is refused: it would be
another model than the one measured.
"""

from __future__ import annotations

from dataclasses import dataclass

from hazardcast.contract.errors import ConfigError

YOLOX = "https://github.com/Megvii-BaseDetection/YOLOX/releases/download/0.1.1rc0"
NANODET = "https://github.com/RangiLyu/nanodet/releases/download/v1.0.0-alpha-1"


@dataclass(frozen=True)
class Entry:
    """A model that is published somewhere."""

    name: str
    url: str
    sha256: str
    size_bytes: int | None
    """None where only the hash is known."""
    side_px: int
    coco_ap: float
    """COCO 2017 val, as its authors publish it."""
    licence: str = "Apache-2.0"

    @property
    def file_name(self) -> str:
        """As it is kept."""
        return self.url.rsplit("/", 1)[1]


ENTRIES = (
    Entry(
        "yolox-nano", f"{YOLOX}/yolox_nano.onnx",
        "c789161ed43c8269fcd4e67c67eeeb4e80c622da2eb296a20bc6007bd18a0b7d", 3_659_407, 416, 25.8,
    ),
    Entry(
        "yolox-tiny", f"{YOLOX}/yolox_tiny.onnx",
        "427cc366d34e27ff7a03e2899b5e3671425c262ea2291f88bb942bc1cc70b0f7", 20_219_662, 416, 32.8,
    ),
    Entry(
        "yolox-s", f"{YOLOX}/yolox_s.onnx",
        "c5c2d13e59ae883e6af3b45daea64af4833a4951c92d116ec270d9ddbe998063", 35_858_002, 640, 40.5,
    ),
    Entry(
        "nanodet-plus-m", f"{NANODET}/nanodet-plus-m_416.onnx",
        "59d2f166088889c902f523bf08079391993491324f0d84847e3c4016a8f7cc3d", None, 416, 30.4,
    ),
)  # fmt: skip


def named(name: str) -> Entry:
    """The entry of this name.

    Raises:
        ConfigError: there is none; the error lists those that there are.
    """
    for entry in ENTRIES:
        if entry.name == name:
            return entry
    raise ConfigError(f"no model {name!r}; there are {', '.join(one.name for one in ENTRIES)}")
