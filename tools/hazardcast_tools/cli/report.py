"""`hazardcast report`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from hazardcast.config import settings as settings_module
from hazardcast.config import site
from hazardcast.contract import alarms
from hazardcast.contract.alarms import Alarm, Count, Precision
from hazardcast.contract.errors import DecodeError
from hazardcast.contract.messages import JournalEntry
from hazardcast.machine.clock import SystemClock
from hazardcast_tools.cli.telling import tell


def report(
    camera: Annotated[str | None, typer.Option(help="Only this camera.")] = None,
    days: Annotated[float | None, typer.Option(help="Only the last so many days.")] = None,
    journal: Annotated[
        Path | None, typer.Option(help="Another journal than that of this station's alerter.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False,
) -> None:
    """How many alarms were true, by people's verdicts, and what auto_confidence would do."""
    settings = settings_module.load()
    folder = journal or settings.state_dir / "alerter" / "journal"
    zone = ZoneInfo(site.load(settings.config).site.time_zone)
    since = SystemClock().now() - days * 86_400 if days is not None else float("-inf")
    found = [
        alarm
        for alarm in alarms.gathered(_entries(folder))
        if alarm.ts >= since and camera in (None, alarm.camera)
    ]
    counts, shares = alarms.by_camera_and_day(found, zone), alarms.precision(found)
    if as_json:
        tell(json.dumps(_facts(folder, counts, shares)))
        return
    for line in _lines(folder, found, counts, shares):
        tell(line)


def _entries(folder: Path) -> Iterator[JournalEntry]:
    """Every entry that can be read; what is being written has no end yet."""
    for path in sorted(folder.glob("*-*.jsonl")):
        with path.open("rb") as file:
            yield from (entry for line in file if (entry := _entry(line)))


def _entry(line: bytes) -> JournalEntry | None:
    try:
        return JournalEntry.decode(line) if line.endswith(b"\n") else None
    except DecodeError:
        return None


def _facts(folder: Path, counts: list[Count], shares: list[Precision]) -> dict[str, object]:
    return {
        "journal": str(folder),
        "days": [asdict(count) for count in counts],
        "precision": [asdict(share) for share in shares],
    }


def _lines(
    folder: Path, found: list[Alarm], counts: list[Count], shares: list[Precision]
) -> Iterator[str]:
    if not found:
        yield f"no alarm of a camera is in {folder}"
        return
    yield f"{'day':<12}{'camera':<24}{'alarms':>8}{'sent':>8}{'true':>8}{'false':>8}{'no word':>9}"
    for one in counts:
        yield (
            f"{one.day:<12}{one.camera:<24}{one.alarms:>8}{one.broadcast:>8}{one.true:>8}"
            f"{one.false:>8}{one.unjudged:>9}"
        )
    yield ""
    yield f"{'auto_confidence':<16}{'alarms':>8}{'true':>8}{'false':>8}  precision"
    for share in shares:
        said = "nobody has judged" if share.precision is None else f"{share.precision:.0%}"
        yield (
            f"{share.auto_confidence:<16g}{share.alarms:>8}{share.true:>8}{share.false:>8}  {said}"
        )
