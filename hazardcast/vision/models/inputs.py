"""How a network takes its picture: which input, in what order, of which numbers and size."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from hazardcast.contract.errors import ConfigError
from hazardcast.vision.pixels.image import Plane

DEFAULT_SIZE = 640
"""Input side of networks that leave it open."""
MOST_SIDE = 4096
PICTURE_TYPES: dict[str, type[np.generic]] = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
    "tensor(uint8)": np.uint8,
}
SIZE_TYPES: dict[str, type[np.generic]] = {
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
}


class Declared(NamedTuple):
    """An input as the network declares it; open sides are names or None."""

    name: str
    shape: Sequence[int | str | None]
    type: str

    def __str__(self) -> str:
        return f"{self.name}{list(self.shape)} {self.type}"


@dataclass(frozen=True)
class Port:
    """The input that takes the picture."""

    name: str
    width: int
    height: int
    numbers: type[np.generic] = np.float32
    channels_last: bool = False

    @property
    def takes_bytes(self) -> bool:
        """Pixels as they are: the network scales them itself."""
        return self.numbers is np.uint8

    def blank(self) -> Plane:
        """The array that is fed, empty."""
        shape = (1, 3, self.height, self.width)
        if self.channels_last:
            shape = (1, self.height, self.width, 3)
        return np.zeros(shape, self.numbers)

    def planes(self, fed: Plane) -> Plane:
        """(1, 3, H, W) view of what is fed."""
        return fed.transpose(0, 3, 1, 2) if self.channels_last else fed

    def noise(self) -> Plane:
        """A picture of nothing, the same each time, to see what the network answers."""
        values = np.random.default_rng(1).random(self.blank().shape, np.float32)
        return (255 * values if self.takes_bytes else values).astype(self.numbers)


def picture_port(
    inputs: Sequence[Declared], *, said_size: tuple[int, int] | None, metadata: dict[str, str],
    understood: str,
) -> Port:  # fmt: skip
    """The one input that takes a picture.

    Raises:
        ConfigError: there is none, or several, or it takes something else than one picture of
            three channels; the error names the input.
    """
    pictures = [one for one in inputs if len(one.shape) == 4 and _order(one) is not None]
    if len(pictures) != 1 or pictures[0].type not in PICTURE_TYPES:
        raise ConfigError(
            f"takes {', '.join(map(str, inputs))}; expected one float image [1,3,H,W] or "
            f"[1,H,W,3] (float, float16 or uint8) of a detection network; understood are "
            f"{understood}"
        )
    picture = pictures[0]
    batch = picture.shape[0]
    if isinstance(batch, int) and batch > 1:
        raise ConfigError(
            f"takes {picture}: {batch} pictures at once; export it with a batch of 1 or an open one"
        )
    channels_last = bool(_order(picture))
    height, width = picture.shape[1:3] if channels_last else picture.shape[2:4]
    size = _size(picture, (width, height), said_size, metadata)
    return Port(picture.name, *size, PICTURE_TYPES[picture.type], channels_last)


def _order(picture: Declared) -> bool | None:
    """Whether the channels come last; None: there are not three of them."""
    first, last = picture.shape[1], picture.shape[3]
    if first == 3:
        return False
    if last == 3:
        return True
    if isinstance(first, int) and isinstance(last, int):
        return None
    open_last = str(last or "").lower()
    if not isinstance(last, int) and ("chan" in open_last or open_last == "c"):
        return True
    # Open sides: channels come first in ONNX unless something tells otherwise.
    return None if isinstance(first, int) else False


def _size(
    picture: Declared, declared: tuple[Any, Any], said: tuple[int, int] | None,
    metadata: dict[str, str],
) -> tuple[int, int]:  # fmt: skip
    """(width, height): fixed in the network, else as said, else as it was exported."""
    asked = said or _exported(metadata) or (DEFAULT_SIZE, DEFAULT_SIZE)
    width, height = (
        side if isinstance(side, int) and side > 0 else other
        for side, other in zip(declared, asked, strict=True)
    )
    if said is not None and said != (width, height):
        raise ConfigError(
            f"takes {picture}, always {width}x{height}; input.size says {said[0]}x{said[1]}"
        )
    if max(width, height) > MOST_SIDE:
        raise ConfigError(f"takes {picture}; expected sides of at most {MOST_SIDE}")
    return width, height


def _exported(metadata: dict[str, str]) -> tuple[int, int] | None:
    """`imgsz` of Ultralytics' exports: [height, width]."""
    try:
        height, width = ast.literal_eval(metadata.get("imgsz", ""))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None
    if not all(isinstance(side, int) and 32 <= side <= MOST_SIDE for side in (width, height)):
        return None
    return width, height


def other_inputs(inputs: Sequence[Declared], port: Port) -> dict[str, Any]:
    """What the other inputs are given: the picture's size, in the network's own pixels.

    Raises:
        ConfigError: one of them wants something else.
    """
    fed = {}
    for one in inputs:
        if one.name == port.name:
            continue
        # Original sizes (w, h): asking for the network's own keeps one scaling for all.
        if "size" not in one.name or one.type not in SIZE_TYPES or list(one.shape[1:]) != [2]:
            raise ConfigError(
                f"takes {one} beside its picture, which is not understood; expected none, or "
                "orig_target_sizes [1,2] as the DETR family's exporters make it"
            )
        fed[one.name] = np.array([[port.width, port.height]], SIZE_TYPES[one.type])
    return fed
