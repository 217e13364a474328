"""Frames a second through decode → model → tracks → rules, beside a bare loop on the same file.

The bare loop does `cv2.VideoCapture.read`, the model's own pre-processing and the model's run, and
nothing else; OpenCV has one thread in both, as in the service. With `HAZARDCAST_MODEL` set to a file
the model is that network (bare: onnxruntime alone), otherwise one that is built in (bare: itself
alone). Every decoded frame is analysed; three rounds, medians.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime
from detector.pipeline import Pipeline

from benchmarks.harness import Figure
from hazardcast.config import settings
from hazardcast.vision.models.opener import BUILT_IN, ROADSIDE, model_opener
from hazardcast.vision.pixels import image
from hazardcast.vision.pixels.frame import Frame
from hazardcast.vision.pixels.sources import FileFrames

SECONDS = 40
FPS = 15.0
ROUNDS = 3
AIM = 0.85


def make_video(folder: Path) -> Path:
    path = folder / "normal.mp4"
    command = [
        sys.executable,
        "-m",
        "camera.render",
        "normal",
        str(path),
        "--seconds",
        str(SECONDS),
    ]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return path


def ours(video: Path, model: Path | None, threads: int) -> float:
    pipeline = Pipeline(model_opener(model, threads=threads)())
    started, frames = time.monotonic(), 0
    for frame in FileFrames(video, fps=60.0):
        pipeline.process(frame)
        frames += 1
    return frames / (time.monotonic() - started)


def bare(video: Path, infer: Callable[[Any, int], object]) -> float:
    capture = cv2.VideoCapture(str(video), cv2.CAP_FFMPEG)
    started, frames = time.monotonic(), 0
    while True:
        ok, picture = capture.read()
        if not ok:
            break
        infer(picture, frames)
        frames += 1
    capture.release()
    return frames / (time.monotonic() - started)


def bare_built_in(name: Path | None) -> Callable[[Any, int], object]:
    model = model_opener(name, threads=1)()
    return lambda picture, index: model.detect(Frame(picture, index / FPS, index))


def bare_network(path: Path, threads: int) -> Callable[[Any, int], object]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    image_input = session.get_inputs()[0]
    height, width = image_input.shape[2:]

    def infer(picture: Any, _index: int) -> object:
        scale = min(width / picture.shape[1], height / picture.shape[0])
        small = cv2.resize(picture, None, fx=scale, fy=scale)
        canvas = np.full((height, width, 3), 114, np.uint8)
        canvas[: small.shape[0], : small.shape[1]] = small
        return session.run(None, {image_input.name: cv2.dnn.blobFromImage(canvas)})

    return infer


def run() -> list[Figure]:
    image.single_threaded()
    chosen = settings.load()
    model, threads = chosen.model, chosen.model_threads
    network = None if model in BUILT_IN else model
    with tempfile.TemporaryDirectory() as name:
        video = make_video(Path(name))
        pairs = []
        for _ in range(ROUNDS):
            infer = bare_network(network, threads) if network else bare_built_in(model)
            pairs.append((ours(video, model, threads), bare(video, infer)))
    ours_fps = statistics.median(pair[0] for pair in pairs)
    bare_fps = statistics.median(pair[1] for pair in pairs)
    label = (model or ROADSIDE).stem
    return [
        Figure(f"detector throughput, {label}", "frames/s", ours_fps, bare_fps, f"≥ {AIM} ×", ours_fps >= AIM * bare_fps)
    ]  # fmt: skip
