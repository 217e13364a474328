from __future__ import annotations

import csv
import json
import os
import threading
from io import RawIOBase
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vehicle_agent.alert_log import COLUMNS, AlertLog
from vehicle_agent.announcement import Announcement, Word
from vehicle_agent.memory import Memory, _marks
from vehicle_agent.trust_file import TrustFile

from hazardcast.contract.errors import KeyFileError
from hazardcast.signing.trust import write_truststore
from hazardcast.testing import ManualClock, SignedStation

STATION = SignedStation(clock=ManualClock())


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def expired(number: int, **changes: object) -> Announcement:
    return Announcement(Word.EXPIRED, STATION.alert(number, **changes))


def test_every_file_of_the_log_begins_with_the_header(tmp_path: Path) -> None:
    log = AlertLog(tmp_path / "new", max_bytes=600, kept=2)
    for number in range(40):
        log.append(expired(number), 1.5)

    files = sorted(path.name for path in (tmp_path / "new").iterdir())
    assert files == ["alerts.1.csv", "alerts.2.csv", "alerts.csv"]
    for name in files:
        assert (tmp_path / "new" / name).read_text().startswith(",".join(COLUMNS) + "\n")
        assert (tmp_path / "new" / name).stat().st_size < 600 + 200
    assert rows(tmp_path / "new" / "alerts.csv")[-1]["event_id"] == "4097-39"


def test_a_log_is_continued_after_a_restart(tmp_path: Path) -> None:
    AlertLog(tmp_path).append(expired(1), 1.5)
    AlertLog(tmp_path).append(expired(2), 2.5)

    assert [row["t5_displayed"] for row in rows(tmp_path / "alerts.csv")] == [
        "1.500000",
        "2.500000",
    ]


@pytest.mark.parametrize(
    "road", ["=1+1", "+x", "-x", "@x", "\uff1dcmd|x", "\uff0b1", " =1", 'a"b,c;d']
)
def test_no_text_becomes_a_formula_or_breaks_a_row(tmp_path: Path, road: str) -> None:
    AlertLog(tmp_path).append(expired(1, road=road), 1.5)

    (row,) = rows(tmp_path / "alerts.csv")
    assert row["road"].removeprefix("'") == road
    assert row["road"].strip()[0] not in "=+-@\uff1d\uff0b"


def test_files_that_cannot_be_rotated_cost_no_row(tmp_path: Path) -> None:
    log = AlertLog(tmp_path, max_bytes=300, kept=2)
    (tmp_path / "alerts.1.csv").mkdir()
    (tmp_path / "alerts.1.csv" / "in the way").touch()
    (tmp_path / "alerts.2.csv").touch()
    for number in range(10):
        log.append(expired(number), 1.5)

    assert [row["event_id"] for row in rows(tmp_path / "alerts.csv")] == [
        f"4097-{number}" for number in range(10)
    ]


def test_a_row_that_the_disk_does_not_take_leaves_no_half_of_it_and_is_added_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = AlertLog(tmp_path)
    log.append(expired(1), 1.5)

    def half(file: RawIOBase, data: bytes) -> None:
        file.write(data[: len(data) // 2])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr("vehicle_agent.alert_log._write_all", half)
        with pytest.raises(OSError, match="No space"):
            log.append(expired(2), 1.5)
        assert len(rows(tmp_path / "alerts.csv")) == 1
    assert log.owes
    log.append(expired(3), None)

    assert not log.owes
    assert [(row["event_id"], row["t5_displayed"]) for row in rows(tmp_path / "alerts.csv")] == [
        ("4097-1", "1.500000"),
        ("4097-2", "1.500000"),
        ("4097-3", ""),
    ]


def test_a_state_folder_that_comes_back_is_written_with_what_was_noted(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    memory = Memory(tmp_path / "state")
    memory.note({4097: (10, 55)})
    assert not memory.flush()
    assert not memory.save_alerts([])
    (tmp_path / "state").unlink()

    assert memory.flush()
    assert Memory(tmp_path / "state").marks == {4097: (10, 55)}


def test_a_full_disk_is_not_filled_with_leftovers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    assert not Memory(tmp_path).save_alerts([])

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("epoch", ["-1", "9223372036854775808", "1e3"])
def test_an_epoch_that_no_datagram_can_bear_deafens_no_vehicle(tmp_path: Path, epoch: str) -> None:
    (tmp_path / "epochs.json").write_text(f'{{"4097": {{"epoch": {epoch}, "seq": 1}}}}')

    assert Memory(tmp_path).marks == {}


def test_marks_and_epochs_come_back(tmp_path: Path) -> None:
    memory = Memory(tmp_path)
    memory.save({4097: 10})
    memory.note({4097: (10, 55)})
    memory.save({4097: 10, 4098: 3})
    memory.flush()

    assert Memory(tmp_path).marks == {4097: (10, 55), 4098: (3, 0)}
    assert Memory(tmp_path).load() == {4097: 10, 4098: 3}


def test_a_new_epoch_starts_its_mark_anew(tmp_path: Path) -> None:
    memory = Memory(tmp_path)
    memory.note({4097: (10, 55)})
    memory.save({4097: 11})

    assert memory.marks == {4097: (11, 0)}


def test_a_station_not_heard_this_time_keeps_its_mark(tmp_path: Path) -> None:
    for marks in ({4097: (10, 55)}, {4098: (3, 1)}):
        memory = Memory(tmp_path)
        memory.note(marks)
        memory.flush()

    assert Memory(tmp_path).marks == {4097: (10, 55), 4098: (3, 1)}


def test_nothing_is_written_while_nothing_changes(tmp_path: Path) -> None:
    memory = Memory(tmp_path)
    memory.note({4097: (10, 55)})
    memory.flush()
    (tmp_path / "epochs.json").unlink()

    memory.note({4097: (10, 55)})
    memory.flush()

    assert not (tmp_path / "epochs.json").exists()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"4097": 5}',
        '{"x": {"epoch": 1, "seq": 1}}',
        '{"1": {"epoch": "1", "seq": 1}}',
    ],
)
def test_a_spoilt_file_is_as_good_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "epochs.json").write_text(text)
    (tmp_path / "alerts.json").write_text(text)

    assert Memory(tmp_path).marks == {}
    assert Memory(tmp_path).alerts() == []


