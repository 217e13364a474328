"""The stages that a demo must pass, in order, each with a limit and advice for when it does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hazardcast_tools.demo.facts import Facts
from hazardcast_tools.demo.scene import START_UP_S, DemoScene

QUIET_MARGIN_S = 8.0
CONFIRMED_AFTER_S = {"blockage": 60.0}
"""From a drawn incident to its confirmation: others must have passed what blocks the road."""
SOON_S = 20.0
LEAST_SHARE = 0.6
"""Of the frames that are due; with fewer an impact falls between two looks."""
LOOPS_S = 60.0
PRE_ROLL = "pre-roll recorded"


@dataclass(frozen=True)
class Stage:
    """Something that must come true within a time of the stage before."""

    name: str
    within_s: float
    holds: Callable[[Facts], bool]
    advice: str
    log_of: str
    """The process whose log tells why."""


def stages(scene: DemoScene) -> list[Stage]:
    """What must happen before the figures are drawn up."""
    accident = _accident(scene) if scene.expects_alert else []
    return [*_start(), *([] if scene.is_drawn else [_pre_roll(scene)]), _detections(), *accident]


def _start() -> list[Stage]:
    return [
        Stage(
            "services online", 60.0, lambda facts: not facts.missing,
            "a service does not report to the broker; its log says why", "alerter",
        ),
        Stage(
            "camera live", 20.0, lambda facts: facts.camera_live,
            "the recorder gets no video from the camera service", "recorder",
        ),
        Stage(
            "first segment recorded", 20.0, lambda facts: facts.recorded_s > 0,
            "the recorder gets video but closes no segment: is the disk full?", "recorder",
        ),
    ]  # fmt: skip


def _pre_roll(scene: DemoScene) -> Stage:
    """A file may show its accident at once: its detector starts when there is enough to keep."""
    return Stage(
        PRE_ROLL, scene.clip_pre_s + 15.0, lambda facts: facts.recorded_s >= scene.clip_pre_s,
        "the recording does not grow", "recorder",
    )  # fmt: skip


def _detections() -> Stage:
    return Stage(
        "detections", 25.0, lambda facts: facts.detections > 0,
        "the detector sees no frames", "detector",
    )  # fmt: skip


def _accident(scene: DemoScene) -> list[Stage]:
    return [
        Stage(
            "alert on the air", _confirmed_within_s(scene), lambda facts: facts.alert is not None,
            "no incident was confirmed here: try another source, or HAZARDCAST_MODEL=detector.onnx",
            "detector",
        ),
        Stage(
            "received by every vehicle", 5.0,
            lambda facts: len(facts.received_by) == len(facts.vehicles),
            "the datagrams do not arrive: try HAZARDCAST_MULTICAST_INTERFACE=127.0.0.1",
            "vehicle-1",
        ),
        Stage(
            "clip finished", scene.clip_post_s + 25.0, lambda facts: facts.clip_done,
            "the clipper does not finish; its log says why", "clipper",
        ),
    ]  # fmt: skip


def _confirmed_within_s(scene: DemoScene) -> float:
    """A drawn incident comes once and at a known time; a file is played again and again."""
    if scene.is_drawn:
        return scene.clip_pre_s + START_UP_S + CONFIRMED_AFTER_S.get(scene.name, SOON_S)
    return LOOPS_S


def quiet_s(scene: DemoScene) -> float:
    """How long a quiet scene is watched for false alarms."""
    return scene.pre_s + scene.post_s + QUIET_MARGIN_S


def too_slow(rate: float, *, wanted: float) -> str:
    """What to say of a machine that cannot watch while it does all else; empty of one that can."""
    if rate >= LEAST_SHARE * wanted:
        return ""
    return (
        f"only {rate:.1f} of {wanted:g} frames a second were analysed, "
        "so give this machine less to do beside it; else: "
    )
