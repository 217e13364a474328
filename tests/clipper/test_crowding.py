"""More clips asked for than may wait: what gives way is the least, and it is told so in words."""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable
from typing import Any

import pytest
from clipper import progress as progress_module
from clipper import service as service_module

from hazardcast.contract.topics import CLIPS
from hazardcast.machine import durable
from hazardcast.testing import SignedStation

MOST = 20


@pytest.fixture(autouse=True)
def few_may_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service_module, "MOST_JOBS", MOST)


@pytest.fixture
def clipper(bench: Any) -> Any:
    for camera in ("north", "south", *(f"camera-{n}" for n in range(MOST))):
        bench.record(bench.clock.now() - 60, 10, camera=camera)
    return bench.start()


def alert(severity: str, **changes: Any) -> dict[str, Any]:
    return SignedStation().alert(severity=severity, **changes).model_dump(exclude_none=True)


def failed(bench: Any) -> dict[str, str]:
    """What was told as failed last, and why."""
    newest = {state.event_id: state for state in bench.broker.messages(CLIPS)}
    return {name: state.detail for name, state in newest.items() if state.state == "failed"}


def test_a_real_accident_s_clip_is_taken_however_many_windows_wait(
    bench: Any, clipper: Any
) -> None:
    for number in range(MOST):
        bench.ask(f"w-{number}")
    bench.ask("fatal", hold=True)
    clipper.tick()

    assert bench.words("fatal")[-1] == "recording"
    assert list(failed(bench)) == ["w-0"], "the oldest of the least"
    assert "gave way to fatal of north" in failed(bench)["w-0"]
    assert len(bench.jobs()) == MOST
    assert bench.states("w-0")[-1].gaps[0].cause == "gave_way"


def test_the_camera_beyond_its_tenth_gives_way_first(bench: Any, clipper: Any) -> None:
    bench.ask("other", camera="south")
    for number in range(MOST + 5):
        bench.ask(f"flap-{number}", alert=alert("critical"))
    clipper.tick()

    assert "other" not in failed(bench), "though no alert stands behind it"
    assert sorted(failed(bench)) == sorted(f"flap-{number}" for number in range(6))


def test_of_one_camera_the_slight_gives_way_before_the_grave(bench: Any, clipper: Any) -> None:
    for number in range(MOST - 3):
        bench.ask(f"grave-{number}", alert=alert("high"))
    bench.ask("rehearsal", alert=alert("critical", test=True))
    bench.ask("slight", alert=alert("low"))
    bench.ask("by-hand")
    for number, gone in enumerate((["rehearsal"], ["rehearsal", "by-hand"], ["rehearsal", "by-hand", "slight"])):  # fmt: skip
        bench.ask(f"new-{number}", alert=alert("critical"))
        clipper.tick()
        assert sorted(failed(bench)) == sorted(gone)


def test_a_slight_newcomer_among_the_grave_is_the_one_refused_and_told_why(
    bench: Any, clipper: Any
) -> None:
    for number in range(MOST):
        bench.ask(f"grave-{number}", camera=f"camera-{number}", alert=alert("critical"))
    bench.ask("slight", camera="south")
    clipper.tick()

    assert "each of the others matters more" in failed(bench)["slight"]
    assert len(bench.jobs()) == MOST


def test_what_gave_way_is_taken_again_when_there_is_room(bench: Any, clipper: Any) -> None:
    ts = bench.clock.now()
    for number in range(MOST + 1):
        bench.ask(f"w-{number}", ts=ts, pre_s=5, post_s=5)
    for _ in range(80):
        bench.clock.advance(0.5)
        clipper.tick()
    assert bench.jobs() == []
    bench.ask("w-0", ts=ts, pre_s=5, post_s=5)
    clipper.tick()

    assert bench.words("w-0")[-1] != "failed"


def test_jobs_that_gave_way_do_not_come_back_after_a_restart(bench: Any, clipper: Any) -> None:
    for number in range(MOST + 1):
        bench.ask(f"w-{number}")
    clipper.tick()
    bench.start()

    assert "w-0" not in bench.jobs()


def test_a_flood_leaves_room_for_every_camera_s_own(bench: Any, clipper: Any) -> None:
    bench.ask("first", camera="south", alert=alert("high"))
    for number in range(5 * MOST):
        bench.ask(f"flap-{number}", alert=alert("critical"))
    bench.ask("last", camera="camera-1")
    clipper.tick()

    assert not {"first", "last"} & set(failed(bench))
    assert len(bench.jobs()) == MOST


def test_refusals_do_not_fill_the_broker_and_never_clear_a_clip_s_state(
    bench: Any, clipper: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress_module, "MOST_REFUSED", 5)
    bench.ask("both", camera="nowhere")
    bench.ask("both")
    for number in range(20):
        bench.ask(f"r-{number}", camera="nowhere")

    retained = {path.rpartition("/")[2] for path in bench.broker.retained}
    assert retained == {"both", *(f"r-{number}" for number in range(15, 20))}


class FullDisk:
    """Refuses jobs until it is freed; then the first save lasts until others have had their turn."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], None]) -> None:
        self.full = True
        self._meanwhile = meanwhile
        self.saved = 0
        self.others: threading.Thread | None = None
        self._write = durable.write
        monkeypatch.setattr(durable, "write", self.save)

    def save(self, *arguments: Any) -> None:
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device")
        if self.others is None:
            self.others = threading.Thread(target=self._meanwhile)
            self.others.start()
            self.others.join(0.5)  # in vain where they have to wait for us
        self.saved += 1
        self._write(*arguments)


def test_a_request_that_comes_again_while_it_is_saved_is_taken_once(
    bench: Any, clipper: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ts = bench.clock.now()
    disk = FullDisk(monkeypatch, lambda: bench.ask("twice", ts=ts))
    bench.ask("twice", ts=ts)
    disk.full = False
    clipper.tick()
    assert disk.others
    disk.others.join()

    assert disk.saved == 1


def test_an_unsaved_request_that_gives_way_while_another_is_saved_ends_no_round(
    bench: Any, clipper: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def grave_ones() -> None:
        for number in range(2):
            bench.ask(f"grave-{number}", alert=alert("critical"))

    disk = FullDisk(monkeypatch, grave_ones)
    for number in range(MOST):
        bench.ask(f"w-{number}")
    disk.full = False
    clipper.tick()
    assert disk.others
    disk.others.join()
    clipper.tick()

    assert {bench.words(f"grave-{number}")[-1] for number in range(2)} == {"recording"}
    assert len(bench.jobs()) == MOST


def test_what_the_disk_refused_leaves_nothing_on_it(
    bench: Any, clipper: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    FullDisk(monkeypatch, lambda: None)
    bench.ask("w-0")

    assert bench.jobs() == []
