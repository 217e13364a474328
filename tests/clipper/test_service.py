"""A request's way to a clip, and what is said on it."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest
from clipper import store as store_module
from clipper.ffmpeg import FfmpegError, StoppedError
from clipper.task import MOST_FAILURES
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hazardcast.contract.errors import ConfigError
from hazardcast.contract.messages import MAX_MESSAGE_BYTES
from hazardcast.contract.topics import CLIP_REQUESTS, CLIPS
from hazardcast.machine import durable


def pass_time(bench: Any, clipper: Any, seconds: float, *, records: bool = True) -> None:
    """Half-second rounds while the recorder closes a segment every ten seconds."""
    for _ in range(round(seconds * 2)):
        bench.clock.advance(0.5)
        if records and bench.clock.now() % 10 == 0:
            bench.record(bench.clock.now() - 10, 10)
        clipper.tick()


def test_a_clip_is_built_as_soon_as_its_last_segment_is_there(bench: Any) -> None:
    now = bench.clock.now()
    bench.record(now - 60, 60)
    clipper = bench.start()
    bench.ask(pre_s=30, post_s=21)
    pass_time(bench, clipper, 29.5)

    assert bench.words()[0] == "pending"
    assert bench.words()[-1] == "recording"
    pass_time(bench, clipper, 1.0)

    last = bench.states()[-1]
    assert last.state == "ready"
    assert last.coverage == 1.0
    assert Path(last.path).is_file()
    assert bench.files() == [
        f"accident_{int(now)}_north{end}" for end in (".jpg", ".json", ".jws", ".mp4")
    ]
    assert bench.jobs() == []


def test_progress_grows_and_is_not_said_more_than_once_a_second(bench: Any) -> None:
    bench.record(bench.clock.now() - 60, 60)
    clipper = bench.start()
    bench.ask(pre_s=30, post_s=40)
    pass_time(bench, clipper, 60)

    growing = [state.coverage for state in bench.states() if state.state == "recording"]
    assert len(growing) >= 4
    assert growing == sorted(set(growing))
    assert bench.words()[-2:] == ["building", "ready"]


def test_segments_survive_the_retention_of_recordings(bench: Any) -> None:
    paths = bench.record(bench.clock.now() - 60, 60)
    clipper = bench.start()
    bench.ask(pre_s=50, post_s=20)
    clipper.tick()
    kept = sorted((bench.jobs_dir / "4097-1" / "segments").iterdir())
    assert [path.stat().st_nlink for path in kept] == [2] * 6
    for path in paths:
        path.unlink()
    pass_time(bench, clipper, 31)

    assert bench.states()[-1].state == "ready"


def test_where_no_link_can_be_made_segments_are_copied(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_link(*_: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr("clipper.store.os.link", no_link)
    paths = bench.record(bench.clock.now() - 60, 60)
    clipper = bench.start()
    bench.ask(pre_s=50, post_s=20)
    clipper.tick()
    kept = sorted((bench.jobs_dir / "4097-1" / "segments").iterdir())

    assert [path.read_bytes() for path in kept] == [path.read_bytes() for path in paths]
    assert [path.stat().st_nlink for path in kept] == [1] * 6


def test_past_the_deadline_a_clip_is_partial_and_says_what_is_missing_and_why(bench: Any) -> None:
    now = bench.clock.now()
    bench.record(now - 60, 70)
    bench.run_began(now - 60, now + 9.96, "camera_down")
    clipper = bench.start()
    bench.ask(pre_s=30, post_s=30)
    pass_time(bench, clipper, 54, records=False)
    assert bench.words()[-1] == "recording"
    pass_time(bench, clipper, 3, records=False)

    last = bench.states()[-1]
    assert last.state == "partial"
    assert [gap.cause for gap in last.gaps] == ["camera_down"]
    assert "20.0 s missing" in last.detail
    assert "camera_down" in last.detail
    assert last.coverage == pytest.approx(40 / 60, abs=0.01)


def partial_for_want_of_an_orphan(bench: Any) -> tuple[Any, float]:
    """A clip that a killed recorder's open file was too late for; the clipper, and when it began."""
    now = bench.clock.now()
    bench.record(now - 60, 70)
    bench.run_began(now - 60)
    clipper = bench.start()
    bench.ask(pre_s=30, post_s=30)
    pass_time(bench, clipper, 60, records=False)
    assert bench.words()[-1] == "partial"
    return clipper, now


def test_video_that_turns_up_after_the_deadline_makes_a_partial_clip_whole(bench: Any) -> None:
    clipper, now = partial_for_want_of_an_orphan(bench)
    partial = bench.files()
    bench.record(now + 10, 30)
    pass_time(bench, clipper, 15, records=False)

    assert bench.words()[-1] == "ready"
    assert bench.states()[-1].gaps == ()
    assert bench.files() == partial
    assert bench.jobs() == []
    count = len(bench.words())
    pass_time(bench, clipper, 60, records=False)
    assert len(bench.words()) == count


