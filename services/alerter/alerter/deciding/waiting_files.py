"""What waits outlives the process: a file for each, in `state/alerter/waiting/`. Form and reading.

`{event_id}.json` is on the disk; `{event_id}.draft` is newer, written in turn with the alerts'
lines, and survives the death of the process alone.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from alerter.deciding import waiting
from alerter.deciding.waiting import Waiting
from alerter.ingest import placing
from alerter.ingest.report_times import Report
from alerter.lifecycle.noted import Reckoning
from hazardcast.config.site import SiteConfig
from hazardcast.contract.errors import DecodeError
from hazardcast.contract.messages import Pending
from hazardcast.machine.state_version import Format, as_it_is
from hazardcast.machine.steady import Moment

log = logging.getLogger(__name__)
FORMAT = Format((as_it_is,))
KEPT, DRAFT = ".json", ".draft"
NOTED_EVERY_S = 15.0
"""What waits is noted anew so often: it is then known how long the station was away."""
UNREADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError, DecodeError)


def text(item: Waiting, moment: Moment, noted: dict[str, Any]) -> str:
    """A file's content; times by the wall clock.

    Args:
        item: what waits.
        moment: when it is noted.
        noted: the same moment by the clocks that outlive the process.
    """
    set_by_s = moment.set_by_s
    about = {
        "auto_confidence": item.auto_confidence,
        "aliases": item.aliases,
        "at": item.report.at + set_by_s,
        "seen_at": item.seen_at + set_by_s,
        "prolonged_s": item.prolonged_s,
        "stale": item.stale,
        "closed": item.closed,
        "noted": noted,
    }
    content = json.dumps(FORMAT.stamped({"about": about}))
    return f'{content[:-1]}, "pending": {waiting.pending(item, moment).encode()}}}\n'


def load(
    folder: Path, config: SiteConfig, reckoning: Reckoning, max_age_s: float
) -> Iterator[Waiting]:
    """What waited when the process before this one ended; oldest first.

    Args:
        folder: where it is.
        config: the site's.
        reckoning: the clocks of this start.
        max_age_s: what waits is no news once the station was away for longer.

    Raises:
        ConfigError: one is of a newer version.
    """
    there = {path.stem for path in folder.glob("*") if path.suffix in (KEPT, DRAFT)}
    for event_id in sorted(there):
        data = _newest(folder, event_id)
        if data is None:
            continue
        try:
            yield _read(data, config, reckoning, max_age_s)
        except UNREADABLE as error:
            log.warning("left out", extra={"file": event_id, "reason": str(error)})


def _newest(folder: Path, event_id: str) -> dict[str, Any] | None:
    """What is known of one; a draft that the process did not finish leaves what was before."""
    for suffix in (DRAFT, KEPT):
        path = folder / f"{event_id}{suffix}"
        try:
            found: dict[str, Any] = FORMAT.read(json.loads(path.read_bytes()), path)
        except FileNotFoundError:
            continue
        except UNREADABLE as error:
            log.warning("left out", extra={"file": path.name, "reason": str(error)})
        else:
            return found
    return None


def _read(
    data: dict[str, Any], config: SiteConfig, reckoning: Reckoning, max_age_s: float
) -> Waiting:
    about, told = data["about"], Pending.parse(data["pending"])
    incident, now = told.incident, reckoning.now
    if incident.camera is None or incident.ts is None:
        raise ValueError("not a camera's")
    noted = about.get("noted") or {"at": told.updated_at, "monotonic": 0.0, "boot": None}
    shift_s, away_s = reckoning.shift_s(noted), reckoning.elapsed_s(noted)
    stale = away_s is None or away_s > max_age_s + NOTED_EVERY_S
    since = min(now, told.since + shift_s)
    return Waiting(
        event_id=told.event_id,
        camera=incident.camera,
        mode=told.mode,
        on_timeout=told.on_timeout,
        auto_confidence=float(about["auto_confidence"]),
        report=Report(
            incident=incident,
            ts=incident.ts,
            confirmed_at=told.since,
            received_at=told.since,
            at=float(about.get("at", incident.ts)) + shift_s,
        ),
        place=placing.place(incident, config),
        confidence=told.confidence,
        since=since,
        decide_by=min(told.decide_by + shift_s, since + waiting.MOST_HELD_S),
        seen_at=min(now, float(about["seen_at"]) + shift_s),
        updated_at=min(now, told.updated_at + shift_s),
        aliases=tuple(map(str, about["aliases"]))[-waiting.MOST_ALIASES :],
        revision=told.revision,
        prolonged_s=float(about.get("prolonged_s", 0.0)),
        stale=stale or bool(about.get("stale")),
        closed=about["closed"],
    )
