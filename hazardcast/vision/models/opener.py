"""What the detector asks of a model, and which one the settings name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from hazardcast.vision.geometry.boxes import Boxes
from hazardcast.vision.pixels.frame import Frame


class Model(Protocol):
    """Finds road users in one camera's frames, given in order."""

    @property
    def name(self) -> str:
        """What it is called in messages."""
        ...

    def detect(self, frame: Frame) -> Boxes:
        """The road users in `frame`, boxes in its pixels, best first."""
        ...


ROADSIDE, BACKGROUND = Path("roadside"), Path("background")
BUILT_IN = (ROADSIDE, BACKGROUND)
"""Name the models that come with the detector; the first is the one when none is named."""
OpenModel = Callable[[], Model]
"""Makes the model of one more camera; weights are shared."""


def model_opener(path: Path | None, *, threads: int, provider: str = "auto") -> OpenModel:
    """How to make each camera's model: the network at `path`, or one that comes with the detector.

    Raises:
        ConfigError: the file is missing, not ONNX, or a network of unknown layout or classes; or
            the execution provider is not to be had.
    """
    # Only what runs is loaded.
    if path in (None, ROADSIDE):
        from hazardcast.vision.models.roadside import RoadsideModel  # noqa: PLC0415

        return RoadsideModel
    if path == BACKGROUND:
        from hazardcast.vision.models.background import BackgroundModel  # noqa: PLC0415

        return BackgroundModel
    from hazardcast.vision.models.onnx_model import OnnxModel, Weights  # noqa: PLC0415

    weights = Weights(path, threads=threads, provider=provider)
    return lambda: OnnxModel(weights)
