"""Edge to ONNX Runtime: a network's weights, and one camera's use of them."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from detector import boxes, image, sidecar
from detector.boxes import Boxes
from detector.frame import Frame
from detector.image import Image
from detector.layouts import KNOWN, Layout, recognise
from hazardcast.errors import ConfigError

log = logging.getLogger(__name__)

LEAST_SCORE = 0.15
"""Low boxes still keep a track alive (ByteTrack, arXiv 2110.06864)."""
DEFAULT_SIZE = 640
"""Input side of networks that leave it open."""
ONNX_TYPES = {"tensor(float)": np.float32, "tensor(int64)": np.int64}
CPU = "CPUExecutionProvider"
PROVIDERS = {
    "cpu": CPU,
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
    "rocm": "ROCMExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "directml": "DmlExecutionProvider",
}
AUTOMATIC = ("cuda", "rocm")
"""Taken by themselves where the runtime has them; the others change speed or results too much."""


class Weights:
    """A loaded network of a known layout; shared by every camera's model.

    Raises:
        ConfigError: the file is missing, not ONNX, or a network of unknown layout or classes.
    """

    def __init__(self, path: Path, *, threads: int, provider: str = "auto") -> None:
        self.name = path.stem
        self._session = _open(path, threads, provider)
        self.provider = next(
            (name for name, full in PROVIDERS.items() if full == self._session.get_providers()[0]),
            self._session.get_providers()[0],
        )
        self._outputs = [output.name for output in self._session.get_outputs()]
        self._extra: dict[str, Any] = {}
        said = sidecar.beside(path)
        self.image_input, self.size = self._inputs(path)
        try:
            self.classes = sidecar.classes_of(said, self._metadata())
            self.layout = self._recognise(said)
        except ConfigError as error:
            raise ConfigError(f"HAZARDCAST_MODEL: {path}: {error}") from None
        log.info(
            "model loaded",
            extra={
                "model": self.name, "layout": self.layout.name, "provider": self.provider,
                "size": "{}x{}".format(*self.size), "classes": self.classes.count,
                "threads": threads,
            },
        )  # fmt: skip

    def _metadata(self) -> dict[str, str]:
        return dict(self._session.get_modelmeta().custom_metadata_map)

    def _inputs(self, path: Path) -> tuple[str, tuple[int, int]]:
        """Name of the image input and its (width, height)."""
        inputs = self._session.get_inputs()
        images_of = [one for one in inputs if len(one.shape) == 4 and one.shape[1] == 3]
        if len(images_of) != 1 or images_of[0].type != "tensor(float)":
            had = ", ".join(f"{one.name}{one.shape} {one.type}" for one in inputs)
            raise ConfigError(
                f"HAZARDCAST_MODEL: {path} takes {had}; expected one float image [1,3,H,W] of a "
                f"detection network; understood are {KNOWN}"
            )
        height, width = (
            side if isinstance(side, int) else DEFAULT_SIZE for side in images_of[0].shape[2:]
        )
        for one in inputs:
            if one is not images_of[0]:
                # Original sizes (w, h): asking for the network's own keeps one scaling for all.
                self._extra[one.name] = np.array([[width, height]], ONNX_TYPES.get(one.type))
        return images_of[0].name, (width, height)

    def _recognise(self, said: sidecar.Sidecar) -> Layout:
        width, height = self.size
        try:
            outputs = self.run(np.zeros((1, 3, height, width), np.float32))
        except _errors() as error:
            raise ConfigError(f"does not run: {_line(error)}") from None
        shapes = {name: out.shape for name, out in outputs.items()}
        layout = recognise(shapes, width, height, self.classes, named=said.layout)
        return replace(layout, input=said.over(layout.input))

    def run(self, tensor: image.Plane) -> dict[str, Any]:
        """Output name → array for one input (1, 3, H, W); safe from several threads."""
        feed = {self.image_input: tensor, **self._extra}
        return dict(zip(self._outputs, self._session.run(self._outputs, feed), strict=True))


def _open(path: Path, threads: int, provider: str) -> Any:
    if not path.is_file():
        raise ConfigError(f"HAZARDCAST_MODEL: {path}: no such file")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # A spinning pool would burn a core between two frames of a slow camera.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    wanted = _providers(provider)
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=wanted)
    except _errors() as error:
        raise ConfigError(
            f"HAZARDCAST_MODEL: {path} is not an ONNX network that can be loaded: {_line(error)}"
        ) from None
    got = session.get_providers()[0]
    if got != wanted[0]:
        if provider != "auto":
            raise ConfigError(f"HAZARDCAST_MODEL_PROVIDER: {provider} could not be started")
        log.warning("execution provider could not be started", extra={"provider": wanted[0]})
    return session


def _providers(provider: str) -> list[str]:
    """ONNX Runtime's names, the wanted one first, the CPU as the last resort.

    Raises:
        ConfigError: this runtime does not have the one asked for.
    """
    available = onnxruntime.get_available_providers()
    if provider == "auto":
        return [PROVIDERS[name] for name in AUTOMATIC if PROVIDERS[name] in available] + [CPU]
    if PROVIDERS[provider] not in available:
        had = ", ".join(name for name, full in PROVIDERS.items() if full in available)
        raise ConfigError(
            f"HAZARDCAST_MODEL_PROVIDER: {provider}: this ONNX Runtime has only {had}"
        )
    return list(dict.fromkeys([PROVIDERS[provider], CPU]))


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
