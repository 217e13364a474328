"""Composes what the network learns from: zoomed, mirrored, relit, with vehicles of other places."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from training.vehicles.material import View

WIDTH, HEIGHT = 384, 224
PASTED, PASTED_AT_MOST = 0.6, 5
STANDS_OUT = 22
"""Grey levels by which a vehicle that is cut out differs from its road."""
LEAST_FILL = 0.4
UNSURE = 0.3
"""Score of a vehicle that the picture's edge cuts in half: neither learnt nor held against."""
ROADS = {"none": 0.12, "empty": 0.23, "wrong": 0.1, "followed": 0.55}
"""Which road the network is given: the picture itself while none is known, the clip's median, some
other moment with its vehicles in it (ghosts), or what background subtraction knew."""


class Scene(NamedTuple):
    """A picture, its road (both (H, W, 3)) and its boxes (K, 6)."""

    picture: np.ndarray
    road: np.ndarray
    boxes: np.ndarray


def drawn(rng: np.random.Generator, views: Sequence[View]) -> tuple[np.ndarray, np.ndarray]:
    """One example: (6, HEIGHT, WIDTH) and its boxes (K, 6)."""
    view = views[int(rng.integers(len(views)))]
    number = int(rng.integers(len(view.pictures)))
    kind = str(rng.choice(list(ROADS), p=list(ROADS.values())))
    scene = Scene(view.pictures[number].copy(), _road(rng, view, number, kind), view.boxes[number])
    if rng.random() < PASTED:
        for _ in range(rng.integers(1, PASTED_AT_MOST)):
            scene = _pasted(rng, scene, views[int(rng.integers(len(views)))])
    if kind == "none":
        scene = scene._replace(road=scene.picture)
    return _relit(rng, _seen(rng, scene))


def _road(rng: np.random.Generator, view: View, number: int, kind: str) -> np.ndarray:
    road: np.ndarray = view.roads[number]
    if kind == "empty":
        road = view.empty
    elif kind == "wrong":
        road = view.pictures[rng.integers(len(view.pictures))]
    return road.copy()


def _pasted(rng: np.random.Generator, scene: Scene, other: View) -> Scene:
    """With a vehicle of another place; now and then in the road as well, as a ghost."""
    cut = _cut_out(rng, other)
    if cut is None:
        return scene
    vehicle, mask, row = cut
    height, width = mask.shape[:2]
    high, wide = scene.picture.shape[:2]
    if width < 8 or height < 6 or width >= wide // 2 or height >= high // 2:
        return scene
    x, y = int(rng.integers(0, wide - width)), int(rng.integers(0, high - height))
    place = np.s_[y : y + height, x : x + width]
    _lay(scene.picture, place, vehicle * rng.uniform(0.8, 1.2), mask)
    if rng.random() < 0.15:
        _lay(scene.road, place, vehicle, mask)
    box = np.array([[x, y, x + width, y + height, *row[4:]]], np.float32)
    return scene._replace(boxes=np.concatenate([scene.boxes, box]))


