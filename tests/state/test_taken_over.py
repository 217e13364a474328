"""State as earlier versions left it is taken over whole; what a newer one left is refused by name,
or, by a vehicle, put aside.

`examples/` holds what the services of that version wrote, file by file: never change what is there.
"""

from __future__ import annotations

import errno
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from alerter.lifecycle.store import Store
from clipper.finished import FinishedClips
from clipper.library import Library
from clipper.store import JobStore
from recorder import adoption
from recorder.adoption import TimeNote
from recorder.versions import refuse_newer
from vehicle_agent.known_alerts import KnownAlerts
from vehicle_agent.memory import Memory

from hazardcast.config.settings import environment_with
from hazardcast.contract.errors import ConfigError
from hazardcast.contract.vocabulary import RunCause
from hazardcast.machine import durable
from hazardcast.media.segments import Run, append_run, read_runs, replace_runs
from hazardcast.signing import trust
from hazardcast.testing import ManualClock

T = 1_800_000_000.0
EXAMPLES = Path(__file__).with_name("examples")
CONFIG = "cameras:\n  north: {url: 'rtsp://127.0.0.1:9/main'}\n"
STALLED = Run(T, T + 30, RunCause.STALLED, "h264", 2.0)


@pytest.fixture(params=sorted(path.name for path in EXAMPLES.iterdir()))
def state(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of what that version left, to work on."""
    return Path(shutil.copytree(EXAMPLES / request.param, tmp_path / "state"))


def rewrite(path: Path, version: object) -> None:
    """Make a JSON object say that it is of another version."""
    path.write_text(json.dumps({**json.loads(path.read_text()), "version": version}))


def test_an_alerter_goes_on_with_its_numbers_and_alerts(state: Path) -> None:
    store = Store(state / "alerter", ManualClock())

    assert (store.next_number, store.next_epoch(T)) == (33, T + 1)
    events = {event.alert.event_id: event for event in store.load()}
    assert sorted(events) == ["4097-1", "4097-2"]
    assert set(events["4097-1"].open_reports) == {"cam-1"}
    assert (events["4097-1"].evidence_at, events["4097-2"].clip_camera) == (T, "north")
    store.close()


def test_an_alerters_state_says_its_version_once_it_is_taken_over(state: Path) -> None:
    store = Store(state / "alerter", ManualClock())
    store.next_epoch(T)
    store.load()
    store.close()

    (journal,) = (state / "alerter").glob("events-*.jsonl")
    assert json.loads((state / "alerter" / "station.json").read_text())["version"] == 1
    assert json.loads(journal.read_text().splitlines()[0]) == {"version": 1}


def test_an_alerter_refuses_the_numbers_of_a_newer_one(state: Path) -> None:
    rewrite(state / "alerter" / "station.json", 2)

    with pytest.raises(ConfigError, match=r"station\.json: written by a newer Hazardcast"):
        Store(state / "alerter", ManualClock())


def test_an_alerter_refuses_the_journal_of_a_newer_one_and_leaves_it_as_it_is(state: Path) -> None:
    journal = state / "alerter" / "events-1.jsonl"
    journal.write_text('{"version": 2}\n{"what": "nobody knows"}\n')
    store = Store(state / "alerter", ManualClock())

    with pytest.raises(ConfigError, match=r"events-1\.jsonl: written by a newer Hazardcast"):
        store.load()
    store.close()
    assert '"nobody knows"' in journal.read_text()


def test_a_vehicle_knows_what_it_heard_and_showed(state: Path) -> None:
    memory, known = Memory(state / "vehicle-car-1"), KnownAlerts()
    known.recall(memory.alerts(), now=T + 2, monotonic=10.0)

    assert memory.marks == {4097: (7, 55)}
    assert {one.event_id: (one.shown, one.epoch) for one in known} == {
        "4097-1": (True, 7), "4097-2": (False, 7),
    }  # fmt: skip


def test_a_vehicles_state_says_its_version_once_it_is_written(state: Path) -> None:
    folder = state / "vehicle-car-1"
    memory = Memory(folder)
    kept = memory.alerts()
    memory.note({4097: (7, 56)})
    assert memory.flush()
    assert memory.save_alerts(kept)

    assert {path.name: json.loads(path.read_text()) for path in folder.iterdir()} == {
        "epochs.json": {"version": 1, "4097": {"epoch": 7, "seq": 56}},
        "alerts.json": {"version": 1, "alerts": kept},
    }
    assert (Memory(folder).marks, Memory(folder).alerts()) == ({4097: (7, 56)}, kept)


def test_a_vehicle_put_back_to_this_version_refuses_what_the_newer_one_had_heard(
    state: Path,
) -> None:
    epochs = state / "vehicle-car-1" / "epochs.json"
    rewrite(epochs, 2)
    left = epochs.read_text()
    memory = Memory(epochs.parent)
    assert memory.marks == {4097: (7, 55)}
    assert epochs.with_name("epochs.json.version-2").read_text() == left
    assert epochs.read_text() == left, "a crash here finds the same again"

    memory.note({4097: (7, 60)})
    assert memory.flush()
    assert Memory(epochs.parent).marks == {4097: (7, 60)}


def test_a_vehicle_is_not_deafened_by_marks_that_mean_something_else(state: Path) -> None:
    epochs = state / "vehicle-car-1" / "epochs.json"
    in_ms = {"epoch": 1_800_000_000_000, "seq": 3}
    other = {"1": in_ms, "2": {"epoch": 1_800_000_000, "seq": 1_800_000_000_000_000}, "3": [7, 2]}
    epochs.write_text(json.dumps({"version": 2, **other, "4": {"epoch": 9, "seq": 1, "more": 0}}))

    assert Memory(epochs.parent).marks == {4: (9, 1)}


def test_a_vehicle_shows_once_more_what_a_newer_one_had_shown(
    state: Path, caplog: pytest.LogCaptureFixture
) -> None:
    alerts = state / "vehicle-car-1" / "alerts.json"
    alerts.write_text('{"version": 3, "alerts": "in a way of its own"}')

    assert Memory(alerts.parent).alerts() == []
    assert "written by a newer Hazardcast, as version 3" in caplog.records[-1].__dict__["reason"]
    assert alerts.with_name("alerts.json.version-3").exists()


def test_a_newer_ones_file_is_never_written_over_before_it_is_put_aside(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alerts = state / "vehicle-car-1" / "alerts.json"
    alerts.write_text('{"version": 2}')
    with monkeypatch.context() as full:
        full.setattr(durable, "put", refuse)
        memory = Memory(alerts.parent)
        assert memory.alerts() == []
        assert not memory.save_alerts([])
    assert alerts.read_text() == '{"version": 2}'

    assert memory.save_alerts([])
    assert alerts.with_name("alerts.json.version-2").read_text() == '{"version": 2}'


def refuse(draft: Path, path: Path) -> None:
    raise OSError(errno.ENOSPC, "no space")


def test_a_recorder_goes_on_with_its_run_log_and_the_times_of_open_files(state: Path) -> None:
    recordings = state / "recordings"
    refuse_newer(recordings, "north")

    assert read_runs(recordings, "north") == [STALLED, Run(T + 45, None, None, "h264", 2.0)]
    note = (recordings / "north" / ".open" / "a.json").read_text()
    assert adoption.read_note(note) == TimeNote(T - 1.5, "h264", 0.002)


def test_a_recorders_files_say_their_version_once_they_are_written(state: Path) -> None:
    recordings = state / "recordings"
    log = recordings / "north" / "runs.jsonl"
    append_run(recordings, "north", STALLED)
    assert json.loads(log.read_text().splitlines()[-1])["version"] == 1
    runs = read_runs(recordings, "north")

    replace_runs(recordings, "north", runs)
    assert read_runs(recordings, "north") == runs
    assert {json.loads(line)["version"] for line in log.read_text().splitlines()} == {1}
    assert json.loads(TimeNote(T).encode())["version"] == 1


def test_a_recorder_refuses_what_a_newer_one_wrote(state: Path) -> None:
    folder = state / "recordings" / "north"
    rewrite(folder / ".open" / "a.json", 2)
    with pytest.raises(ConfigError, match=r"a\.json: written by a newer Hazardcast"):
        refuse_newer(state / "recordings", "north")

    with (folder / "runs.jsonl").open("a") as log:
        log.write('{"version": 2, "began": "yesterday"}\n')
    with pytest.raises(ConfigError, match=r"runs\.jsonl: written by a newer Hazardcast"):
        refuse_newer(state / "recordings", "north")


NEWER = {
    "alerter": "state/alerter/station.json",
    "recorder": "recordings/north/.open/a.json",
}
"""Service → a file of its state, below the data directory."""


@pytest.mark.network
@pytest.mark.parametrize("service", NEWER)
def test_a_service_that_finds_state_of_a_newer_one_ends_with_words(
    service: str, tmp_path: Path
) -> None:
    (tmp_path / "cameras.yaml").write_text(CONFIG)
    trust.ensure_keys(tmp_path / "data" / "keys", station=4097)
    path = tmp_path / "data" / NEWER[service]
    path.parent.mkdir(parents=True)
    path.write_text('{"version": 2}')
    settings = {
        "config": str(tmp_path / "cameras.yaml"), "data_dir": str(tmp_path / "data"),
        "mqtt_port": "9", "metrics_port": "0", "http_port": "0", "vehicle": "car-1",
        "multicast_interface": "127.0.0.1",
    }  # fmt: skip

    ended = subprocess.run(
        [sys.executable, "-m", service.replace("-", "_")],
        env=environment_with(**settings), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert ended.returncode == 2, ended.stderr
    assert f"{path}: written by a newer Hazardcast, as version 2" in ended.stderr
    assert path.read_text() == '{"version": 2}'


def test_damage_is_no_newer_version(state: Path) -> None:
    folder = state / "recordings" / "north"
    with (folder / "runs.jsonl").open("ab") as log:
        log.write(b'{"started_at": 18, "en\xff\n[1]\n{"version": "x"}\n' + b"[" * 100_000)
    (folder / ".open" / "b.json").write_text("")

    refuse_newer(state / "recordings", "north")
    refuse_newer(state / "recordings", "south")


def test_a_clipper_goes_on_with_its_jobs_and_clips(state: Path) -> None:
    store = JobStore(state / "clips")
    (job,) = store.load()
    store.close()
    signer = trust.signer_of(trust.generate_jwk("EdDSA"))
    (clip,) = FinishedClips(Library(state / "clips", signer)).of_event("4097-2")

    assert (job.request.event_id, job.stem) == ("4097-1", "accident_1800000020_north")
    assert (clip.state, [gap.cause for gap in clip.gaps]) == ("failed", ["never_recorded"])


def test_a_clipper_leaves_a_job_of_a_newer_one_as_it_is_and_says_so(
    state: Path, caplog: pytest.LogCaptureFixture
) -> None:
    job = state / "clips" / ".jobs" / "4097-1" / "job.json"
    rewrite(job, 2)
    store = JobStore(state / "clips")

    assert store.load() == []
    store.close()
    assert "version 2; this one reads 1" in caplog.records[0].__dict__["reason"]
    assert json.loads(job.read_text())["version"] == 2
