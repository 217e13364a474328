"""Edge to ONNX Runtime: the face network YuNet (Wu, Peng, Yu 2023), at any size of picture.

Outputs per stride: class and objectness scores, and boxes of which centre = (cell + offset) ·
stride and size = exp(size) · stride; a face's score is the root of the product of both.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from hazardcast.contract.errors import ConfigError
from hazardcast.vision.geometry import boxes
from hazardcast.vision.geometry.boxes import Boxes, Floats
from hazardcast.vision.models.decoders import grid
from hazardcast.vision.pixels import image
from hazardcast.vision.pixels.image import Image

STRIDES = (8, 16, 32)
LEAST_SCORE = 0.6
OUTPUTS = tuple(f"{what}_{stride}" for what in ("cls", "obj", "bbox") for stride in STRIDES)
Heads = dict[str, Floats]


class FaceNet:
    """Finds faces in BGR pictures.

    Raises:
        ConfigError: the file is missing, or no YuNet of open size.
    """

    def __init__(self, path: Path, *, threads: int = 1) -> None:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        if not path.is_file():
            raise ConfigError(f"face_model: {path}: no such file")
        try:
            self._session = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # noqa: BLE001 - ONNX Runtime's errors have no common base
            raise ConfigError(f"face_model: {path}: {str(error)[:200]}") from None
        self._input = self._session.get_inputs()[0]
        self._check(path)

    def _check(self, path: Path) -> None:
        names = {one.name for one in self._session.get_outputs()}
        if not names >= set(OUTPUTS):
            raise ConfigError(f"face_model: {path}: lacks outputs of YuNet, such as {OUTPUTS[0]}")
        if any(isinstance(side, int) for side in self._input.shape[2:]):
            raise ConfigError(f"face_model: {path}: takes one size only; expected an open one")

    def find(self, picture: Image, *, least: float = LEAST_SCORE) -> Boxes:
        """Faces in a BGR picture, px of it, best first, label PERSON.

        Raises:
            ValueError: the network answered what are no numbers.
        """
        outputs = self._run(image.stacked([picture], STRIDES[-1]))
        found = decoded(outputs, *_padded(picture), least=least)
        if not np.isfinite(found.xyxy).all() or not np.isfinite(found.scores).all():
            raise ValueError("the face network answers what are no numbers")
        return boxes.nms(boxes.clipped(found, picture.shape[1], picture.shape[0]))

    def _run(self, fed: Any) -> Heads:
        given = self._session.run(list(OUTPUTS), {self._input.name: fed})
        return dict(zip(OUTPUTS, given, strict=True))


def _padded(picture: Image) -> tuple[int, int]:
    height, width = picture.shape[:2]
    return width + -width % STRIDES[-1], height + -height % STRIDES[-1]


def decoded(outputs: Heads, width: int, height: int, *, least: float) -> Boxes:
    """Faces of at least the score `least`, from outputs for an input of `width` × `height` px."""
    parts = []
    for stride in STRIDES:
        scores = np.sqrt(
            np.clip(outputs[f"cls_{stride}"].reshape(-1), 0, 1)
            * np.clip(outputs[f"obj_{stride}"].reshape(-1), 0, 1)
        )
        # What is no number is kept, for the caller to see.
        rows = np.flatnonzero(~(scores < least))
        places = grid(width, height, (stride,))[rows, :2]
        sides = outputs[f"bbox_{stride}"].reshape(-1, 4)[rows]
        centre, half = (places + sides[:, :2]) * stride, np.exp(sides[:, 2:]) * stride / 2
        parts.append((np.concatenate([centre - half, centre + half], axis=1), scores[rows]))
    xyxy = np.concatenate([xyxy for xyxy, _ in parts])
    return boxes.make(xyxy, np.concatenate([scores for _, scores in parts]), np.zeros(len(xyxy)))
