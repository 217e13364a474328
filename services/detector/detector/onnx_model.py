"""Edge to ONNX Runtime: a network's weights, and one camera's use of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from detector import boxes, image
from detector.boxes import Boxes
from detector.frame import Frame
from detector.image import Image
from detector.layouts import KNOWN, Layout, recognise
from hazardcast.errors import ConfigError

LEAST_SCORE = 0.15
"""Low boxes still keep a track alive (ByteTrack, arXiv 2110.06864)."""
DEFAULT_SIZE = 640
"""Input side of networks that leave it open."""
ONNX_TYPES = {"tensor(float)": np.float32, "tensor(int64)": np.int64}


class Weights:
    """A loaded network of a known layout; shared by every camera's model.

    Raises:
        ConfigError: the file is missing, not ONNX, or a network of unknown layout.
    """

    def __init__(self, path: Path, *, threads: int) -> None:
        self.name = path.stem
        self._session = _open(path, threads)
        self._extra: dict[str, Any] = {}
        self.image_input, self.size = self._inputs(path)
        self.layout = self._recognise(path)

    def _inputs(self, path: Path) -> tuple[str, tuple[int, int]]:
        """Name of the image input and its (width, height)."""
        inputs = self._session.get_inputs()
        images_of = [one for one in inputs if len(one.shape) == 4 and one.shape[1] == 3]
        if len(images_of) != 1 or images_of[0].type != "tensor(float)":
            raise ConfigError(
                f"HAZARDCAST_MODEL: {path} does not take one float image [1,3,H,W]; "
                f"understood are {KNOWN}"
            )
        height, width = (
            side if isinstance(side, int) else DEFAULT_SIZE for side in images_of[0].shape[2:]
        )
        for one in inputs:
            if one is not images_of[0]:
                # Original sizes (w, h): asking for the network's own keeps one scaling for all.
                self._extra[one.name] = np.array([[width, height]], ONNX_TYPES.get(one.type))
        return images_of[0].name, (width, height)

    def _recognise(self, path: Path) -> Layout:
        width, height = self.size
        try:
            outputs = self.run(np.zeros((1, 3, height, width), np.float32))
            return recognise({name: out.shape for name, out in outputs.items()}, width, height)
        except ConfigError as error:
            raise ConfigError(f"HAZARDCAST_MODEL: {path}: {error}") from None
        except _errors() as error:
            raise ConfigError(f"HAZARDCAST_MODEL: {path} does not run: {_line(error)}") from None

    def run(self, tensor: image.Plane) -> dict[str, Any]:
        """Output name → array for one input (1, 3, H, W); safe from several threads."""
        names = [output.name for output in self._session.get_outputs()]
        feed = {self.image_input: tensor, **self._extra}
        return dict(zip(names, self._session.run(names, feed), strict=True))


def _open(path: Path, threads: int) -> Any:
    if not path.is_file():
        raise ConfigError(f"HAZARDCAST_MODEL: {path}: no such file")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # A spinning pool would burn a core between two frames of a slow camera.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except _errors() as error:
        raise ConfigError(
            f"HAZARDCAST_MODEL: {path} is not an ONNX network that can be loaded: {_line(error)}"
        ) from None


def _errors() -> tuple[type[Exception], ...]:
    """ONNX Runtime's own exceptions have no common base but Exception; these are all of them."""
    state = onnxruntime.capi.onnxruntime_pybind11_state
    return (
        state.Fail, state.InvalidArgument, state.InvalidGraph, state.InvalidProtobuf, state.NoModel,
        state.NoSuchFile, state.NotImplemented, state.RuntimeException, state.EPFail, RuntimeError,
        ValueError,
    )  # fmt: skip


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


class OnnxModel:
    """One camera's model: its own buffers over shared weights."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        width, height = weights.size
        wants = weights.layout.input
        self._canvas: Image = np.full((height, width, 3), wants.pad, np.uint8)
        self._tensor: image.Plane = np.zeros((1, 3, height, width), np.float32)
        self._factors = 1 / np.array(wants.std, np.float32)
        self._offsets = -np.array(wants.mean, np.float32) * self._factors
        self._shape: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return self._weights.name

    def detect(self, frame: Frame) -> Boxes:
        """Road users in `frame`, best first, doubles suppressed."""
        scale_x, scale_y = self._draw(frame.image)
        found = self._weights.layout.decode(self._weights.run(self._tensor), LEAST_SCORE)
        scale = np.array([scale_x, scale_y, scale_x, scale_y], np.float32)
        in_frame = Boxes(found.xyxy / scale, found.scores, found.labels)
        height, width = frame.image.shape[:2]
        return boxes.nms(boxes.clipped(in_frame, width, height))

    def _draw(self, picture: Image) -> tuple[float, float]:
        """Fill the tensor; returns network pixels per frame pixel in x and y."""
        wants = self._weights.layout.input
        if picture.shape != self._shape:
            self._canvas[:] = wants.pad
            self._shape = picture.shape
        if wants.letterbox:
            scale = (image.letterboxed(picture, self._canvas),) * 2
        else:
            image.stretched(picture, self._canvas)
            scale = (
                self._canvas.shape[1] / picture.shape[1],
                self._canvas.shape[0] / picture.shape[0],
            )
        image.planes(
            self._canvas, self._tensor, factors=self._factors, offsets=self._offsets, rgb=wants.rgb
        )
        return scale
