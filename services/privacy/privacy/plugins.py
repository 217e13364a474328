"""Modules of the operator's that blur: what they change in a picture becomes regions.

Either a class `HeadBlurrer(num_camera=1)` with `process_frame(frame, camera_index=0)`, or a
function `apply_blur(frame, thread_id=0)`; both take a picture (H, W, 3) BGR of bytes and return one
like it. What they draw is not used: where they drew is covered as everything is, so that a head
stays covered between two looks and the file can be verified.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from hazardcast.contract.errors import ConfigError
from hazardcast.vision.pixels import image
from hazardcast.vision.pixels.image import Image
from privacy import regions
from privacy.cover import Planes
from privacy.looking import Look, LookError
from privacy.regions import Found, Kind

CLASS, FUNCTION = "HeadBlurrer", "apply_blur"
LEAST_CHANGED_PX = 4
_PLACE = re.compile(r"(?P<module>.+?)(:(?P<thing>\w+))?")
Blur = Callable[[Image], Any]
"""A picture to one like it, in which heads are blurred."""


def load(place: str, *, cameras: int) -> Callable[[int], Blur]:
    """The blur of a module, for the camera of an index.

    Args:
        place: `file.py`, `package.module`, or either with `:Name` of the class or function.
        cameras: how many cameras there are.

    Raises:
        ConfigError: there is no such module, it fails as it is imported, or lacks both forms.
    """
    match = _PLACE.fullmatch(place)
    assert match
    try:
        module = _imported(match["module"])
        thing = _thing(module, match["thing"])
        return _bound(thing, cameras)
    except ConfigError as error:
        raise ConfigError(f"blur_module_path: {place}: {error}") from None
    except Exception as error:
        raise ConfigError(f"blur_module_path: {place}: {error!r}") from error


def _imported(name: str) -> ModuleType:
    if not name.endswith(".py"):
        return importlib.import_module(name)
    path = Path(name)
    if not path.is_file():
        raise ConfigError("no such file")
    spec = importlib.util.spec_from_file_location(f"blur_module_{path.stem}", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _thing(module: ModuleType, name: str | None) -> Any:
    for wanted in [name] if name else [CLASS, FUNCTION]:
        if callable(thing := getattr(module, wanted, None)):
            return thing
    raise ConfigError(f"has no {name or f'class {CLASS} and no function {FUNCTION}'}")


def _bound(thing: Any, cameras: int) -> Callable[[int], Blur]:
    if not isinstance(thing, type):
        return lambda index: lambda frame: thing(frame, thread_id=index)
    blurrer = thing(num_camera=cameras)
    if not callable(getattr(blurrer, "process_frame", None)):
        raise ConfigError(f"{thing.__name__} has no process_frame")
    return lambda index: lambda frame: blurrer.process_frame(frame, camera_index=index)


@dataclass
class PluginLook:
    """A look by a module of the operator's, for one camera."""

    blur: Blur

    def __call__(self, planes: Planes, t: float, index: int) -> Found:  # noqa: ARG002 - as all looks
        """As `Look`: what the module changed.

        Raises:
            LookError: it raised, or returned another thing than a picture of the same shape.
        """
        height, width = planes.y.shape
        flat = np.concatenate([plane.reshape(-1) for plane in planes])
        picture = image.whole_from_planes(flat.reshape(height * 3 // 2, width))
        try:
            blurred = self.blur(picture.copy())
        except Exception as error:
            raise LookError(
                f"the blur module failed at picture {index}: {error!r}"[:300]
            ) from error
        _check(blurred, picture, index)
        changed = image.differences(picture, blurred)
        boxes, _ = image.blobs(image.closed((changed > 0).astype(np.uint8)), LEAST_CHANGED_PX)
        return regions.make([(box, 1.0, Kind.FOREIGN) for box in boxes])


def _check(blurred: Any, picture: Image, index: int) -> None:
    if not isinstance(blurred, np.ndarray):
        raise LookError(f"the blur module returned {type(blurred).__name__} for picture {index}")
    if blurred.shape != picture.shape or blurred.dtype != picture.dtype:
        raise LookError(
            f"the blur module returned {blurred.dtype} {blurred.shape} for picture {index}; "
            f"expected {picture.dtype} {picture.shape}"
        )


def together(looks: list[Look]) -> Look:
    """A look that finds what any of `looks` finds."""

    def look(planes: Planes, t: float, index: int) -> Found:
        found = [one(planes, t, index) for one in looks]
        return Found(
            np.concatenate([one.xyxy for one in found]),
            np.concatenate([one.scores for one in found]),
            np.concatenate([one.kinds for one in found]),
        )

    return look