@given(st.recursive(st.none() | st.integers() | st.text(max_size=4), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["1", "epoch", "seq"]), inner, max_size=3), max_leaves=8))  # fmt: skip
def test_no_json_whatever_breaks_the_marks(data: object) -> None:
    assert isinstance(_marks(data), dict)


def test_without_a_disk_the_memory_works_on(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    memory = Memory(tmp_path / "file" / "below")

    memory.save({4097: 10})
    memory.flush()
    memory.save_alerts([{}])

    assert memory.load() == {4097: 10}


def put(path: Path, version: int, state: str = "active") -> None:
    write_truststore(path, version=version, entries=[STATION.trust_entry(state)])  # type: ignore[arg-type]


def test_a_trust_store_that_comes_late_is_waited_for(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "truststore.json"

    class Waiting(ManualClock):
        def wait(self, stop: threading.Event, timeout_s: float) -> bool:
            put(path, 1)
            return super().wait(stop, timeout_s)

    store = TrustFile(path).wait(threading.Event(), Waiting())

    assert store is not None
    assert store.find(STATION.kid)


def test_waiting_for_a_trust_store_ends_with_the_service(
    tmp_path: Path, clock: ManualClock
) -> None:
    stop = threading.Event()
    stop.set()

    assert TrustFile(tmp_path / "none").wait(stop, clock) is None


def test_a_spoilt_trust_store_stops_the_start(tmp_path: Path, clock: ManualClock) -> None:
    (tmp_path / "t.json").write_text("{}")

    with pytest.raises(KeyFileError):
        TrustFile(tmp_path / "t.json").wait(threading.Event(), clock)


def test_a_newer_trust_store_is_taken_up_and_an_older_one_refused(
    tmp_path: Path, clock: ManualClock
) -> None:
    path = tmp_path / "t.json"
    put(path, 5)
    file = TrustFile(path)
    file.wait(threading.Event(), clock)
    assert file.changed() is None

    put(path, 6, "revoked")
    store = file.changed()
    assert store is not None
    assert store.find(STATION.kid) is None
    assert file.changed() is None

    put(path, 5)
    assert file.changed() is None, "a rollback would trust the revoked key again"


def test_a_trust_store_spoilt_while_running_leaves_the_one_in_use(
    tmp_path: Path, clock: ManualClock
) -> None:
    path = tmp_path / "t.json"
    put(path, 5)
    file = TrustFile(path)
    file.wait(threading.Event(), clock)

    path.write_text(json.dumps({"version": 7}))
    assert file.changed() is None
    for text in ("", "7", "[]", '{"version": 1e999, "keys": []}', "[" * 100_000, '{"keys": [1]}'):
        path.write_text(text)
        assert file.changed() is None
    path.unlink()
    os.mkfifo(path)
    assert file.changed() is None
    path.unlink()
    path.mkdir()
    assert file.changed() is None
    path.rmdir()
    assert file.changed() is None
    put(path, 8)
    assert file.changed() is not None
