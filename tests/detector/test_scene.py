from __future__ import annotations

import numpy as np
from detector.scene import SceneState, SceneWatch

random = np.random.default_rng(5)
STREET = np.clip(random.normal(110, 40, (36, 64)), 0, 255)
OTHER = np.clip(random.normal(110, 60, (36, 64)), 0, 255)


def watch(picture, until_s, fps=8):
    """States over time of noisy pictures; `picture(t)` gives the clean one."""
    scene, states = SceneWatch(), []
    for number in range(int(until_s * fps)):
        t = number / fps
        clean = picture(t)
        noise = random.normal(0, 2, clean.shape) if picture is not FROZEN else 0
        thumb = np.clip(clean + noise, 0, 255).astype(np.uint8)
        states.append((t, scene.update(thumb, t), scene.suppressed(t)))
    return states


def FROZEN(_t):  # noqa: N802 - a constant picture
    return STREET


def test_an_ordinary_picture_is_clear() -> None:
    assert all(state is SceneState.CLEAR for _, state, _ in watch(lambda _t: STREET, 20.0))


def test_a_cut_is_seen_at_once_and_rests_incidents_for_five_seconds() -> None:
    states = watch(lambda t: STREET if t < 3 else OTHER, 10.0)

    assert [t for t, state, _ in states if state is SceneState.CUT] == [3.0]
    assert [resting for t, _, resting in states if t in (2.5, 3.0, 7.5, 8.5)] == [
        False, True, True, False,
    ]  # fmt: skip


def test_an_exposure_jump_is_no_cut() -> None:
    states = watch(lambda t: STREET if t < 3 else STREET * 0.6 + 70, 6.0)

    kinds = {state for t, state, _ in states if t >= 3}
    assert SceneState.EXPOSURE in kinds
    assert SceneState.CUT not in kinds


def test_slow_dusk_is_clear() -> None:
    states = watch(lambda t: STREET * (1 - t / 200), 60.0)

    assert all(state is SceneState.CLEAR for _, state, _ in states)


def test_a_covered_lens_is_told_after_a_second() -> None:
    states = watch(lambda t: STREET if t < 3 else np.full((36, 64), 20.0), 15.0)

    assert states[-1][1] is SceneState.COVERED
    assert states[-1][2]


def test_a_frozen_picture_is_told_after_a_while() -> None:
    states = watch(FROZEN, 15.0)

    assert states[10][1] is SceneState.CLEAR
    assert states[-1][1] is SceneState.FROZEN
