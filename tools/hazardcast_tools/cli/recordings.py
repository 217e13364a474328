"""`hazardcast recordings`."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from hazardcast.config import settings as settings_module
from hazardcast.machine.clock import SystemClock
from hazardcast.media import archives, coverage, segments
from hazardcast_tools.cli import timeline
from hazardcast_tools.cli.telling import tell


def recordings(
    camera: Annotated[str | None, typer.Option(help="Only this camera.")] = None,
    hours: Annotated[float | None, typer.Option(help="Only the last so many hours.")] = None,
    archive: Annotated[
        Path | None,
        typer.Option(help="Write the recordings into this folder, as files of ten minutes."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False,
) -> None:
    """What is recorded, and where it has gaps."""
    folder = settings_module.load().recordings_dir
    names = [camera] if camera else _cameras(folder)
    since = SystemClock().now() - hours * 3600 if hours is not None else None
    if archive is not None:
        _archive(folder, names, archive, since, as_json=as_json)
        return
    found = [summary(folder, name, since=since) for name in names]
    if as_json:
        tell(json.dumps({"recordings_dir": str(folder), "cameras": found}))
        return
    if not found:
        tell(f"nothing is recorded below {folder}")
    for line in _timeline(found):
        tell(line)
    for facts in found:
        for line in _told(facts):
            tell(line)


def _archive(
    folder: Path, cameras: list[str], target: Path, since: float | None, *, as_json: bool
) -> None:
    written: list[Path] = []
    for camera in cameras:
        kept = segments.list_segments(folder, camera, start=since)
        planned = archives.plan(kept, segments.read_runs(folder, camera))
        written += [archives.write(one, target, camera) for one in planned]
    if as_json:
        tell(json.dumps({"archives": [str(path) for path in written]}))
        return
    for path in written:
        tell(f"{path} ({path.stat().st_size / 1e6:.1f} MB)")


def _timeline(found: list[dict[str, Any]]) -> list[str]:
    """A bar a camera over one axis."""
    there = [facts for facts in found if facts["segments"]]
    if not there:
        return []
    start, end = min(facts["start"] for facts in there), max(facts["end"] for facts in there)
    if end <= start:
        return []
    name_width = max(len(facts["camera"]) for facts in there)
    lines = [f"{'':{name_width}} {timeline.axis(start, end)}"]
    for facts in there:
        missing = [(gap["start"], gap["end"]) for gap in facts["gaps"]]
        kept = timeline.stretches_between(facts["start"], facts["end"], missing)
        lines.append(f"{facts['camera']:{name_width}} {timeline.bar(kept, start, end)}")
    return lines


def _cameras(folder: Path) -> list[str]:
    if not folder.is_dir():
        return []
    return sorted(path.name for path in folder.iterdir() if path.is_dir() and path.name[0] != ".")


def summary(folder: Path, camera: str, *, since: float | None = None) -> dict[str, Any]:
    """Span, size and gaps of one camera's recording; times in epoch seconds."""
    kept = segments.list_segments(folder, camera, start=since)
    missing = coverage.gaps(kept, segments.read_runs(folder, camera))
    return {
        "camera": camera,
        "segments": len(kept),
        "bytes": sum(_size(segment.path) for segment in kept),
        "start": kept[0].start if kept else None,
        "end": kept[-1].end if kept else None,
        "gaps": [{"start": gap.start, "end": gap.end, "cause": gap.cause} for gap in missing],
    }


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # retention was quicker, or it is not ours
        return 0


def _told(facts: dict[str, Any]) -> list[str]:
    if not facts["segments"]:
        return [f"{facts['camera']}: no segments"]
    length_s = facts["end"] - facts["start"]
    head = (
        f"{facts['camera']}: {_moment(facts['start'])} to {_moment(facts['end'])} "
        f"({length_s:.1f} s), {facts['segments']} segments, {facts['bytes'] / 1e6:.1f} MB, "
        f"{len(facts['gaps'])} gaps"
    )
    return [head, *(_gap(gap) for gap in facts["gaps"])]


def _gap(gap: dict[str, Any]) -> str:
    return (
        f"  gap {_moment(gap['start'])} to {_moment(gap['end'])} "
        f"({gap['end'] - gap['start']:.1f} s): {gap['cause']}"
    )


def _moment(epoch_s: float) -> str:
    return datetime.fromtimestamp(epoch_s, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