def test_a_partial_clip_is_made_anew_after_a_kill_in_between(bench: Any) -> None:
    _, now = partial_for_want_of_an_orphan(bench)
    bench.record(now + 10, 30)
    clipper = bench.start()
    bench.clock.advance(11)
    bench.builder.failures.append(StoppedError())
    clipper.tick()
    assert bench.jobs() == ["4097-1"]
    clipper = bench.start()
    pass_time(bench, clipper, 15, records=False)

    assert bench.words()[-1] == "ready"
    assert bench.jobs() == []


def test_a_partial_clip_stays_as_it_is_when_its_own_sources_are_gone(bench: Any) -> None:
    clipper, now = partial_for_want_of_an_orphan(bench)
    before = {name: (bench.clips_dir / name).read_bytes() for name in bench.files()}
    for path in sorted(bench.recordings_dir.glob("north/*/*.ts"))[:4]:
        path.unlink()
    bench.record(now + 10, 30)
    pass_time(bench, clipper, 30, records=False)

    assert {name: (bench.clips_dir / name).read_bytes() for name in bench.files()} == before


def test_a_clock_that_is_set_forward_for_a_while_ends_no_clip_early(bench: Any) -> None:
    bench.record(bench.clock.now() - 40, 40)
    clipper = bench.start()
    bench.ask(pre_s=30, post_s=30)
    pass_time(bench, clipper, 5)
    right = bench.clock.now
    bench.clock.now = lambda: right() + 3600
    clipper.tick()
    bench.clock.now = right
    pass_time(bench, clipper, 40)

    assert bench.states()[-1].state == "ready"
    assert "partial" not in bench.words()


def test_a_clock_that_is_set_back_holds_up_no_clip(bench: Any) -> None:
    """What was recorded before and after lies at its names; nothing waits for the clock."""
    bench.record(bench.clock.now() - 40, 40)
    clipper = bench.start()
    bench.ask(pre_s=30, post_s=30)
    pass_time(bench, clipper, 5)
    bench.clock.step(-7200)
    pass_time(bench, clipper, 25 + 2 * 10 + 6, records=False)

    last = bench.states()[-1]
    assert last.state == "partial"
    assert last.coverage == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("step_s", [-7200, 7200])
def test_a_restart_after_the_clock_was_set_waits_no_longer_than_from_the_request_on(
    bench: Any, step_s: float
) -> None:
    bench.record(bench.clock.now() - 40, 40)
    bench.start()
    bench.ask(pre_s=30, post_s=30)
    bench.clock.step(step_s)
    clipper = bench.start()
    pass_time(bench, clipper, 30 + 2 * 10 + 6, records=False)

    assert bench.states()[-1].state == "partial"


def test_a_gap_that_nothing_can_fill_any_more_is_not_waited_for(bench: Any) -> None:
    bench.record(bench.clock.now() - 20, 20)
    bench.run_began(bench.clock.now() - 20)
    clipper = bench.start()
    bench.ask(pre_s=50, post_s=5)
    pass_time(bench, clipper, 11)

    last = bench.states()[-1]
    assert last.state == "partial"
    assert [gap.cause for gap in last.gaps] == ["never_recorded"]


def test_what_was_never_recorded_fails_at_once_with_the_reason(bench: Any) -> None:
    bench.record(bench.clock.now() - 60, 60)
    bench.run_began(bench.clock.now() - 60)
    clipper = bench.start()
    bench.ask(ts=bench.clock.now() - 86_400)
    clipper.tick()
    clipper.tick()

    last = bench.states()[-1]
    assert (last.state, last.path) == ("failed", None)
    assert "never_recorded" in last.detail
    assert bench.jobs() == []


def test_an_unknown_camera_fails_and_is_named(bench: Any) -> None:
    bench.start()
    bench.ask(camera="nowhere")

    last = bench.states()[-1]
    assert last.state == "failed"
    assert "nowhere" in last.detail
    assert bench.jobs() == []


def test_a_camera_no_longer_configured_is_served_from_its_recordings(bench: Any) -> None:
    bench.record(bench.clock.now() - 60, 60, camera="south")
    clipper = bench.start()
    bench.ask(camera="south", ts=bench.clock.now() - 30, pre_s=10, post_s=10)
    clipper.tick()
    clipper.tick()

    assert bench.words()[-1] == "ready"


def test_a_window_in_the_future_is_waited_for(bench: Any) -> None:
    clipper = bench.start()
    bench.ask(ts=bench.clock.now() + 100, pre_s=10, post_s=10)
    pass_time(bench, clipper, 80)
    assert set(bench.words()) == {"pending"}
    pass_time(bench, clipper, 45)

    assert bench.words()[-1] == "ready"


