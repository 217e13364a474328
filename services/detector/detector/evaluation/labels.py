"""What is known of labelled clips: a CSV with `path`, `label` and `t_event_s`.

The columns are described in docs/design/detector.md; further ones are ignored.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hazardcast.contract.errors import ConfigError
from hazardcast.contract.incident_types import IncidentType

TYPES = {
    "collision": IncidentType.COLLISION,
    "rollover": IncidentType.ROLLOVER,
    "fire": IncidentType.FIRE,
    "smoke": IncidentType.FIRE,
    "blockage": IncidentType.BLOCKAGE,
    "normal": None,
}
"""First word of a label → what there is to find."""
CONDITIONS = {
    "night": r"night|dark|dusk|headlight",
    "rain": r"rain|wet",
    "snow": r"snow",
    "fog": r"fog|haz[ey]|mist",
    "shake": r"sway|shak|jolt|drift",
    "density": r"dense|jam|queue|busy|crowd",
}
"""Condition → words of label, name or note that tell of it, where no column `condition` does."""
DERIVED = re.compile(r"^(pre|head|tail|syn)_")
"""A part cut from a longer clip, or composed from it."""
SOURCE_NUMBER = re.compile(r"_(\d{3,})")
QUALITIES = ("", "A", "B", "C")
UNSCORED = "C"
MANIFESTS = ("MANIFEST.csv", "labels.csv")
"""A folder that holds one of these is labelled by it."""
VIDEOS = frozenset({
    ".3gp", ".264", ".265", ".asf", ".avi", ".flv", ".gif", ".h264", ".h265", ".hevc", ".m2ts",
    ".m4v", ".mjpeg", ".mjpg", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".ogv", ".ts",
    ".vob", ".webm", ".wmv",
})  # fmt: skip


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
    box: tuple[float, float, float, float] | None = None
    """x, y, width, height in pixels of the clip: where it happens."""
    source: str = ""
    """Clips of one source video share it; "": known of none other."""
    fixed: bool = True
    """False: the camera was moved or filmed off a screen; there silence is the right answer."""
    conditions: frozenset[str] = frozenset()
    """What makes it hard to see: keys of `CONDITIONS`."""


def clips_of(path: Path) -> list[Clip]:
    """The clips of a labels file (`.csv`), of a folder, or one file.

    Raises:
        ConfigError: the path is missing, or a row of the labels is wrong; the error names it.
    """
    if path.suffix == ".csv" and path.is_file():
        return list(_labelled(path))
    if path.is_dir():
        return _of_folder(path)
    if not path.is_file():
        raise ConfigError(f"{path}: no such file")
    return [Clip(path, path.name)]


def _of_folder(path: Path) -> list[Clip]:
    manifest = next((one for name in MANIFESTS for one in sorted(path.rglob(name))), None)
    if manifest is not None:
        return list(_labelled(manifest))
    found = sorted(one for one in path.rglob("*") if one.suffix.lower() in VIDEOS)
    if not found:
        raise ConfigError(f"{path}: holds neither labels ({MANIFESTS[0]}) nor videos")
    return [Clip(one, str(one.relative_to(path))) for one in found]


def _labelled(path: Path) -> Iterator[Clip]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: not UTF-8 text") from None
    rows = csv.DictReader(text.splitlines())
    missing = [name for name in ("path", "label") if name not in (rows.fieldnames or ())]
    if missing:
        raise ConfigError(f"{path}: no column {missing[0]!r}")
    seen = False
    for number, row in enumerate(rows, start=2):
        try:
            yield _clip(path.parent, row)
            seen = True
        except ValueError as error:
            raise ConfigError(f"{path}:{number}: {error}") from None
    if not seen:
        raise ConfigError(f"{path}: no clips")


def _clip(folder: Path, row: dict[str, str]) -> Clip:
    name = (row["path"] or "").strip()
    if not name:
        raise ValueError("path: missing")
    words = (row["label"] or "").replace("+", " ").split()
    if not words or words[0] not in TYPES:
        raise ValueError(f"label: {row['label']!r} is not one of {', '.join(TYPES)}")
    kind, t_event_s = TYPES[words[0]], _seconds(row, "t_event_s")
    if kind is not None and t_event_s is None:
        raise ValueError("t_event_s: missing")
    quality = (row.get("quality") or "").strip().upper()
    if quality not in QUALITIES:
        raise ValueError(f"quality: {quality!r} is not one of A, B, C")
    return Clip(
        folder / name, name, kind, t_event_s, labelled=True, scored=quality != UNSCORED,
        box=_box((row.get("bbox_xywh") or "").strip()), source=_source(row, name),
        fixed=(row.get("camera") or "fixed").strip().lower().startswith("fixed"),
        conditions=_conditions(row, name),
    )  # fmt: skip


def _source(row: dict[str, str], name: str) -> str:
    """Column `source`; else the place it was taken from, with the number that its name has."""
    if told := (row.get("source") or "").strip():
        return told
    stem = DERIVED.sub("", Path(name).stem)
    number = SOURCE_NUMBER.search(stem)
    repository = (row.get("repo") or "").strip()
    if number:
        return f"{repository}#{number[1]}"
    return repository or stem


def _conditions(row: dict[str, str], name: str) -> frozenset[str]:
    told = row.get("condition")
    if told is not None:
        return frozenset(told.replace(",", " ").lower().split()) & CONDITIONS.keys()
    words = " ".join((name, row.get("label") or "", row.get("note") or "")).lower()
    return frozenset(key for key, pattern in CONDITIONS.items() if re.search(pattern, words))


def _seconds(row: dict[str, str], column: str) -> float | None:
    text = (row.get(column) or "").strip()
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"{column}: {text!r} is not a number") from None
    if not 0 <= value < 1e6:
        raise ValueError(f"{column}: {text!r} is not a time in the clip")
    return value


def _box(text: str) -> tuple[float, float, float, float] | None:
    if not text:
        return None
    try:
        x, y, width, height = (float(part) for part in text.split("-"))
    except ValueError:
        raise ValueError(f"bbox_xywh: {text!r} is not x-y-width-height in pixels") from None
    return x, y, width, height
