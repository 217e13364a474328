"""`check` says of a camera of the zoo what the recorder makes of it; `make long-zoo` asks of all."""

from __future__ import annotations

import pytest

pytest.importorskip("cv2")

from tests.zoo.agreement import agreement
from tests.zoo.rows import ROWS

pytestmark = [pytest.mark.network, pytest.mark.slow]


def test_a_clock_that_runs_fast_is_told_and_check_and_recorder_agree(ffmpeg: str) -> None:
    (row,) = [row for row in ROWS if row.name == "fast-clock"]

    told = agreement(row)

    assert told.by_check == told.by_recorder
    (note,) = [note for note in told.finding["notes"] if note.startswith("clock: runs ")]
    assert 1.5 < float(note.split()[2]) < 2.5
    assert note.endswith("% fast")
