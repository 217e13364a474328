"""Why a stretch is missing from a clip, where a file of it lies there that cannot be read."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from clipper.coverage import Coverage
from clipper.describe import explained

from hazardcast.contract.messages import Gap, Window
from hazardcast.contract.vocabulary import GapCause
from hazardcast.media.coverage import Stretch


def causes(
    gap: tuple[float, float, GapCause], *unreadable: tuple[float, float]
) -> Sequence[tuple[float, float, str]]:
    start, end, cause = gap
    found = Coverage(Window(start=0, end=100), (), (Gap(start=start, end=end, cause=cause),))
    told = explained(found, [Stretch(*part) for part in unreadable])
    return [(one.start, one.end, one.cause.value) for one in told.gaps]


def test_a_gap_without_a_damaged_file_keeps_its_cause() -> None:
    assert causes((10, 20, GapCause.STALLED), (30, 40)) == [(10, 20, "stalled")]


def test_a_gap_that_is_a_damaged_file_but_for_a_frame_is_unreadable() -> None:
    assert causes((10, 20, GapCause.NO_FRAMES), (10.07, 19.93)) == [(10, 20, "unreadable")]


def test_what_was_never_sent_beside_a_damaged_file_keeps_its_own_cause() -> None:
    assert causes((10, 20, GapCause.CAMERA_DOWN), (10, 13)) == [
        (10, 13, "unreadable"),
        (13, 20, "camera_down"),
    ]
    assert causes((10, 30, GapCause.CAMERA_DOWN), (14, 16), (20, 22)) == [
        (10, 14, "camera_down"),
        (14, 16, "unreadable"),
        (16, 20, "camera_down"),
        (20, 22, "unreadable"),
        (22, 30, "camera_down"),
    ]


def test_damaged_files_side_by_side_are_one_gap() -> None:
    assert causes((10, 20, GapCause.NO_FRAMES), (15, 20), (10, 14.96)) == [(10, 20, "unreadable")]


def test_a_damaged_file_longer_than_the_window_does_not_make_the_gap_longer() -> None:
    assert causes((10, 20, GapCause.NO_FRAMES), (0, 60)) == [(10, 20, "unreadable")]


@pytest.mark.parametrize("cause", [GapCause.DISK_FULL, GapCause.RECORDER_KILLED])
def test_the_torn_file_of_a_recording_that_broke_off_is_no_cause_of_its_own(
    cause: GapCause,
) -> None:
    assert causes((10, 20, cause), (10, 10.6)) == [(10, 20, cause.value)]
