"""The zoo's judge notices what it is there to notice."""

from __future__ import annotations

from dataclasses import replace

import pytest

pytest.importorskip("cv2")

from hazardcast.contract.messages import ClipState, Window
from hazardcast.contract.vocabulary import RunCause
from hazardcast.media.segments import Run
from tests.zoo.film import LEVELS, Film
from tests.zoo.judge import judge
from tests.zoo.manner import Rtsp
from tests.zoo.row import Refusal, Row
from tests.zoo.watching import Clip, Kept, Shown, Watched

T0 = 1_800_000_000.0
ROW = Row("plain", "plain", Rtsp(), Film(fps=10, seconds=20))
CLOCKS = ROW.film.clock_ms
FACTS = {"codec_name": "h264", "width": 320, "height": 180, "sample_aspect_ratio": "1:1", "interlaced": False, "rotation": 0, "sound": None}  # fmt: skip


def shown(first: int, last: int, at: float) -> list[Shown]:
    """Pictures `first` to `last` of the film, the first of them at `at`."""
    levels = tuple(map(float, LEVELS))
    return [
        Shown(CLOCKS[place], at + (place - first) / 10, (320, 180), levels)
        for place in range(first, last + 1)
    ]


def kept(first: int, last: int) -> Kept:
    return Kept(T0 + first / 10, T0 + last / 10, shown(first, last, 0.0))


def whole() -> Watched:
    """Ten seconds without a fault."""
    window = Window(start=T0 + 1, end=T0 + 9)
    state = ClipState(event_id="1", camera="north", state="ready", requested=window, updated_at=T0, coverage=1.0)  # fmt: skip
    pictures = shown(10, 90, 0.0)
    manifest = {"first_frame_at": T0 + 1, "frames": len(pictures), "method": "copy"}
    return Watched(
        [T0], kept=[kept(0, 39), kept(40, 79), kept(80, 99)], runs=[Run(T0, None, None)],
        facts=FACTS, film_facts=FACTS, seen=shown(5, 95, T0 + 0.5),
        clip=Clip(state, manifest, pictures, "", FACTS),
    )  # fmt: skip


def test_what_is_whole_holds() -> None:
    assert judge(ROW, whole()).faults == []


def test_a_picture_lost_within_a_file_and_between_two_is_noticed() -> None:
    watched = whole()
    del watched.kept[0].shown[20]
    del watched.kept[1].shown[0]

    assert "pictures lost in a file: 1 after 19" in judge(ROW, watched).recorded
    assert "1 pictures lost between two files" in judge(ROW, watched).recorded


def test_a_doubled_and_an_unreadable_picture_are_noticed() -> None:
    doubled, spoilt = whole(), whole()
    doubled.kept[0].shown.insert(3, doubled.kept[0].shown[3])
    spoilt.kept[0].shown[3] = replace(spoilt.kept[0].shown[3], clock_ms=None)

    assert "1 pictures doubled or out of order in a file" in judge(ROW, doubled).recorded
    assert "1 of 40 pictures unreadable in a file" in judge(ROW, spoilt).recorded


def test_a_name_half_a_second_wrong_is_noticed() -> None:
    watched = whole()
    watched.kept[1] = replace(watched.kept[1], end=watched.kept[1].end + 0.5)

    assert judge(ROW, watched).recorded == ["a name is wrong by 0.50 s"]


def test_a_new_run_is_noticed_unless_it_may_be() -> None:
    watched = whole()
    watched.runs.insert(0, Run(T0 - 5, T0 - 1, RunCause.STALLED))

    assert judge(ROW, watched).recorded == ["begun anew: ['stalled']"]
    assert judge(replace(ROW, breaks=("stalled",)), watched).holds


def test_a_clip_that_ends_early_plays_fast_or_lacks_a_picture_is_noticed() -> None:
    early, fast, lacking = whole(), whole(), whole()
    del early.clip.shown[60:]
    fast.clip.shown = [replace(one, at=one.at / 2) for one in fast.clip.shown]
    del lacking.clip.shown[40]

    assert "it ends too early" in judge(ROW, early).clip
    assert "a picture's time is wrong by -4.00 s" in judge(ROW, fast).clip
    assert "pictures lost in the clip: 1 after 49" in judge(ROW, lacking).clip


def test_a_detector_that_dates_otherwise_or_sees_little_is_noticed() -> None:
    late, little = whole(), whole()
    late.seen = [replace(one, at=one.at + 0.4) for one in late.seen]
    little.seen = little.seen[::3]

    assert "a picture's time is wrong by 0.40 s" in judge(ROW, late).detector
    assert judge(ROW, little).detector[0].startswith("has seen ")


def test_darker_pictures_and_another_shape_are_noticed() -> None:
    dark, oblong = whole(), whole()
    dark.seen[-1] = replace(dark.seen[-1], levels=(56.0, 99.0, 154.0, 202.0))
    oblong.film_facts = {**FACTS, "sample_aspect_ratio": "4:3"}

    assert judge(ROW, dark).detector[0].startswith("brightness")
    assert judge(ROW, oblong).recorded == ["a shape of 1.778 instead of 2.370"]


def test_a_refusal_must_use_its_words() -> None:
    row = replace(ROW, refused=Refusal("unauthorised", "asks for Digest"))
    said = Watched([T0], states=[(1.0, "unauthorised", "the camera asks for Digest with SHA-256")])

    assert judge(row, said).holds
    assert not judge(row, Watched([T0], states=[(1.0, "ended", "")])).holds
