"""Files that nobody closed: what a crash left behind, and where it belongs in time."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from itertools import count

from hazardcast.machine.state_version import Format, as_it_is
from recorder import pictures
from recorder.command import STAMP_LEAD_S
from recorder.pictures import WRAP_S

NOTE = Format((as_it_is,))
"""One of before does not say its version."""


@dataclass(frozen=True)
class TimeNote:
    """What is written down beside open files, so that they can be named after a crash."""

    offset_s: float
    """What to add to the files' stream time to get the wall clock."""
    codec: str | None = None
    error_s: float = 0.0

    def encode(self) -> str:
        """As JSON."""
        return json.dumps(NOTE.stamped(asdict(self)))


def read_note(text: str) -> TimeNote | None:
    """The note of `TimeNote.encode`, None when it is damaged."""
    try:
        data = json.loads(text)
        codec = data.get("codec")
        note = TimeNote(
            float(data["offset_s"]),
            codec if isinstance(codec, str) else None,
            float(data.get("error_s", 0)),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return note if math.isfinite(note.offset_s) and math.isfinite(note.error_s) else None


LEEWAY_S = 1.0
"""Of the clocks of disk and recorder."""
LONGEST_S = 900.0
"""No file is open for longer."""


def place(data: bytes, note: TimeNote, *, written_at: float) -> tuple[float, float, int] | None:
    """Wall clock of an orphan's first and last frame and how many bytes count; None for no frame.

    What lies behind a leap of the camera's clock does not count. A file that cannot have been
    written when its note says was written until `written_at`.

    Args:
        data: the file.
        note: the mapping of its run.
        written_at: about when it was last written (epoch seconds): tells which of the 26.5 hour
            turns of the file's stamps is meant.
    """
    whole = pictures.times(data)
    if whole is None:
        return None
    shift_s = _shift_s(whole, note, written_at)
    opened_for_s = written_at - (whole.opened_s + shift_s)
    is_possible = -LEEWAY_S <= opened_for_s <= LONGEST_S
    most_s = opened_for_s + LEEWAY_S if is_possible else LONGEST_S
    size = pictures.before_leap(data, most_s=most_s)
    times = pictures.times(data[:size])
    assert times is not None, "the first picture is never behind a leap"
    if not is_possible:
        shift_s = written_at - times.last_s
    return times.first_s + shift_s, times.last_s + shift_s, size


def _shift_s(times: pictures.Times, note: TimeNote, written_at: float) -> float:
    offset_s = note.offset_s - STAMP_LEAD_S
    return offset_s + round((written_at - offset_s - times.opened_s) / WRAP_S) * WRAP_S


def run_of(name: str) -> str:
    """The run that a file `{run}-{number}.ts` belongs to."""
    return name.rpartition("-")[0]


def free_name(start_ms: int, end_ms: int, taken: frozenset[int] | set[int]) -> int:
    """The first end from `end_ms` on that is not `taken`, so that no recording is overwritten."""
    assert start_ms <= end_ms
    return next(end for end in count(end_ms) if end not in taken)
