"""Smoke against what is like it: vehicles, shadows, fog, a brighter picture."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from detector.fire.smoke import SmokeWatch
from detector.rules.fire import convincing

from hazardcast.vision.pixels.frame import Frame

RNG = np.random.default_rng(3)
ROAD = cv2.GaussianBlur(RNG.normal(110, 60, (180, 320, 3)), (0, 0), 2).clip(40, 180)
ROAD[90:96] = 220
ROAD[:, 150:154] = 210


def found(paint, until_s=14.0, fps=4):
    watch, seen = SmokeWatch(), []
    for number in range(int(until_s * fps)):
        t = number / fps
        frame = paint(ROAD.copy(), t) if t >= 5 else ROAD
        noisy = frame + RNG.normal(0, 2, frame.shape)
        picture = cv2.resize(noisy.clip(0, 255).astype(np.uint8), (640, 360))
        seen = watch.update(Frame(picture, t, 0))
    return [one for one in seen if convincing(one, until_s)]


def plume(frame, t):
    ys, xs = np.mgrid[:180, :320].astype(np.float32)
    up = (150 - ys) / 110
    wide = 8 + 34 * np.clip(up, 0, 1)
    sway = 8 * np.sin(3 * t + ys / 14)
    curl = 0.6 + 0.4 * np.sin(xs / 7 + 4 * t) * np.sin(ys / 9 + 9 * t)
    opacity = np.exp(-(((xs - 200 - sway) / wide) ** 2)) * np.clip(up * 6, 0, 1) * curl * 0.9
    return frame + opacity[..., None] * (150 - frame)


def vehicle(frame, t):
    x = int(40 * (t - 5)) % 260
    frame[60:120, x : x + 60] = 150
    return frame


def shadow(frame, t):
    frame[40:140, 60:240] *= 0.5
    return frame


def fog(frame, t):
    return frame + min(0.6, (t - 5) / 5) * (180 - frame)


def test_a_plume_that_rises_is_smoke_with_its_place() -> None:
    smoke = found(plume)

    assert [one.kind for one in smoke] == ["smoke"]
    x1, y1, x2, y2 = smoke[0].box
    assert x1 < 400 < x2
    assert y1 < 160 < y2


@pytest.mark.parametrize("paint", [vehicle, shadow, fog, lambda frame, t: frame * 1.3])
def test_what_is_like_smoke_is_none(paint) -> None:
    assert found(paint) == []
