"""What `check` says of a camera that recorder and detector have tried."""

from __future__ import annotations

from typing import Any

import pytest
from hazardcast_tools.checks.camera_words import describe, drift_of
from hazardcast_tools.checks.findings import Finding

from hazardcast.contract.trials import RecordingTrial, WatchingTrial

WATCHED = WatchingTrial(camera="north", watched=True, size="320x180", fps=15.0)


def trial(**changes: Any) -> RecordingTrial:
    sound = {
        "camera": "north", "recorded": True, "state": "live", "video": "h264", "size": "1920x1080",
        "audio": "aac", "transport": "tcp", "measured_s": 8.0, "fps": 25.0, "key_interval_s": 2.0,
        "b_frames": False, "bit_rate_bps": 4.1e6, "cpu_share": 0.02, "clock_rate": 1.001,
        "clock_rate_error": 0.001,
    }  # fmt: skip
    return RecordingTrial.model_validate({**sound, **changes})


def said(
    recording: RecordingTrial | None, watching: WatchingTrial | None = WATCHED, **more: Any
) -> Finding:
    return describe("north", "rtsp://10.0.0.11/…", recording, watching, **more)


def test_a_sound_camera_is_described_in_a_line_and_a_few_notes() -> None:
    finding = said(trial())

    assert finding.result == "ok"
    assert finding.detail == (
        "rtsp://10.0.0.11/…: H.264, 1920x1080, 25.0 pictures a second, "
        "a key frame every 2.0 s, by TCP, 4.10 Mbit/s"
    )
    assert finding.notes == (
        "pictures: recorded as they are, 2.0 % of a core here",
        "sound: AAC, recorded as it is",
        "clock: its time of day is not told; it keeps pace with ours within 1 %",
        "detector: reads it, 320x180, 15.0 pictures a second",
    )
    assert finding.facts is not None
    assert finding.facts["recording"] == trial().model_dump()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"video": "mjpeg", "video_plan": "encode", "cpu_share": 0.37},
         "pictures: encoded again as H.264, 37 % of a core here"),
        ({"audio": "pcm_mulaw", "audio_plan": "encode"},
         "sound: G.711 (µ-law), encoded again as AAC"),
        ({"audio": None, "audio_plan": "drop"}, "sound: none"),
        ({"video": "hevc"}, "many browsers do not"),
        ({"clock_rate": None, "clock_rate_error": None},
         "clock: not told, the arrival of its pictures counts"),
        ({"clock_rate": 1.02, "clock_rate_error": 0.01},
         "too unsteadily to measure its pace"),
    ],
)  # fmt: skip
def test_what_is_done_with_it_is_told(changes: dict[str, Any], told: str) -> None:
    finding = said(trial(**changes))

    assert finding.result == "ok"
    assert any(told in note for note in finding.notes)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"clock_rate": 1.02}, "clock: runs 2.0 % fast"),
        ({"clock_rate": 0.98}, "clock: runs 2.0 % slow"),
        ({"key_interval_s": 60.0}, "key frames are 60 s apart"),
        ({"key_interval_s": None, "measured_s": 30.0}, "no second key frame came within 30 s"),
        ({"audio": "amr_nb", "audio_plan": "drop"}, "given up"),
        ({"state": "ended", "detail": "the camera closed the connection"}, "did not last"),
        ({"state": "connecting", "detail": "the camera's clock jumped"}, "clock jumped"),
    ],
)
def test_what_is_recorded_but_not_as_it_should_be_is_a_warning(
    changes: dict[str, Any], told: str
) -> None:
    finding = said(trial(**changes))

    assert finding.result == "warning"
    assert any(told in note for note in finding.notes)


def test_a_camera_that_is_never_recorded_says_why_in_the_recorders_words() -> None:
    why = "the camera refuses the credentials"
    finding = said(RecordingTrial(camera="north", recorded=False, state="unauthorised", detail=why))

    assert finding.result == "failed"
    assert finding.detail == f"rtsp://10.0.0.11/…: never recorded, unauthorised: {why}"
    assert "credentials" in (finding.advice or "")


def test_a_key_frame_that_is_still_awaited_is_no_failure() -> None:
    waiting = "connected, waiting for a key frame"
    finding = said(RecordingTrial(camera="north", recorded=False, state="waiting", detail=waiting))

    assert finding.result == "warning"
    assert waiting in finding.detail
    assert "key frame interval" in (finding.advice or "")


def test_a_second_stream_that_the_detector_cannot_read_fails_a_camera_that_is_recorded() -> None:
    blind = WatchingTrial(camera="north", watched=False, detail="OpenCV cannot open it")
    finding = said(trial(), blind, second_stream="rtsp://10.0.0.11/…")

    assert finding.result == "failed"
    assert finding.notes[-1] == (
        "detector: gets no picture of rtsp://10.0.0.11/…: OpenCV cannot open it"
    )


def test_where_only_the_detector_is_it_alone_is_told_of() -> None:
    finding = said(None)

    assert finding.result == "ok"
    assert finding.facts is not None
    assert finding.facts.keys() == {"watching"}


def test_a_drift_within_the_error_of_its_measurement_is_none() -> None:
    assert drift_of(trial(clock_rate=1.02, clock_rate_error=0.001)) == pytest.approx(0.02)
    assert drift_of(trial(clock_rate=1.02, clock_rate_error=0.006)) is None
    assert drift_of(trial(clock_rate=1.005, clock_rate_error=0.0001)) is None
