"""Composes pairs (picture, empty background) to learn smoke from.

Smoke of every shade is set into quiet scenes; against it stand vehicles, shadows, headlights, fog
over the whole picture, a step of the exposure and a shaking camera.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from training.fire import compose, material
from training.fire.compose import CELLS, SIDE, UNSURE

WIDTH = 256
GHOSTS = 0.35
"""So often the background still shows vehicles that have left."""


@dataclass(frozen=True)
class View:
    """One camera's frames (N, H, W, 3) and their median."""

    frames: np.ndarray
    background: np.ndarray
    key: str


def views(folder: Path) -> Iterator[View]:
    """Fixed cameras; of accidents with dust or smoke only what came before."""
    for row in material.clips(folder):
        name, note = row["path"], row["note"]
        skip = name.startswith(("fire/", "blockage/")) or "/pre_" in name
        if skip or not row["camera"].startswith(("fixed", "standing")) or "cut" in note:
            continue
        until = 1e9
        if any(word in note for word in ("dust", "smoke", "flash", "overlay", "scene changes")):
            until = float(row["t_event_s"]) - 0.2
        pictures = [
            frame for t, frame in material.frames(folder / name, fps=2, width=WIDTH) if t < until
        ]
        if len(pictures) >= 6:
            stack = np.stack(pictures)
            background = np.median(stack, axis=0).astype(np.uint8)
            yield View(stack, background, material.group_of(name))


def plume(rng: np.random.Generator) -> np.ndarray:
    """(S, S) opacity: turbulent, rising from a point and widening, leaning with the wind."""
    noise = np.zeros((SIDE, SIDE), np.float32)
    for octave in range(2, 7):
        cells = 2**octave
        field = rng.normal(0, 1, (cells, cells)).astype(np.float32)
        noise += cv2.resize(field, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC) * 0.6 ** (
            octave - 2
        )
    noise = (noise - noise.min()) / (noise.max() - noise.min())
    ys, xs = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    x, y = rng.uniform(10, SIDE - 10), rng.uniform(30, SIDE + 10)
    height = np.exp(rng.uniform(np.log(14), np.log(110)))
    up = (y - ys) / height
    lean, spread = rng.normal(0, 0.35), rng.uniform(0.12, 0.5)
    wide = height * (0.08 + spread * np.clip(up, 0, 1.5))
    across = (xs - x - lean * height * np.clip(up, 0, None) ** 1.3) / wide
    envelope = np.exp(-(across**2)) * np.clip(up * 8 + 0.6, 0, 1) * np.clip((1.15 - up) * 2.5, 0, 1)
    density = rng.uniform(0.5, 2.2)
    smoke = envelope * (noise - rng.uniform(0.1, 0.4)) * 2 * density
    opacity: np.ndarray = np.clip(smoke, 0, rng.uniform(0.5, 0.97))
    return opacity


def smoking(rng: np.random.Generator, crop: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The crop with smoke in it, and its labels."""
    opacity = plume(rng)
    if rng.random() < 0.3:
        opacity = np.maximum(opacity, plume(rng))
    shade = rng.uniform(25, 235)
    texture = cv2.resize(
        rng.normal(0, 1, (10, 10)).astype(np.float32), (SIDE, SIDE), interpolation=3
    )
    colour = (shade + rng.uniform(2, 16) * texture)[..., None] + rng.normal(0, 5, 3)
    out = crop + opacity[..., None] * (colour - crop)
    share = compose.cells(opacity)
    # Smoke of the shade of what is behind it cannot be seen.
    seen = compose.cells(np.abs(out - crop).mean(axis=2))
    labels = np.zeros((CELLS, CELLS), np.uint8)
    labels[share > 0.03] = UNSURE
    labels[(share > 0.2) & (seen > 7)] = 1
    smoky: np.ndarray = np.clip(out, 0, 255).astype(np.uint8)
    return smoky, labels


def pairs(
    rng: np.random.Generator, views: Sequence[View], count: int
) -> tuple[np.ndarray, np.ndarray]:
    """`count` pairs (N, S, S, 6) and their labels (N, C, C)."""
    crops = np.empty((count, SIDE, SIDE, 6), np.uint8)
    labels = np.zeros((count, CELLS, CELLS), np.uint8)
    for row in range(count):
        view = views[int(rng.integers(len(views)))]
        frame = view.frames[int(rng.integers(len(view.frames)))]
        scale = rng.uniform(0.8, 1.6)
        crop, scale, offset = compose.patch(rng, frame, scale)
        centre = (SIDE / 2 - offset) / scale
        road = view.background
        if rng.random() < GHOSTS:
            road = view.frames[int(rng.integers(len(view.frames)))]
        background = compose.patch(rng, road, scale, centre)[0]
        if rng.random() < 0.3:
            crop, background = _darkened(rng, crop, background)
        if rng.random() < 0.5:
            crop = _distracted(rng, crop)
        if rng.random() < 0.5:
            crop, labels[row] = smoking(rng, crop)
        state = int(rng.integers(1 << 31))
        # The same camera, so the same wear; but other noise and another moment's exposure.
        crops[row, ..., :3] = compose.worn(np.random.default_rng(state), crop)
        crops[row, ..., 3:] = cv2.GaussianBlur(
            compose.worn(np.random.default_rng(state), background), (3, 3), 0
        )
    return crops, labels


def _darkened(
    rng: np.random.Generator, crop: np.ndarray, background: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    gain = rng.uniform(0.25, 0.8)
    return (crop * gain).astype(np.uint8), (background * gain).astype(np.uint8)


def _distracted(rng: np.random.Generator, crop: np.ndarray) -> np.ndarray:
    out: np.ndarray = crop.astype(np.float32)
    kind = rng.integers(6)
    if kind == 0:  # fog, mist on the lens: everywhere
        veil = rng.uniform(0.05, 0.6)
        out += veil * (rng.uniform(120, 240) - out)
    elif kind == 1:  # exposure
        out = out * rng.uniform(0.6, 1.5) + rng.uniform(-20, 30)
    elif kind == 2:  # shadows
        corners = rng.uniform(-30, SIDE + 30, (4, 2)).astype(np.int32)
        shade: np.ndarray = np.zeros((SIDE, SIDE), np.float32)
        cv2.fillConvexPoly(shade, cv2.convexHull(corners), 1.0)
        shade = cv2.GaussianBlur(shade, (0, 0), rng.uniform(0.5, 6))
        out *= 1 - shade[..., None] * rng.uniform(0.2, 0.7)
    elif kind == 3:  # headlights on the road
        for _ in range(3):
            compose._bloom(rng, out)
    elif kind == 4:  # shaking
        move = np.array([[1, 0, rng.uniform(-3, 3)], [0, 1, rng.uniform(-3, 3)]])
        out = cv2.warpAffine(out, move, (SIDE, SIDE), borderMode=cv2.BORDER_REFLECT_101)
    else:  # a vehicle of one colour
        x, y, w, h = rng.integers(0, SIDE, 2).tolist() + rng.integers(6, 80, 2).tolist()
        part = out[y : y + h, x : x + w]
        left, right = rng.uniform(0.7, 1.1, 2)
        shade = np.linspace(left, right, max(1, part.shape[1]))[None, :, None]
        part[:] = (rng.uniform(20, 245) + rng.normal(0, 12, 3)) * shade
    disturbed: np.ndarray = np.clip(out, 0, 255).astype(np.uint8)
    return disturbed
