"""What is known of labelled clips: a CSV with `path`, `label` and `t_event_s`, if there is one."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hazardcast.catalogue import IncidentType
from hazardcast.errors import ConfigError

TYPES = {
    "collision": IncidentType.COLLISION,
    "rollover": IncidentType.ROLLOVER,
    "fire": IncidentType.FIRE,
    "smoke": IncidentType.FIRE,
    "blockage": IncidentType.BLOCKAGE,
    "normal": None,
}
"""First word of a label → what there is to find."""
UNSCORED = "C"


@dataclass(frozen=True)
class Clip:
    """A clip and what it shows."""

    path: Path
    name: str
    type: IncidentType | None = None
    """None: nothing is to be found."""
    t_event_s: float | None = None
    labelled: bool = False
    scored: bool = True
    """Clips of quality C are run, but not counted."""


def clips_of(path: Path) -> list[Clip]:
    """The clips of a labels file (`.csv`), of a folder, or one file.

    Raises:
        ConfigError: the path is missing, or a row of the labels is wrong; the error names it.
    """
    if path.suffix == ".csv" and path.is_file():
        return list(_labelled(path))
    if path.is_dir():
        videos = (".mp4", ".ts", ".mkv", ".avi", ".mov", ".webm")
        found = sorted(one for one in path.rglob("*") if one.suffix.lower() in videos)
        return [Clip(one, str(one.relative_to(path))) for one in found]
    if not path.is_file():
        raise ConfigError(f"{path}: no such file")
    return [Clip(path, path.name)]


def _labelled(path: Path) -> Iterator[Clip]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        missing = {"path", "label"} - set(rows.fieldnames or ())
        if missing:
            raise ConfigError(f"{path}: no column {sorted(missing)[0]!r}")
        for number, row in enumerate(rows, start=2):
            try:
                yield _clip(path.parent, row)
            except ValueError as error:
                raise ConfigError(f"{path}:{number}: {error}") from None


def _clip(folder: Path, row: dict[str, str]) -> Clip:
    words = (row["label"] or "").replace("+", " ").split()
    if not words or words[0] not in TYPES:
        raise ValueError(f"label: {row['label']!r} is not one of {', '.join(TYPES)}")
    kind = TYPES[words[0]]
    text = (row.get("t_event_s") or "").strip()
    try:
        t_event_s = float(text) if text else None
    except ValueError:
        raise ValueError(f"t_event_s: {text!r} is not a number") from None
    if kind is not None and t_event_s is None:
        raise ValueError("t_event_s: missing")
    scored = (row.get("quality") or "").strip() != UNSCORED
    return Clip(folder / row["path"], row["path"], kind, t_event_s, labelled=True, scored=scored)