def _cut_out(
    rng: np.random.Generator, view: View
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """A vehicle, scaled, with its mask (h, w, 1); None when it does not stand out."""
    number = int(rng.integers(len(view.pictures)))
    rows = view.boxes[number]
    rows = rows[(rows[:, 4] >= 0.5) & (rows[:, 5] != 0)]
    if not len(rows):
        return None
    row = rows[rng.integers(len(rows))]
    x1, y1, x2, y2 = np.maximum(row[:4].round().astype(int), 0)
    vehicle, road = view.pictures[number][y1:y2, x1:x2], view.roads[number][y1:y2, x1:x2]
    if min(vehicle.shape[:2]) < 8:
        return None
    stands_out = (cv2.absdiff(vehicle, road).max(axis=2) > STANDS_OUT).astype(np.uint8)
    if stands_out.mean() < LEAST_FILL:
        return None
    closed = cv2.morphologyEx(stands_out, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    scale = np.exp(rng.uniform(np.log(0.5), np.log(1.6)))
    size = max(1, int(vehicle.shape[1] * scale)), max(1, int(vehicle.shape[0] * scale))
    mask = cv2.resize(cv2.blur(closed.astype(np.float32), (3, 3)), size)[..., None]
    vehicle = cv2.resize(vehicle, size)
    return (vehicle[:, ::-1], mask[:, ::-1], row) if rng.random() < 0.5 else (vehicle, mask, row)


def _lay(onto: np.ndarray, place: tuple[slice, slice], what: np.ndarray, mask: np.ndarray) -> None:
    onto[place] = np.clip(mask * what + (1 - mask) * onto[place], 0, 255)


def _seen(rng: np.random.Generator, scene: Scene) -> Scene:
    """As another camera would see it: nearer or farther, mirrored, shaking a little."""
    height, width = scene.picture.shape[:2]
    scale = min(WIDTH / width, HEIGHT / height) * np.exp(rng.uniform(np.log(0.7), np.log(1.7)))
    stretch = np.exp(rng.uniform(-0.15, 0.15))
    scales = scale * stretch, scale / stretch
    spare = WIDTH - width * scales[0], HEIGHT - height * scales[1]
    shift = [rng.uniform(min(0, one), max(0, one)) for one in spare]
    way = np.array([[scales[0], 0, shift[0]], [0, scales[1], shift[1]]])
    if rng.random() < 0.5:
        way[0] = [-scales[0], 0, WIDTH - 1 - shift[0]]
    shaken = way.copy()
    shaken[:, 2] += rng.normal(0, 0.6, 2) if rng.random() < 0.3 else 0
    return Scene(
        cv2.warpAffine(scene.picture, way, (WIDTH, HEIGHT)),
        cv2.warpAffine(scene.road, shaken, (WIDTH, HEIGHT)),
        _moved(scene.boxes, way),
    )


def _moved(boxes: np.ndarray, way: np.ndarray) -> np.ndarray:
    """Boxes where the picture went, cut to it; half a vehicle is unsure, a bit of one is none."""
    x = np.sort(boxes[:, [0, 2]] * way[0, 0] + way[0, 2], axis=1)
    y = np.sort(boxes[:, [1, 3]] * way[1, 1] + way[1, 2], axis=1)
    whole = np.maximum(np.ptp(x, axis=1) * np.ptp(y, axis=1), 1)
    x, y = x.clip(0, WIDTH), y.clip(0, HEIGHT)
    visible = np.ptp(x, axis=1) * np.ptp(y, axis=1) / whole
    scores = np.where(visible < 0.5, np.minimum(boxes[:, 4], UNSURE), boxes[:, 4])
    moved = np.column_stack([x[:, 0], y[:, 0], x[:, 1], y[:, 1], scores, boxes[:, 5]])
    kept: np.ndarray = moved[visible > 0.05]
    return kept


def _relit(rng: np.random.Generator, scene: Scene) -> tuple[np.ndarray, np.ndarray]:
    """In another light, without colour or with noise; the road in nearly the same."""
    pictures = [scene.picture, scene.road]
    if rng.random() < 0.12:
        pictures = [
            cv2.cvtColor(one, cv2.COLOR_BGR2GRAY)[..., None].repeat(3, 2) for one in pictures
        ]
    gain, offset = rng.uniform(0.7, 1.3) * rng.uniform(0.93, 1.07, 3), rng.uniform(-20, 20)
    gains = np.array([gain, gain * rng.uniform(0.96, 1.04)])
    planes = np.stack(pictures).astype(np.float32).transpose(0, 3, 1, 2)
    planes = np.clip(planes * gains[..., None, None] + offset, 0, 255)
    if rng.random() < 0.4:
        noise = rng.normal(0, rng.uniform(1, 6), planes[0].shape)
        planes[0] = np.clip(planes[0] + noise, 0, 255)
    return planes.reshape(6, HEIGHT, WIDTH).astype(np.float32), scene.boxes
