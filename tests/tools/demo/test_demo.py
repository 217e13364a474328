"""The demo's judgement, without running it: scenes, facts, figures, clip proof, verdict."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hazardcast_tools.demo import closing
from hazardcast_tools.demo.clip_proof import ClipProof, UnplayableClipError, missing_frames, prove
from hazardcast_tools.demo.facts import Facts
from hazardcast_tools.demo.figures import HeardReceipt, of_vehicle
from hazardcast_tools.demo.scene import demo_scene
from hazardcast_tools.demo.stages import PRE_ROLL, stages, too_slow
from hazardcast_tools.demo.truth import Truth

from hazardcast.config import site
from hazardcast.contract.errors import ConfigError
from hazardcast.contract.messages import ClipState, Detections, Receipt, Window
from hazardcast.media import burnt_clock
from hazardcast.testing import ManualClock, SignedStation

T = 1_800_000_000.0


def receipt(**changes: Any) -> Receipt:
    fields = {
        "vehicle": "vehicle-1", "event_id": "4097-1", "revision": 0, "status": "new",
        "result": "displayed", "station": 4097, "epoch": 1, "seq": 1, "copy": (0, 7),
        "path": "multicast", "tx": T + 0.01, "confirmed_at": T, "received_at": T + 0.02,
        "displayed_at": T + 0.03, "published_at": T + 0.05, "residence_s": 0.03, "display_s": 0.01,
        "reception": [{
            "station": 4097, "epoch": 1, "datagrams_expected": 100, "datagrams_unique": 98,
            "ticks_expected": 40, "ticks_delivered": 40,
        }],
    }  # fmt: skip
    return Receipt.parse({**fields, **changes})


def facts(**changes: Any) -> Facts:
    return Facts(vehicles=("vehicle-1", "vehicle-2"), expected_type="collision", **changes)


@pytest.mark.parametrize("source", ["demo://collision", "demo://fire", "demo://normal"])
def test_every_drawn_scene_makes_a_configuration_that_services_accept(source: str) -> None:
    scene = demo_scene(source, pre_s=10, post_s=10)

    config = site.parse(yaml.safe_load(scene.cameras_yaml()), source="demo")

    assert list(config.cameras) == ["demo-junction"]


def test_no_traffic_is_seen_in_the_clock_of_a_drawn_scene() -> None:
    config = site.parse(yaml.safe_load(demo_scene("demo://normal", pre_s=3, post_s=3).cameras_yaml()), source="demo")  # fmt: skip

    [strip] = config.cameras["demo-junction"].zones.ignore
    assert max(y for _, y in strip) >= burnt_clock.STRIP_HEIGHT_WIDTHS * 16 / 9


def test_a_drawn_incident_waits_until_there_is_a_pre_roll() -> None:
    scene = demo_scene("demo://collision", pre_s=10, post_s=10)

    impact_s = float(scene.camera_url.split("impact_s=")[1])

    assert impact_s >= scene.clip_pre_s > scene.pre_s


def test_the_detector_of_a_file_waits_until_there_is_a_pre_roll(
    ffmpeg: str, tmp_path: Path
) -> None:
    file = tmp_path / "crash.mp4"
    drawn = ["-f", "lavfi", "-i", "testsrc=duration=1"]
    subprocess.run([ffmpeg, "-v", "error", *drawn, str(file)], check=True)
    names = [stage.name for stage in stages(demo_scene(str(file), pre_s=10, post_s=10))]

    assert names.index(PRE_ROLL) < names.index("detections")


def test_a_machine_that_is_too_busy_to_watch_is_told_from_a_scene_without_an_accident() -> None:
    facts = Facts(vehicles=(), expected_type="collision")
    assert facts.mean_rate(0.0) is None
    for number in range(20):
        facts.saw(Detections(camera="a", ts=1.0, frame_id=1, width=1, height=1, objects=[], model="m", inference_ms=1), at=100.0 + number / 2)  # fmt: skip

    slow = facts.mean_rate(110.0)

    assert slow == 2.0
    assert too_slow(slow, wanted=8.0).startswith("only 2.0 of 8 frames a second were analysed")
    assert too_slow(7.5, wanted=8.0) == ""


@pytest.mark.parametrize("source", ["demo://earthquake", "/no/such/file.mp4"])
def test_an_unknown_source_is_told_with_what_there_is(source: str) -> None:
    with pytest.raises(ConfigError, match=r"--source.*demo://collision"):
        demo_scene(source, pre_s=10, post_s=10)


def test_quiet_scenes_expect_no_alert() -> None:
    assert not demo_scene("demo://normal", pre_s=1, post_s=1).expects_alert
    assert not demo_scene("demo://queue", pre_s=1, post_s=1).expects_alert


def test_an_alert_of_another_type_is_not_the_one_waited_for() -> None:
    station, known = SignedStation(ManualClock()), facts()

    assert not known.broadcast(station.alert(1, type="blockage"))
    assert known.broadcast(station.alert(2))
    assert all(check.holds for check in closing.detection(known, Truth()))
    assert known.alert is not None
    assert known.alert.event_id == "4097-2"


def test_the_right_event_under_another_name_is_followed_but_fails() -> None:
    known = facts()

    assert known.broadcast(SignedStation(ManualClock()).alert(1, type="rollover"))
    assert not all(check.holds for check in closing.detection(known, Truth()))


def test_a_vehicle_has_received_once_its_console_names_the_event() -> None:
    known = facts()
    known.broadcast(SignedStation(ManualClock()).alert(7))

    known.printed("vehicle-1", "[RECV] 4097-7 new collision")
    known.printed("vehicle-2", "LINK OK")

    assert known.received_by == ["vehicle-1"]


def test_latency_is_told_by_two_methods() -> None:
    figures = of_vehicle("vehicle-1", [HeardReceipt(receipt(), T + 0.06)])

    assert figures is not None
    assert figures.latency.worst_s == pytest.approx(0.03, abs=1e-5)
    assert figures.bound.worst_s == pytest.approx(0.04, abs=1e-5)
    assert figures.bound.worst_s >= figures.latency.worst_s


def test_late_or_lossy_vehicles_fail() -> None:
    known = facts(receipts=[
        HeardReceipt(receipt(displayed_at=T + 0.6), T + 0.7),
        HeardReceipt(receipt(vehicle="vehicle-2", reception=[{
            "station": 4097, "epoch": 1, "datagrams_expected": 1, "datagrams_unique": 1,
            "ticks_expected": 100, "ticks_delivered": 98}]), T + 0.06),
    ])  # fmt: skip

    failed = [check.what for check in closing.vehicles(known) if not check.holds]

    assert failed == [
        "vehicle-1: confirmed → console, by clock",
        "vehicle-1: confirmed → console, by round trip",
        "vehicle-2: reception",
    ]


def test_a_vehicle_that_says_nothing_fails() -> None:
    assert [check.holds for check in closing.vehicles(facts())] == [False, False]


def clip_state(**changes: Any) -> ClipState:
    window = Window(start=T - 12, end=T + 12)
    fields = {
        "event_id": "4097-1", "camera": "demo-junction", "state": "ready", "coverage": 1.0,
        "requested": window, "updated_at": T + 13,
    }  # fmt: skip
    return ClipState.parse({**fields, **changes})


@pytest.mark.parametrize(
    "state",
    [
        clip_state(state="partial", coverage=0.9),
        clip_state(gaps=[{"start": T, "end": T + 1, "cause": "stalled"}]),
        clip_state(state="failed", coverage=0.0),
    ],
)
def test_a_clip_with_something_missing_fails(state: ClipState) -> None:
    assert not all(check.holds for check in closing.clip(facts(clip=state)))


def test_a_whole_clip_passes() -> None:
    assert all(check.holds for check in closing.clip(facts(clip=clip_state())))


def readings(first_s: float, last_s: float) -> tuple[int, ...]:
    return tuple(range(round((T + first_s) * 1000), round((T + last_s) * 1000), 50))


TRUTH = Truth(impact_at=T, fps=20.0)
SCENE = demo_scene("demo://collision", pre_s=10, post_s=10)


def test_a_clip_that_holds_the_impact_with_room_on_both_sides_passes() -> None:
    proof = ClipProof(440, readings(-11, 11))

    assert all(check.holds for check in closing.pictures(proof, SCENE, TRUTH))


@pytest.mark.parametrize(
    ("read", "what"),
    [
        (readings(-9, 11), "clip begins before the impact"),
        (readings(-11, 9), "clip ends after the impact"),
        (readings(-11, 0) + readings(0.1, 11), "frames missing in the clip"),
        ((*readings(-11, 11), None), "frames with a readable clock"),
    ],
)
def test_what_a_clip_lacks_is_named(read: tuple[int | None, ...], what: str) -> None:
    proof = ClipProof(len(read), read)

    failed = [check.what for check in closing.pictures(proof, SCENE, TRUTH) if not check.holds]

    assert failed == [what]


def test_a_frame_that_is_late_is_not_missing() -> None:
    assert missing_frames([0, 50, 100, 199, 200, 250, 330, 350, 400, 450, 500], fps=20) == 0
    assert missing_frames([0, 50, 100, 150, 249], fps=20) == 0


def test_frames_that_are_missing_are_counted() -> None:
    steady = [50 * number for number in range(100)]

    assert missing_frames(steady, fps=20) == 0
    assert missing_frames(steady[:40] + steady[41:], fps=20) == 1
    assert missing_frames(steady[:40] + steady[43:], fps=20) == 3
    assert missing_frames(steady[:10] + steady[12:50] + steady[51:], fps=20) == 3


def test_a_repeated_frame_is_not_what_happened() -> None:
    assert missing_frames([0, 50, 100, 100, 150, 200], fps=20) == 1


def test_what_the_camera_itself_skipped_is_not_lost_by_the_system() -> None:
    read = readings(-11, 0) + readings(0.05, 11)
    proof = ClipProof(len(read), read)
    known = Truth(impact_at=T, fps=20.0, skipped=1)

    assert all(check.holds for check in closing.pictures(proof, SCENE, known))


@pytest.mark.network
def test_a_clips_clock_is_read_from_its_pictures(ffmpeg: str, tmp_path: Path) -> None:
    frames = np.full((30, 360, 640, 3), 90, np.uint8)
    times = [1_800_000_000_000 + round(n * 1000 / 15) for n in range(30)]
    for frame, wall_ms in zip(frames, times, strict=True):
        burnt_clock.burn(frame, wall_ms)
    clip = tmp_path / "clip.mp4"
    subprocess.run(
        [ffmpeg, "-v", "error", "-f", "rawvideo", "-pix_fmt", "bgr24", "-s", "640x360", "-r", "15",
         "-i", "-", "-pix_fmt", "yuv420p", str(clip)],
        input=frames.tobytes(), check=True,
    )  # fmt: skip

    proof = prove(clip, ffmpeg=ffmpeg)

    assert proof.readings_ms == tuple(times)
    assert proof.missing(15.0) == 0


@pytest.mark.network
def test_a_clip_that_does_not_play_is_told(ffmpeg: str, tmp_path: Path) -> None:
    broken = tmp_path / "clip.mp4"
    broken.write_bytes(b"not a video")

    with pytest.raises(UnplayableClipError, match="does not play"):
        prove(broken, ffmpeg=ffmpeg)
