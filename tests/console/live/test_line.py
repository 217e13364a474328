"""Whatever recorder, disk and looks do, players see one line of files that only grows at its end."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from itertools import pairwise

from console.live import closed, line, playlist
from console.live.line import Indexed, Line
from hypothesis import given, settings
from hypothesis import strategies as st
from recorder.playlist import Entry, Playlist, render

from hazardcast.media.parts import Head, Part

START = 1_800_000_000.0


@dataclass
class Recorder:
    """What a recorder leaves on the disk, step by step."""

    now: float = START
    number: int = 0
    run_begins: bool = True
    grows: list[Indexed] = field(default_factory=list)
    """Of this run; the last one grows."""
    told: Playlist = field(default_factory=Playlist)
    put_away: int = 0

    @property
    def files(self) -> dict[int, Indexed]:
        return {one.head.number: one for one in self.grows[-2:]}

    def part(self, key: bool = False) -> None:
        if not self.grows:
            self._open()
            return
        file = self.grows[-1]
        offset = file.parts[-1].end
        part = Part(offset, 1880, 0.5, self.now, key)
        self.grows[-1] = Indexed(file.head, (*file.parts, part))
        self.now += 0.5

    def following(self) -> None:
        if self.grows:
            self._open()

    def _open(self) -> None:
        first = Part(0, 1880, 0.5, self.now, True)
        self.grows.append(Indexed(Head(self.number, self.run_begins), (first,)))
        self.number, self.run_begins = self.number + 1, False
        self.now += 0.5

    def close(self) -> None:
        """The oldest finished file is named and told to players."""
        if self.put_away < len(self.grows) - 1:
            self._tell(self.grows[self.put_away])
            self.put_away += 1

    def _tell(self, file: Indexed) -> None:
        known = bool(self.told.sequence or self.told.entries)
        first = file.parts[0]
        name = f"20270115T08/{round(first.at * 1000)}-{round(file.parts[-1].at * 1000)}.ts"
        length_s = len(file.parts) * 0.5 + 0.01
        entry = Entry(name, first.at, length_s, begins_run=file.head.begins_run and known)
        self.told = self.told.with_entry(entry)

    def end(self) -> None:
        """The connection is over: all is put away, no index stays."""
        for file in self.grows[self.put_away :]:
            self._tell(file)
        self.grows, self.put_away, self.run_begins = [], 0, True
        self.now += 7.0

    def looked_at(self, before: Line) -> Line:
        return line.advanced(before, closed.read(render(self.told)), self.files.values())


STEPS = st.lists(
    st.sampled_from(["part", "part", "part", "key", "following", "close", "look", "look", "end"]),
    max_size=80,
)


def played(steps: list[str]) -> list[Line]:
    """The lines that somebody saw who looked at these moments."""
    recorder, lines = Recorder(), [Line()]
    for step in steps:
        if step == "look":
            lines.append(recorder.looked_at(lines[-1]))
        elif step == "key":
            recorder.part(key=True)
        else:
            getattr(recorder, step)()
    lines.append(recorder.looked_at(lines[-1]))
    return [one for one in lines if one.files]


@settings(max_examples=150, deadline=None)
@given(steps=STEPS)
def test_no_playlist_ends_with_a_closed_file(steps: list[str]) -> None:
    for one in played(steps):
        *closed_files, newest = one.files
        assert newest.duration_s is None
        assert newest.parts
        assert all(file.duration_s is not None for file in closed_files)
        assert playlist.low_latency(one).splitlines()[-1].startswith("#EXT-X-PART:")


@settings(max_examples=150, deadline=None)
@given(steps=STEPS)
def test_what_was_told_of_a_number_stays_true(steps: list[str]) -> None:
    lines = played(steps)
    for before, after in pairwise(lines):
        assert after.files[-1].number >= before.files[-1].number
        assert after.files[0].number >= before.files[0].number
        for file in before.files:
            later = after.file(file.number)
            if later is None:
                continue
            assert later.parts[: len(file.parts)] == file.parts
            assert (later.start, later.begins_run) == (file.start, file.begins_run)
            assert file.duration_s in {None, later.duration_s}


@settings(max_examples=150, deadline=None)
@given(steps=STEPS)
def test_numbers_are_consecutive_and_discontinuities_are_counted(steps: list[str]) -> None:
    counted: dict[int, int] = {}
    for one in played(steps):
        numbers = [file.number for file in one.files]
        assert numbers == list(range(numbers[0], numbers[-1] + 1))
        passed = one.discontinuities
        for file in one.files:
            passed += file.begins_run
            assert counted.setdefault(file.number, passed) == passed


@settings(max_examples=150, deadline=None)
@given(steps=STEPS)
def test_a_console_that_starts_anew_gives_the_same_numbers(steps: list[str]) -> None:
    recorder = Recorder()
    seen = Line()
    for step in steps:
        if step == "look":
            seen = recorder.looked_at(seen)
        elif step == "key":
            recorder.part(key=True)
        else:
            getattr(recorder, step)()
    seen = recorder.looked_at(seen)
    fresh = recorder.looked_at(Line())
    for file in fresh.files:
        same = seen.file(file.number)
        assert same is None or abs(same.start - file.start) < 0.002


def some_parts(count: int) -> tuple[Part, ...]:
    return tuple(Part(n * 188, 188, 0.5, START + n / 2, n == 0) for n in range(count))


def test_a_part_beyond_the_last_one_means_the_first_of_the_next_file() -> None:
    one = line.advanced(Line(), closed.Closed(), [Indexed(Head(4, True), some_parts(3)), Indexed(Head(5, False), some_parts(1))])  # fmt: skip

    assert one.has(4, 7)
    assert one.has(4, None)
    assert one.has(5, 0)
    assert not one.has(5, 1)
    assert not one.has(5, None)
    assert not one.has(6, 0)


def test_a_recorder_that_counts_anew_is_followed() -> None:
    old = line.advanced(Line(), closed.Closed(), [Indexed(Head(400, True), some_parts(3))])

    anew = line.advanced(old, closed.Closed(), [Indexed(Head(0, True), some_parts(1))])

    assert [file.number for file in anew.files] == [0]


def test_a_number_given_again_is_another_file() -> None:
    old = line.advanced(Line(), closed.Closed(), [Indexed(Head(4, False), some_parts(3))])
    other = tuple(Part(part.offset, part.size, 0.4, part.at + 99, part.key) for part in some_parts(1))  # fmt: skip

    again = line.advanced(old, closed.Closed(), [Indexed(Head(4, False), other)])

    assert again.files[0].parts == other
    assert again.files[0].begins_run


def test_a_longer_part_raises_the_target_as_long_as_it_is_told() -> None:
    long = (Part(0, 188, 2.0, START, True),)
    one = line.advanced(Line(), closed.Closed(), [Indexed(Head(0, True), long)])
    two = line.advanced(one, closed.Closed(), [Indexed(Head(1, False), some_parts(1))])
    three = line.advanced(replace(two, files=two.files[1:]), closed.Closed(), [Indexed(Head(2, False), some_parts(1))])  # fmt: skip

    assert (one.part_target_s, two.part_target_s, three.part_target_s) == (2.0, 2.0, 0.5)
    assert (two.target_s, three.target_s) == (2, 1)
    assert "PART-HOLD-BACK=6.000" in playlist.low_latency(two)


def test_what_the_recorder_writes_is_what_is_read() -> None:
    entries = tuple(
        Entry(f"20270115T08/{n}000-{n}999.ts", START + n, 1.5, begins_run=n == 2) for n in range(3)
    )

    told = closed.read(render(Playlist(7, 3, entries)))

    assert told.discontinuities == 3
    assert [(one.number, one.start, one.duration_s, one.begins_run, one.name) for one in told.files] == [
        (7 + n, START + n, 1.5, n == 2, f"20270115T08/{n}000-{n}999.ts") for n in range(3)
    ]  # fmt: skip


def test_a_playlist_of_others_leads_nowhere() -> None:
    text = "#EXTM3U\n#EXT-X-PROGRAM-DATE-TIME:2027-01-15T08:00:00Z\n#EXTINF:1.0,\n../../keys/a.ts\n"

    assert closed.read(text).files == ()
    assert closed.read("\0\xff" * 50).files == ()


def test_the_classic_playlist_has_closed_files_alone_under_the_owners_names() -> None:
    one = line.advanced(Line(), closed.Closed(), [Indexed(Head(4, False), some_parts(3)), Indexed(Head(5, True), some_parts(1))])  # fmt: skip

    text = playlist.classic(one, prefix="north_")

    assert re.findall(r"^[^#].*", text, re.M) == ["north_4.ts"]
    assert "#EXT-X-PROGRAM-DATE-TIME:2027-01-15T08:00:00.000Z" in text
    assert "PART" not in text
