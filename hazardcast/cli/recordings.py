"""`hazardcast recordings`."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from hazardcast import coverage, segments
from hazardcast import settings as settings_module


def recordings(
    camera: Annotated[str | None, typer.Option(help="Only this camera.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False,
) -> None:
    """What is recorded, and where it has gaps."""
    folder = settings_module.load().recordings_dir
    names = [camera] if camera else _cameras(folder)
    found = [summary(folder, name) for name in names]
    if as_json:
        typer.echo(json.dumps({"recordings_dir": str(folder), "cameras": found}))
        return
    if not found:
        typer.echo(f"nothing is recorded below {folder}")
    for facts in found:
        for line in _told(facts):
            typer.echo(line)


def _cameras(folder: Path) -> list[str]:
    if not folder.is_dir():
        return []
    return sorted(path.name for path in folder.iterdir() if path.is_dir() and path.name[0] != ".")


def summary(folder: Path, camera: str) -> dict[str, Any]:
    """Span, size and gaps of one camera's recording; times in epoch seconds."""
    kept = segments.list_segments(folder, camera)
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
    except FileNotFoundError:  # retention was quicker
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
