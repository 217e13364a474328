"""Edge to ONNX Runtime: a network's weights, and one camera's use of them."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from hazardcast.contract.errors import ConfigError
from hazardcast.vision.geometry import boxes
from hazardcast.vision.geometry.boxes import Boxes
from hazardcast.vision.models import model_files, sidecar
from hazardcast.vision.models.decoders import Named
from hazardcast.vision.models.first_look import FirstLook
from hazardcast.vision.models.inputs import Declared, Port, other_inputs, picture_port
from hazardcast.vision.models.layouts import KNOWN, Layout, recognise
from hazardcast.vision.models.units import all_numbers, fractions_scaled, settled
from hazardcast.vision.pixels import image
from hazardcast.vision.pixels.frame import Frame
from hazardcast.vision.pixels.image import Image

log = logging.getLogger(__name__)

LEAST_SCORE = 0.15
"""Low boxes still keep a track alive (ByteTrack, arXiv 2110.06864)."""
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
        self.name, self.path = path.stem, path
        self._session = _open(path, threads, provider)
        self.provider = next(
            (name for name, full in PROVIDERS.items() if full == self._session.get_providers()[0]),
            self._session.get_providers()[0],
        )
        self._outputs = [output.name for output in self._session.get_outputs()]
        self._extra: dict[str, Any] = {}
        said = sidecar.beside(path)
        with self.blamed():
            self.port = self._port(said)
            self.classes = sidecar.classes_of(said, self._metadata())
            self.layout = self._recognise(said)
        # What is not read need not be handed over.
        self._outputs = list(self.layout.reads) or self._outputs
        log.info(
            "model loaded",
            extra={
                "model": self.name, "layout": self.layout.name, "provider": self.provider,
                "size": "{}x{}".format(*self.size), "classes": self.classes.count,
                "assumed": self.classes.assumed, "threads": threads,
            },
        )  # fmt: skip

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of its input."""
        return self.port.width, self.port.height

    @contextlib.contextmanager
    def blamed(self) -> Iterator[None]:
        """What is wrong within is the fault of this file.

        Raises:
            ConfigError: for every such; it names the setting and the file.
        """
        try:
            yield
        except ConfigError as error:
            raise ConfigError(f"HAZARDCAST_MODEL: {self.path}: {error}") from None

    def _metadata(self) -> dict[str, str]:
        return dict(self._session.get_modelmeta().custom_metadata_map)

    def _port(self, said: sidecar.Sidecar) -> Port:
        metadata = self._metadata()
        task = metadata.get("task", "detect")
        if task != "detect":
            raise ConfigError(f"its metadata says that its task is {task[:40]!r}; expected detect")
        inputs = [Declared(one.name, one.shape, one.type) for one in self._session.get_inputs()]
        port = picture_port(inputs, said_size=said.input.size, metadata=metadata, understood=KNOWN)
        self._extra = other_inputs(inputs, port)
        return port

    def _recognise(self, said: sidecar.Sidecar) -> Layout:
        width, height = self.size
        try:
            seen = self._run(self.port.name, self.port.noise())
        except _errors() as error:
            raise ConfigError(
                f"does not run on a picture of {width}x{height}: {_line(error)}"
            ) from None
        all_numbers(seen)
        shapes = {name: out.shape for name, out in seen.items()}
        said_in = sidecar.path_beside(self.path).name
        layout = recognise(
            shapes, width, height, self.classes, named=said.layout, seen=seen,
            likely=sidecar.likely_layout(self._metadata()), said_in=said_in,
        )  # fmt: skip
        layout = replace(layout, input=said.over(layout.input))
        if said.boxes == "fractions":
            return fractions_scaled(layout, width, height)
        settled(layout, seen, self.classes, said_in, fractions_denied=said.boxes == "pixels")
        return layout

    def run(self, fed: image.Plane) -> Named:
        """Output name → array for one input as `port` takes it; safe from several threads."""
        return self._run(self.port.name, fed)

    def _run(self, name: str, fed: image.Plane) -> Named:
        given = self._session.run(self._outputs, {name: fed, **self._extra})
        return {
            output: array.astype(np.float32) if array.dtype == np.float16 else array
            for output, array in zip(self._outputs, given, strict=True)
        }


def _open(path: Path, threads: int, provider: str) -> Any:
    if not path.is_file():
        raise ConfigError(f"HAZARDCAST_MODEL: {path}: no such file")
    path.open("rb").close()  # what the system says of it is no fault of the network
    kind = model_files.other_kind(path)
    if kind is not None:
        raise ConfigError(f"HAZARDCAST_MODEL: {path} is not an ONNX network: it is {kind}")
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
        advice = model_files.advice(str(error), onnxruntime.__version__)
        raise ConfigError(
            f"HAZARDCAST_MODEL: {path} is not an ONNX network that can be loaded: "
            f"{_line(error)}{advice}"
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
        wants, port = weights.layout.input, weights.port
        self._canvas: Image = np.full((height, width, 3), wants.pad, np.uint8)
        self._fed = port.blank()
        self._planes = port.planes(self._fed)
        # A network that takes bytes scales them itself.
        std = np.ones(3, np.float32) if port.takes_bytes else np.array(wants.std, np.float32)
        mean = np.zeros(3, np.float32) if port.takes_bytes else np.array(wants.mean, np.float32)
        self._factors = 1 / std
        self._offsets = -mean * self._factors
        self._shape: tuple[int, ...] = ()
        self._look = FirstLook(weights.layout, width, height)

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return self._weights.name

    def detect(self, frame: Frame) -> Boxes:
        """Road users in `frame`, best first, doubles suppressed.

        Raises:
            ConfigError: the first boxes show that the network is another than it looked like.
        """
        scale_x, scale_y = self._draw(frame.image)
        outputs = self._weights.run(self._fed)
        found = self._weights.layout.decode(outputs, LEAST_SCORE)
        if not self._look.over:
            self._judge(outputs, found)
        scale = np.array([scale_x, scale_y, scale_x, scale_y], np.float32)
        in_frame = Boxes(found.xyxy / scale, found.scores, found.labels)
        height, width = frame.image.shape[:2]
        return boxes.nms(boxes.clipped(in_frame, width, height))

    def _judge(self, outputs: Named, found: Boxes) -> None:
        objection = self._look.objection(outputs, found, LEAST_SCORE)
        if objection is not None:
            with self._weights.blamed():
                raise ConfigError(objection)

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
            self._canvas, self._planes, factors=self._factors, offsets=self._offsets, rgb=wants.rgb
        )
        return scale
