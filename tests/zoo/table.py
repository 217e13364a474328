"""docs/reference/cameras.md: what the last run of each row of the zoo found."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable

from hazardcast.media.ffmpeg import find_ffmpeg
from tests.zoo.outcome import Outcome
from tests.zoo.rows import ROWS
from tests.zoo.standing import ROOT

PAGE = ROOT / "docs" / "reference" / "cameras.md"
COMMAND = "make long-zoo ARGS=--write"
HEAD = """# Cameras and their manners

<!-- written by `{command}`: not by hand -->

Each row is a camera of the tests' own zoo (`tests/zoo`): a film whose every picture carries a clock,
and a manner of sending it. The real recorder, the detector's source of frames and the clipper run
over each, and every picture is compared by its clock. *Recorded*: no picture is lost or doubled
within the recording, and each file's name is true to the clock. *Clip*: it plays whole, the right
pictures at the right times. *Detector*: it saw the clip's pictures, and dated them alike. What stands
beside the pictures (shape of the pixels, range of brightness, rotation, interlacing) comes along
everywhere.

{count} cameras: {whole} whole, {refused} refused in words; tried with {ffmpeg}.

| Camera | Manner | Recorded | Clip | Detector |
|---|---|---|---|---|
"""
LINE = re.compile(r"^\| `([a-z0-9-]+)` \| (.*?) \| (.*?) \| (.*?) \| (.*?) \|$", re.MULTILINE)
Cells = tuple[str, str, str]


def rows_told(text: str) -> list[tuple[str, ...]]:
    """(camera, manner, recorded, clip, detector) of every line."""
    return LINE.findall(text)


def write(outcomes: Iterable[Outcome]) -> None:
    """Put these rows into the page; what it tells of other rows stays."""
    before = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    told = {name: (recorded, clip, seen) for name, _, recorded, clip, seen in rows_told(before)}
    told |= {one.row: (one.recorded, one.clip, one.detector) for one in outcomes}
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page(told), encoding="utf-8")


def page(told: dict[str, Cells]) -> str:
    """The whole page, rows in the zoo's order."""
    rows = [row for row in ROWS if row.name in told]
    refused = sum(any(cell.startswith("refused") for cell in told[row.name]) for row in rows)
    head = HEAD.format(
        command=COMMAND, count=len(rows), whole=len(rows) - refused, refused=refused,
        ffmpeg=_version(),
    )  # fmt: skip
    lines = [f"| `{row.name}` | {row.says} | {' | '.join(told[row.name])} |" for row in rows]
    return head + "\n".join(lines) + "\n"


def _version() -> str:
    told = subprocess.run([find_ffmpeg(), "-version"], capture_output=True, text=True, check=True)
    return " ".join(told.stdout.split()[:3]).partition("-")[0]