def test_a_repeated_request_changes_nothing_but_is_answered(bench: Any) -> None:
    bench.record(bench.clock.now() - 60, 60)
    clipper = bench.start()
    ts = bench.clock.now()
    for _ in range(3):
        bench.ask(ts=ts, pre_s=30, post_s=10)
    assert bench.jobs() == ["4097-1"]
    pass_time(bench, clipper, 21)
    said = len(bench.states())
    bench.ask(ts=ts, pre_s=30, post_s=10)
    pass_time(bench, clipper, 2)

    assert bench.builder.built == 1
    assert bench.words()[said:] == ["ready"]
    assert len(bench.files()) == 4


def test_other_windows_and_cameras_of_one_event_get_clips_of_their_own(bench: Any) -> None:
    bench.record(bench.clock.now() - 60, 60)
    bench.record(bench.clock.now() - 60, 60, camera="south")
    clipper = bench.start()
    ts = bench.clock.now() - 30
    bench.ask(ts=ts, pre_s=20, post_s=10)
    bench.ask(ts=ts, pre_s=10, post_s=10)
    bench.ask(ts=ts, pre_s=20, post_s=10, camera="south")
    clipper.tick()
    clipper.tick()

    assert [name for name in bench.files() if name.endswith(".mp4")] == [
        f"accident_{int(ts)}_north.mp4",
        f"accident_{int(ts)}_north~2.mp4",
        f"accident_{int(ts)}_south.mp4",
    ]


def test_a_restart_resumes_where_it_was(bench: Any) -> None:
    bench.record(bench.clock.now() - 60, 60)
    bench.start()
    bench.ask(pre_s=30, post_s=20)
    clipper = bench.start()
    pass_time(bench, clipper, 31)

    assert bench.words()[-1] == "ready"
    assert bench.builder.built == 1


def test_a_request_repeated_while_it_is_worked_on_is_answered_too(bench: Any) -> None:
    bench.record(bench.clock.now() - 60, 60)
    clipper = bench.start()
    ts = bench.clock.now()
    bench.ask(ts=ts, pre_s=30, post_s=30)
    clipper.tick()
    bench.ask(ts=ts, pre_s=30, post_s=30)

    assert bench.words() == ["pending", "recording", "recording"]


def test_a_restart_repeats_finished_clips(bench: Any) -> None:
    bench.record(bench.clock.now() - 60, 60)
    clipper = bench.start()
    bench.ask(ts=bench.clock.now() - 30, pre_s=10, post_s=10)
    clipper.tick()
    clipper.tick()
    bench.kill()
    bench.broker.retained.clear()
    before = bench.states()[-1]
    bench.start()

    assert bench.states()[-1] == before
    assert CLIPS.path(event_id="4097-1") in bench.broker.retained


def test_jobs_go_on_while_the_broker_is_away_and_the_end_is_said_on_return(bench: Any) -> None:
    bench.record(bench.clock.now() - 60, 60)
    clipper = bench.start()
    bench.ask(pre_s=30, post_s=20)
    bench.bus.connected = False
    pass_time(bench, clipper, 31)
    assert bench.words()[-1] == "pending"
    assert len(bench.files()) == 4
    bench.bus.connected = True
    bench.bus.start()

    assert bench.words()[-1] == "ready"


def test_a_failed_build_is_tried_again_and_says_so(bench: Any) -> None:
    bench.record(bench.clock.now() - 60, 60)
    clipper = bench.start()
    bench.builder.failures = [FfmpegError("disk full"), StoppedError()]
    bench.ask(ts=bench.clock.now() - 30, pre_s=10, post_s=10)
    clipper.tick()
    clipper.tick()
    assert bench.states()[-1].detail == "cannot be built: disk full"
    pass_time(bench, clipper, 10)

    assert bench.words()[-1] == "ready"


def test_after_too_many_failures_the_segments_stay_until_someone_asks_again(bench: Any) -> None:
    bench.record(bench.clock.now() - 60, 60)
    clipper = bench.start()
    bench.builder.failures = [FfmpegError("broken")] * MOST_FAILURES
    ts = bench.clock.now() - 30
    bench.ask(ts=ts, pre_s=10, post_s=10)
    pass_time(bench, clipper, 900, records=False)
    last = bench.states()[-1]
    assert (last.state, last.detail) == ("failed", "cannot be built: broken")
    assert bench.jobs() == ["4097-1"]
    bench.ask(ts=ts, pre_s=10, post_s=10)
    pass_time(bench, clipper, 2)

    assert bench.words()[-1] == "ready"


