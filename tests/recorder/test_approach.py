"""What each connection to a camera teaches about how to ask it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from recorder.approach import SOUND_AGAIN_S, Approach
from recorder.attempt import Ending
from recorder.console import Found

from hazardcast.contract.vocabulary import CameraState, RunCause

FOUND = Found("rtsp", "h264", "aac")
NO_KEY = Ending(CameraState.WAITING, RunCause.NO_KEY_FRAME, kind="sizeless", found=FOUND)
SILENT = Ending(CameraState.UNUSABLE, RunCause.CAMERA_DOWN, kind="transport")
SOUND_FAILED = Ending(CameraState.UNUSABLE, RunCause.CAMERA_DOWN, kind="sound", found=FOUND)
FAILED_SOMEHOW = Ending(
    CameraState.UNUSABLE, RunCause.CAMERA_DOWN, "flux capacitor is empty", found=FOUND
)
CAMERA_WENT = Ending(CameraState.ENDED, RunCause.CAMERA_DOWN)


def sound(approach: Approach) -> str:
    return approach.plan.audio


def transport_of(approach: Approach) -> str:
    return approach.plan.transport


def learn(approach: Approach, *endings: Ending, worked: bool = False, at_s: float = 0.0) -> None:
    for ending in endings:
        approach.begin(at_s)
        approach.learn(ending, saw_frames=worked, monotonic_s=at_s)
    approach.begin(at_s)


def test_a_key_frame_is_awaited_briefly_twice_and_then_long() -> None:
    approach, waits = Approach(), []
    for _ in range(6):
        waits.append(approach.patience(0.0).key_s)
        learn(approach, NO_KEY)

    assert waits == [8.0, 8.0, 120.0, 240.0, 480.0, 480.0]
    assert approach.plan.patient


def test_a_relay_that_has_told_the_size_is_asked_for_its_pictures_as_they_come() -> None:
    approach, known = Approach(), replace(NO_KEY, found=Found("rtsp", "h264", None, "640x360"))
    learn(approach, known, known, known)

    assert approach.patience(0.0).key_s == 240.0
    assert not approach.plan.patient


def test_a_relay_is_remembered_and_a_camera_that_had_just_booted_is_not() -> None:
    camera, relay = Approach(), Approach()
    learn(camera, NO_KEY)
    learn(relay, NO_KEY, NO_KEY)
    for approach in (camera, relay):
        learn(approach, CAMERA_WENT, worked=True)

    assert (camera.patience(0.0).key_s, camera.plan.patient) == (8.0, False)
    assert (relay.patience(0.0).key_s, relay.plan.patient) == (120.0, True)


def test_sound_is_not_blamed_for_a_missing_key_frame() -> None:
    approach = Approach()
    learn(approach, NO_KEY, NO_KEY, NO_KEY)

    assert approach.keep_audio
    assert sound(approach) == "copy"


def test_sound_that_fails_is_given_up_and_asked_for_again() -> None:
    approach = Approach()
    learn(approach, SOUND_FAILED)
    assert sound(approach) == "drop"
    assert approach.patience(60.0).most_s == SOUND_AGAIN_S - 60

    learn(approach, CAMERA_WENT, worked=True, at_s=SOUND_AGAIN_S)
    assert (approach.plan.audio, approach.patience(SOUND_AGAIN_S).most_s) == ("copy", float("inf"))

    learn(approach, SOUND_FAILED, at_s=SOUND_AGAIN_S)
    assert approach.patience(SOUND_AGAIN_S).most_s == 2 * SOUND_AGAIN_S


def test_sound_is_suspected_once_and_acquitted_when_nothing_changes_without_it() -> None:
    approach = Approach()
    learn(approach, FAILED_SOMEHOW)
    assert sound(approach) == "drop"

    learn(approach, FAILED_SOMEHOW)
    assert sound(approach) == "copy"
    learn(approach, FAILED_SOMEHOW)
    assert sound(approach) == "copy"


def test_udp_is_tried_where_tcp_stays_silent_and_tcp_again_where_udp_does() -> None:
    approach = Approach("auto")
    learn(approach, SILENT)
    assert transport_of(approach) == "udp"
    learn(approach, SILENT)
    assert transport_of(approach) == "auto"


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_a_transport_that_is_asked_for_stays(transport: str) -> None:
    approach = Approach(transport)  # type: ignore[arg-type]
    learn(approach, SILENT, SILENT)

    assert approach.plan.transport == transport


def test_what_needs_another_plan_is_connected_to_at_once_and_what_does_not_is_not() -> None:
    approach = Approach()

    assert approach.learn(
        Ending(CameraState.CONNECTING, RunCause.CAMERA_DOWN, found=Found("mpjpeg", "mjpeg", None)),
        saw_frames=False,
        monotonic_s=0.0,
    )
    assert (approach.plan.video, approach.plan.times) == ("encode", "arrival")
    assert not approach.learn(
        Ending(CameraState.UNREACHABLE, RunCause.CAMERA_DOWN, kind="unreached"),
        saw_frames=False,
        monotonic_s=0.0,
    )
