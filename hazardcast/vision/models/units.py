"""What a network's first answer says of the unit of its boxes and the numbers of its classes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hazardcast.contract.errors import ConfigError
from hazardcast.vision.geometry.boxes import Boxes
from hazardcast.vision.models.classes import Classes
from hazardcast.vision.models.decoders import Named
from hazardcast.vision.models.first_look import REACH_PX
from hazardcast.vision.models.layouts import Layout

WIDE_NUMBER = 40
"""Sets of road users have a handful of classes: numbers from here on, up to 79, are of COCO."""


def fractions_scaled(layout: Layout, width: int, height: int) -> Layout:
    """The layout, for a network whose boxes are fractions of the picture instead of pixels."""
    scale = np.array([width, height, width, height], np.float32)

    def decode(outputs: Named, least: float) -> Boxes:
        found = layout.decode(outputs, least)
        return replace(found, xyxy=found.xyxy * scale)

    return replace(layout, decode=decode)


def all_numbers(seen: Named) -> None:
    """Refuse a network that answers what is no number: it would never find anything.

    Raises:
        ConfigError: an output holds NaN.
    """
    for name, array in seen.items():
        if np.issubdtype(array.dtype, np.floating) and np.isnan(array).any():
            raise ConfigError(
                f"its output {name}{list(array.shape)} is no number (NaN) for a picture of noise: "
                "half precision that overflows, or broken weights; export it in single precision"
            )


def settled(
    layout: Layout, seen: Named, classes: Classes, said_in: str, *, fractions_denied: bool
) -> None:
    """Refuse what the answer to a picture of noise contradicts; what it leaves open is not refused.

    Raises:
        ConfigError: boxes are fractions, or class numbers are not those of COCO and nothing names
            the classes; the error says what to put in `said_in`.
    """
    xyxy = layout.decode(seen, 0.0).xyxy
    reach = float(np.abs(xyxy).max(initial=0.0))
    if 0 < reach <= REACH_PX and not fractions_denied:
        raise ConfigError(
            f"it is {layout.name}, but its boxes reach only to {reach:.2f}: fractions of the "
            f'picture? Say so in {said_in}: {{"boxes": "fractions"}}, or "pixels" if they are'
        )
    if layout.listing is not None and classes.assumed:
        _assumed(layout, seen, said_in)


def _assumed(layout: Layout, seen: Named, said_in: str) -> None:
    """A network that lists class numbers does not show how many classes there are."""
    assert layout.listing is not None
    numbers = layout.listing(seen)[2]
    most = int(numbers.max(initial=-1))
    if WIDE_NUMBER <= most <= layout.most_number:
        return
    shown = f"numbers up to {most} are seen" if most > 0 else "no numbers are seen"
    raise ConfigError(
        f"it is {layout.name}, and nothing names its classes ({shown}): name them in {said_in}: "
        '{"classes": ["car", "…"]}, or {"classes": "coco"} if they are COCO\'s 80'
    )
