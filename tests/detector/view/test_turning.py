"""A camera in fog looks where it looked; one that is turned meanwhile is found out when it lifts."""

from __future__ import annotations

import numpy as np
import pytest
from detector.view.turning import TurnWatch

from hazardcast.vision.geometry.boxes import Floats

HEIGHT, WIDTH = 36, 64
LIGHT = 205.0
"""Grey level of fog."""
COMES_S, RISES_S, STAYS_S, AFTER_S = 20.0, 20.0, 100.0, 100.0


def street(seed: int, shift_px: int = 0) -> Floats:
    """A view with detail of every size, as from a camera that was turned by so much."""
    rough = np.random.default_rng(seed).normal(110, 120, (HEIGHT + 8, WIDTH + 40))
    for axis in (0, 1, 0, 1, 0, 1):
        rough = sum(np.roll(rough, step, axis) for step in (-1, 0, 1)) / 3  # type: ignore[assignment]
    return rough[4:-4, 4 + shift_px : 4 + shift_px + WIDTH]


def through_fog(view: Floats, t: float, thick: float, drift_px_s: float) -> Floats:
    """Koschmieder's law (1924) with banks that drift; what is far, and above, is seen least."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    begun = np.clip((t - COMES_S) / RISES_S, 0, 1)
    left = np.clip((COMES_S + 2 * RISES_S + STAYS_S - t) / RISES_S, 0, 1)
    banks = 1 + 0.5 * np.sin((x + drift_px_s * t) / 7) * np.cos((y - 0.3 * drift_px_s * t) / 6)
    seen = np.exp(-thick * begun * left * banks * np.linspace(1, 0.3, HEIGHT)[:, None])
    clear: Floats = view * seen + LIGHT * (1 - seen)
    return clear


def turned_at(seed: int, thick: float, drift_px_s: float, *, turned_s: float = np.inf) -> list[float]:  # fmt: skip
    """When a turn is told of a camera that is turned in the fog, or never."""
    noise, watch = np.random.default_rng(seed), TurnWatch()
    before, after = street(seed), street(seed, shift_px=12)
    told = []
    for look in range(round((COMES_S + 2 * RISES_S + STAYS_S + AFTER_S) * 2)):
        t = look / 2
        view = through_fog(after if t >= turned_s else before, t, thick, drift_px_s)
        thumb = np.clip(view + noise.normal(0, 1.5, view.shape), 0, 255).astype(np.uint8)
        if watch.update(thumb, t):
            told.append(t)
    return told


@pytest.mark.parametrize(("seed", "thick", "drift_px_s"), [(1, 5, 2), (1, 3, 2), (2, 3, 0.5), (0, 5, 6)])  # fmt: skip
def test_a_view_that_lost_its_contrast_for_a_while_was_not_turned(seed: int, thick: float, drift_px_s: float) -> None:  # fmt: skip
    assert turned_at(seed, thick, drift_px_s) == []


def test_a_camera_that_was_turned_in_the_fog_is_told_once_when_it_lifts() -> None:
    (told,) = turned_at(1, 5, 2, turned_s=100.0)

    assert COMES_S + RISES_S + STAYS_S < told < COMES_S + 2 * RISES_S + STAYS_S + 5.0
