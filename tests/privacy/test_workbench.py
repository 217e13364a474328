"""From the claim to the commit: what fails shows nothing, what is cut short is done again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from privacy import folders as shelf
from privacy import workbench
from privacy.covering import Covered
from privacy.ffmpeg_words import Packets
from privacy.folders import Name
from privacy.looking import LookError
from privacy.regions import make
from privacy.workbench import NoSpaceError, Workbench

from hazardcast.machine import durable
from tests.privacy import conftest
from tests.privacy.conftest import Queue, Record, sees_head


class PowerCut(BaseException):
    """The machine stops here."""


class QuickBench(Workbench):
    """Covers by copying: what a cover is has tests of its own."""

    def _covered(self, name: Name, source: Path, draft: Path) -> Covered:
        self._beat()
        self._tools.look_of(name.camera)(*[None] * 3)  # type: ignore[arg-type]
        draft.write_bytes(b"covered: " + source.read_bytes())
        return Covered(Packets(("video",), "h264", (0, 6000)), pts=[0, 6000], grids=[[], []])


@pytest.fixture
def quick(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> Queue:
    monkeypatch.setattr(conftest, "Workbench", QuickBench)
    return queue


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source.ts"
    path.write_bytes(b"pictures")
    return path


def claimed(queue: Queue) -> Name:
    name = queue.slot.claim()
    assert name is not None
    return name


def failing(*_: Any) -> Any:
    raise LookError("a look failed")


def journal(queue: Queue) -> list[str]:
    return [json.loads(line)["what"] for line in queue.folders.journal.read_text().splitlines()]


def test_a_file_that_holds_is_shown_with_what_is_known_of_it(queue: Queue, record: Record) -> None:
    file = queue.add(record())

    assert queue.bench().do(claimed(queue))

    about = json.loads((queue.folders.out / "north" / file.replace(".ts", ".json")).read_text())
    assert about["frames"] == 18
    assert about["cells"] == 4
    assert queue.files("") == [f"north/{file}"]
    assert not list(queue.folders.attempts.rglob("*.json"))
    assert journal(queue) == ["shown"]


def test_a_file_that_fails_three_times_is_put_aside_with_the_reasons(
    quick: Queue, source: Path
) -> None:
    file = quick.add(source)

    for _ in range(3):
        assert quick.files("out") == []
        assert not quick.bench(failing).do(claimed(quick))

    assert quick.files("") == quick.files("quarantine") == [f"north/{file}"]
    about = json.loads(
        (quick.folders.quarantine / "north" / file.replace(".ts", ".json")).read_text()
    )
    assert about["reasons"] == ["a look failed"] * 3
    assert quick.slot.claim() is None
    assert journal(quick) == ["failed", "failed", "quarantined"]


def test_a_file_that_kills_its_worker_is_put_aside_as_well(
    quick: Queue, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: Any) -> Any:
        raise PowerCut

    file = quick.add(source)
    name = claimed(quick)
    for _ in range(3):
        with pytest.raises(PowerCut):
            quick.bench(dies).do(name)

    assert not quick.bench().do(name)
    assert quick.files("") == quick.files("quarantine") == [f"north/{file}"]


def test_a_poison_file_keeps_no_other_waiting(queue: Queue, record: Record) -> None:
    poison = record().with_name("poison.ts")
    poison.write_bytes(b"no video")
    queue.add(poison, start_ms=1_700_000_000_000)
    queue.add(record(), "south")
    queue.add(record(), "north")

    done = []
    while (name := queue.slot.claim()) is not None:
        done.append(queue.bench().do(name))

    assert sorted(done) == [False, False, False, True, True]
    assert len(queue.files("out")) == 2
    assert len(queue.files("quarantine")) == 1


def test_asked_to_stop_in_the_middle_no_attempt_is_counted(quick: Queue, source: Path) -> None:
    def stop() -> None:
        raise workbench.UnjudgedError

    quick.add(source)
    name = claimed(quick)

    with pytest.raises(workbench.UnjudgedError):
        quick.bench(beat=stop).do(name)

    assert shelf.begun(quick.folders, name) == (0, [])
    assert quick.slot.held() == [name]
    assert not list(quick.slot.tmp.iterdir())


def test_a_full_disk_is_no_files_fault(
    quick: Queue, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = durable.put

    def full(draft: Path, path: Path) -> None:
        if path.suffix == ".ts":
            raise OSError(28, "No space left on device")
        put(draft, path)

    quick.add(source)
    name = claimed(quick)
    with monkeypatch.context() as patched:
        patched.setattr(durable, "put", full)
        with pytest.raises(NoSpaceError):
            quick.bench().do(name)

    assert quick.files("out") == []
    assert shelf.begun(quick.folders, name) == (0, [])
    assert quick.bench().do(name)


def test_an_empty_road_can_be_shown(quick: Queue, source: Path) -> None:
    quick.add(source)

    assert quick.bench(lambda *_: make([])).do(claimed(quick))


def test_an_encoder_that_dies_shows_nothing(
    queue: Queue, record: Record, tmp_path: Path, ffmpeg: str
) -> None:
    dying = tmp_path / "ffmpeg"
    dying.write_text(
        f'#!/bin/sh\ncase "$*" in *libx264*) head -c 400000 >/dev/null; kill -SEGV $$;; esac\n'
        f'exec {ffmpeg} "$@"\n'
    )
    dying.chmod(0o755)
    queue.program = str(dying)
    queue.add(record())

    for _ in range(3):
        assert not queue.bench().do(claimed(queue))

    assert queue.files("out") == []
    about = next((queue.folders.quarantine / "north").glob("*.json"))
    assert "encoder ended with" in about.read_text()


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("step", range(5))
def test_cut_short_at_any_step_nothing_is_lost_doubled_or_shown_unverified(
    step: int, after: bool, queue: Queue, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = queue.add(record())
    name = claimed(queue)
    steps = iter(range(100))

    def cutting(original: Any) -> Any:
        def cut(*arguments: Any, **more: Any) -> Any:
            at = next(steps)
            if at == step and not after:
                raise PowerCut
            done = original(*arguments, **more)
            if at == step:
                raise PowerCut
            return done

        return cut

    with monkeypatch.context() as patched:
        patched.setattr(durable, "write", cutting(durable.write))
        patched.setattr(durable, "put", cutting(durable.put))
        patched.setattr(shelf, "gone", cutting(shelf.gone))
        patched.setattr(shelf, "forget_attempts", cutting(shelf.forget_attempts))
        with pytest.raises(PowerCut):
            queue.bench().do(name)

    assert queue.files("out") in ([], [f"north/{file}"])
    if not queue.files("out"):
        assert queue.slot.held() == [name]
    else:
        assert queue.bench()._is_done(name, record())

    for again in queue.slot.held():
        assert queue.bench(sees_head).do(again)
    assert queue.files("") == [f"north/{file}"]
    assert queue.files("out") == [f"north/{file}"]


def test_what_was_covered_otherwise_is_covered_anew(quick: Queue, source: Path) -> None:
    file = quick.add(source)
    quick.bench().do(claimed(quick))
    about = quick.folders.out / "north" / file.replace(".ts", ".json")
    about.write_text(about.read_text().replace("as set", "as set before"))
    quick.add(source)

    assert quick.bench().do(claimed(quick))

    assert json.loads(about.read_text())["settings"] == "as set"
