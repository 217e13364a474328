"""The recorder as a process: stopped, killed, without a broker, twice on one directory."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from hazardcast.contract.messages import ServiceStatus
from hazardcast.testing import eventually

pytestmark = [pytest.mark.network, pytest.mark.slow]


def camera_entry(camera: Any, segment_s: int = 2) -> dict[str, Any]:
    return {"north": {"url": camera.url, "segment_s": segment_s}}


def test_sigterm_closes_the_last_segment_and_exits_cleanly_without_any_broker(
    recorder_process: Any,
    ts_camera: Any,
    recordings: Any,
    processes_in: Callable[[Path], list[int]],
    coded_pictures: Callable[[Path], list[Any]],
) -> None:
    camera = ts_camera()
    running = recorder_process(camera_entry(camera, segment_s=60))
    eventually(lambda: camera.sent and len(camera.sent[0]) > 75, within_s=20)

    assert running.terminate() == 0
    sent = len(camera.sent[0])
    (segment,) = recordings.segments()
    assert len(coded_pictures(segment.path)) >= sent - 15
    assert recordings.causes() == ["recorder_stopped"]
    assert processes_in(recordings.folder) == []


def test_killed_it_takes_ffmpeg_along_and_loses_less_than_a_second(
    recorder_process: Any,
    ts_camera: Any,
    recordings: Any,
    processes_in: Callable[[Path], list[int]],
    coded_pictures: Callable[[Path], list[Any]],
    stream_file: Path,
) -> None:
    camera = ts_camera()
    running = recorder_process(camera_entry(camera, segment_s=60))
    eventually(lambda: camera.sent and len(camera.sent[0]) > 75, within_s=20)
    running.kill()
    sent = len(camera.sent[0])
    eventually(lambda: processes_in(recordings.folder) == [], within_s=5, what="ffmpeg is gone")
    assert recordings.segments() == []

    camera.down()
    recorder_process(camera_entry(camera))
    (segment,) = eventually(recordings.segments, within_s=15)
    kept = coded_pictures(segment.path)
    assert len(kept) >= sent - 15
    assert kept == coded_pictures(stream_file)[: len(kept)]
    assert abs(segment.start - camera.sent[0][0]) < 0.1
    assert abs(segment.end - camera.sent[0][len(kept) - 1]) < 0.1
    eventually(lambda: recordings.causes() == ["recorder_killed"], within_s=5)


def test_what_cannot_be_placed_in_time_is_discarded_with_a_reason(
    recorder_process: Any, ts_camera: Any, recordings: Any
) -> None:
    orphan = recordings.folder / "recordings/north/.open/17-000000.ts"
    orphan.parent.mkdir(parents=True)
    orphan.write_bytes(b"G" + bytes(187))
    running = recorder_process(camera_entry(ts_camera()))
    eventually(lambda: not orphan.exists(), within_s=10)

    reason = "file discarded: nothing tells when it was recorded"
    eventually(lambda: reason in running.log.read_text(), within_s=5)


def test_the_death_of_the_broker_changes_nothing_and_its_return_is_greeted(
    recorder_process: Any,
    ts_camera: Any,
    recordings: Any,
    mosquitto: Any,
    coded_pictures: Callable[[Path], list[Any]],
    stream_file: Path,
) -> None:
    running = recorder_process(camera_entry(ts_camera()), mqtt_port=str(mosquitto.port))
    eventually(recordings.segments, within_s=20)
    mosquitto.stop()
    count = len(recordings.segments())
    eventually(lambda: len(recordings.segments()) >= count + 2, within_s=15)
    mosquitto.start()
    eventually(lambda: running.log.read_text().count("connected to the broker") == 2, within_s=20)

    assert running.terminate() == 0
    kept = coded_pictures(recordings.joined())
    assert kept == coded_pictures(stream_file)[: len(kept)]
    assert recordings.causes() == ["recorder_stopped"]


def test_a_second_recorder_leaves_the_first_ones_files_alone(
    recorder_process: Any, ts_camera: Any, recordings: Any
) -> None:
    camera = ts_camera()
    first = recorder_process(camera_entry(camera))
    eventually(recordings.segments, within_s=20)
    second = recorder_process(camera_entry(camera))
    eventually(lambda: "another recorder" in second.log.read_text(), within_s=15)
    count = len(recordings.segments())
    eventually(lambda: len(recordings.segments()) > count, within_s=15)

    assert second.terminate() == 0
    assert first.terminate() == 0
    assert recordings.causes() == ["recorder_stopped"]


def test_an_ffmpeg_that_dies_costs_no_more_than_a_moment(
    recorder_process: Any,
    ts_camera: Any,
    recordings: Any,
    processes_in: Callable[[Path], list[int]],
    coded_pictures: Callable[[Path], list[Any]],
) -> None:
    camera = ts_camera()
    recorder_process(camera_entry(camera, segment_s=60))
    eventually(lambda: camera.sent and len(camera.sent[0]) > 75, within_s=20)
    for pid in processes_in(recordings.folder):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    sent = len(camera.sent[0])
    (segment,) = eventually(recordings.segments, within_s=10)
    eventually(lambda: len(camera.sent) > 1, within_s=10, what="it connects again")

    assert len(coded_pictures(segment.path)) >= sent - 15


def test_a_bad_configuration_ends_with_code_2_and_names_the_key(
    recorder_process: Any, recordings: Any
) -> None:
    running = recorder_process({"north": {"url": "rtsp://camera/main", "segmet_s": 5}})
    assert psutil.Process(running.pid).wait(10) == 2

    assert "cameras.north.segmet_s: unknown key" in running.log.read_text()


def test_stopped_is_said_on_the_bus(recorder_process: Any, ts_camera: Any, mosquitto: Any) -> None:
    from paho.mqtt import subscribe

    running = recorder_process(
        camera_entry(ts_camera()), mqtt_port=str(mosquitto.port), instance="here"
    )
    eventually(lambda: "connected to the broker" in running.log.read_text(), within_s=15)
    assert running.terminate() == 0

    message = subscribe.simple("v2x/status/recorder/here", port=mosquitto.port)
    assert ServiceStatus.decode(message.payload).state == "stopped"
