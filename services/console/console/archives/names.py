"""Names of archives: the site's own time of their first picture, never two of one name. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from hazardcast.media.archives import Archive

LATEST = 1e11
"""No camera's clock is later, epoch seconds."""
_NAME = re.compile(r"archive_(\d{8})_(\d{6})(?:_([2-9]))?\.mp4")


@dataclass(frozen=True)
class Named:
    """An archive under its name."""

    name: str
    archive: Archive


def named(archives: Sequence[Archive], zone: tzinfo) -> list[Named]:
    """Each archive with its name; the second time of a doubled hour is told by `_2`.

    Args:
        archives: oldest first.
        zone: the site's.
    """
    taken: set[str] = set()
    found = []
    for archive in archives:
        moment = datetime.fromtimestamp(int(archive.start), UTC).astimezone(zone)
        turn = 1 + _is_second_time(moment)
        while (name := _name(moment, turn)) in taken:
            turn += 1
        taken.add(name)
        found.append(Named(name, archive))
    return found


def moments(name: str, zone: tzinfo) -> list[float]:
    """When an archive of this name may begin, epoch seconds; nothing for a name that is none."""
    match = _NAME.fullmatch(name)
    if match is None:
        return []
    try:
        local = datetime.strptime(match[1] + match[2], "%Y%m%d%H%M%S")  # noqa: DTZ007
        both = {local.replace(tzinfo=zone, fold=fold).timestamp() for fold in (0, 1)}
    except (ValueError, OverflowError):  # no such day, or so far off that no clock tells it
        return []
    return sorted(moment for moment in both if 0 <= moment <= LATEST)


def _is_second_time(moment: datetime) -> bool:
    return bool(moment.fold) and moment.utcoffset() != moment.replace(fold=0).utcoffset()


def _name(moment: datetime, turn: int) -> str:
    again = f"_{turn}" if turn > 1 else ""
    return f"archive_{moment:%Y%m%d_%H%M%S}{again}.mp4"
