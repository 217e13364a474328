"""docs/reference/cameras.md: what the last run of the whole zoo found."""

from __future__ import annotations

import re
from collections.abc import Iterable

from hazardcast.ffmpeg import find_ffmpeg
from tests.zoo.outcome import Outcome
from tests.zoo.rows import ROWS
from tests.zoo.standing import ROOT

PAGE = ROOT / "docs" / "reference" / "cameras.md"
COMMAND = "make long-zoo ARGS=--write"
HEAD = """# Cameras and their manners

<!-- written by `{command}`: not by hand -->

Each row is a camera of the tests' own zoo (`tests/zoo`): a film whose every picture carries a clock,
and a manner of sending it. The real recorder, the detector's source of frames and the clipper run
over each, and every picture is compared by its clock. “Recorded” means: no picture lost or doubled
within the recording, and each file's name true to the clock. “Clip” means: it plays whole, with the
right pictures at the right times. “Detector” means: it saw the clip's pictures, and dated them alike.
What stands beside the pictures (shape of the pixels, range of brightness, rotation, interlacing) must
come along everywhere.

Last run: {count} rows, {whole} whole, {refused} refused in words; {ffmpeg}.

| Camera | Manner | Recorded | Clip | Detector |
|---|---|---|---|---|
"""
LINE = re.compile(r"^\| `([a-z0-9-]+)` \| (.*?) \| (.*?) \| (.*?) \| (.*?) \|$", re.MULTILINE)


def write(outcomes: Iterable[Outcome]) -> None:
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page(list(outcomes)), encoding="utf-8")


def page(outcomes: list[Outcome]) -> str:
    says = {row.name: row.says for row in ROWS}
    refused = sum(one.recorded.startswith("refused") for one in outcomes)
    head = HEAD.format(
        command=COMMAND, count=len(outcomes), whole=len(outcomes) - refused, refused=refused,
        ffmpeg=_version(),
    )  # fmt: skip
    lines = [
        f"| `{one.row}` | {says[one.row]} | {one.recorded} | {one.clip} | {one.detector} |"
        for one in outcomes
    ]
    return head + "\n".join(lines) + "\n"


def _version() -> str:
    import subprocess

    told = subprocess.run([find_ffmpeg(), "-version"], capture_output=True, text=True, check=True)
    return " ".join(told.stdout.split()[:3])


def rows_told(text: str) -> list[tuple[str, ...]]:
    """(camera, manner, recorded, clip, detector) of every line."""
    return LINE.findall(text)