def test_a_request_that_a_full_disk_refuses_is_kept_in_memory(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.record(bench.clock.now() - 60, 60)
    clipper = bench.start()
    with monkeypatch.context() as patch:

        def full(*_: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        patch.setattr(durable, "write", full)
        bench.ask(ts=bench.clock.now() - 30, pre_s=10, post_s=10)
        clipper.tick()
    for _ in range(3):
        clipper.tick()

    assert bench.words()[-1] == "ready"


def test_two_clippers_do_not_share_a_directory(bench: Any) -> None:
    bench.start()

    with pytest.raises(ConfigError, match="another clipper"):
        store_module.JobStore(bench.clips_dir)


def test_retention_removes_a_clip_and_what_is_retained_about_it(bench: Any) -> None:
    bench.longest_s = 3600
    bench.record(bench.clock.now() - 60, 60)
    clipper = bench.start()
    for event_id, offset_s in (("a", 30), ("b", 20)):
        bench.ask(event_id, ts=bench.clock.now() - offset_s, pre_s=5, post_s=5)
    clipper.tick()
    clipper.tick()
    for path in bench.clips_dir.glob("accident_*"):
        os.utime(path, (bench.clock.now(), bench.clock.now()))
    held = f"accident_{int(bench.clock.now() - 20)}_north"
    (bench.clips_dir / f"{held}.hold").touch()
    os.utime(bench.clips_dir / f"{held}.hold", (1.0, 1.0))
    bench.clock.advance(4000)
    clipper.tick()

    assert bench.files() == [f"{held}{end}" for end in (".hold", ".jpg", ".json", ".jws", ".mp4")]
    assert sorted(bench.broker.retained) == ["v2x/clips/b"]


def test_the_manifest_tells_the_request_the_alert_and_the_window(bench: Any) -> None:
    bench.record(bench.clock.now() - 60, 60)
    clipper = bench.start()
    ts = bench.clock.now() - 30
    example = Path(__file__).parents[1] / "hazardcast" / "examples" / "Alert.json"
    alert = json.loads(example.read_text())
    bench.ask(ts=ts, pre_s=10, post_s=10, alert=alert, reason="collision (high)")
    clipper.tick()
    clipper.tick()

    manifest = json.loads(next(bench.clips_dir.glob("*.json")).read_text())
    assert manifest["alert"]["event_id"] == alert["event_id"]
    assert manifest["request"]["reason"] == "collision (high)"
    assert manifest["requested"] == {"start": ts - 10, "end": ts + 10}
    assert manifest["software"].startswith("hazardcast ")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
fields = st.sampled_from(["event_id", "camera", "ts", "pre_s", "post_s", "reason", "alert"])
odd_requests = st.dictionaries(fields, json_values, max_size=7)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"x" * 1_000_000,
        b'{"event_id": "' + b"a" * (MAX_MESSAGE_BYTES - 40) + b'"}',
        b'{"event_id":"a","camera":"north","ts":NaN}',
        b'{"event_id":"a","camera":"north","ts":1e999}',
        b'{"event_id":"a","camera":"north","ts":1,"pre_s":-1}',
        b'{"event_id":"a","camera":"../north","ts":1}',
        b'{"event_id":"../../etc","camera":"north","ts":1}',
        b'{"event_id":"a","camera":"north","ts":' + b"9" * 400 + b"}",
        b"[" * 50_000,
        b"\xff\xfe",
    ],
)
def test_a_bad_request_makes_no_job_and_stops_nothing(bench: Any, payload: bytes) -> None:
    clipper = bench.start()
    bench.broker.send(CLIP_REQUESTS.path(), payload)
    clipper.tick()

    assert bench.jobs() == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(odd=odd_requests, noise=st.binary(max_size=60))
def test_whatever_is_sent_the_next_good_request_is_served(
    bench: Any, odd: dict[str, Any], noise: bytes
) -> None:
    clipper = bench.start()
    good = {"event_id": "x", "camera": "north", "ts": bench.clock.now()}
    for payload in (noise, json.dumps(odd).encode(), json.dumps({**good, **odd}).encode()):
        bench.broker.send(CLIP_REQUESTS.path(), payload)
    clipper.tick()
    bench.ask("good", ts=bench.clock.now() - 500, pre_s=1, post_s=1)
    clipper.tick()
    clipper.tick()

    assert bench.words("good")[-1] == "failed"


@pytest.mark.parametrize("event_id", ["..", ".", ".lock", ".new-x", "job.json", "a:b"])
def test_odd_event_ids_stay_inside_the_jobs_directory(bench: Any, event_id: str) -> None:
    bench.record(bench.clock.now() - 60, 60)
    clipper = bench.start()
    bench.ask(event_id, ts=bench.clock.now() - 30, pre_s=10, post_s=10)
    assert len(bench.jobs()) == 1
    clipper.tick()
    clipper.tick()

    assert bench.words(event_id)[-1] == "ready"
    assert sorted(path.name for path in bench.data_dir.iterdir()) == ["clips", "recordings"]
