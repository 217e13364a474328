"""What waits outlives the process: a file for each, in `state/alerter/waiting/`."""

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
from hazardcast.config.site import SiteConfig
from hazardcast.contract.errors import DecodeError
from hazardcast.contract.messages import Pending
from hazardcast.machine import durable
from hazardcast.machine.refusals import in_words
from hazardcast.machine.state_version import Format, as_it_is
from hazardcast.machine.steady import Moment

log = logging.getLogger(__name__)
FORMAT = Format((as_it_is,))


def text(item: Waiting, moment: Moment) -> str:
    """A file's content; times by the wall clock."""
    about = {
        "auto_confidence": item.auto_confidence,
        "aliases": item.aliases,
        "seen_at": item.seen_at + moment.set_by_s,
        "closed": item.closed,
    }
    content = json.dumps(FORMAT.stamped({"about": about}))
    return f'{content[:-1]}, "pending": {waiting.pending(item, moment).encode()}}}\n'


def put(folder: Path, event_id: str, content: str) -> None:
    """Write one; a disk that refuses costs at most its memory, and that is said."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        durable.write(folder / f"{event_id}.json", content)
    except OSError as error:
        log.error("what waits is not kept", extra={"event": event_id, "reason": in_words(error)})


def remove(folder: Path, event_id: str) -> None:
    """Forget one."""
    try:
        (folder / f"{event_id}.json").unlink(missing_ok=True)
    except OSError as error:
        log.error("cannot be forgotten", extra={"event": event_id, "reason": in_words(error)})


def load(folder: Path, config: SiteConfig, moment: Moment) -> Iterator[Waiting]:
    """What waited when the process before this one ended; oldest first.

    Raises:
        ConfigError: one is of a newer version.
    """
    for path in sorted(folder.glob("*.json")):
        try:
            yield _read(FORMAT.read(json.loads(path.read_bytes()), path), config, moment)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, DecodeError) as error:
            log.warning("left out", extra={"file": path.name, "reason": str(error)})


def _read(data: dict[str, Any], config: SiteConfig, moment: Moment) -> Waiting:
    about, told = data["about"], Pending.parse(data["pending"])
    incident, set_by_s = told.incident, moment.set_by_s
    if incident.camera is None or incident.ts is None:
        raise ValueError("not a camera's")
    place = placing.place(incident, config)
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
            at=incident.ts - set_by_s,
        ),
        place=place,
        confidence=told.confidence,
        since=told.since - set_by_s,
        decide_by=told.decide_by - set_by_s,
        seen_at=float(about["seen_at"]) - set_by_s,
        updated_at=told.updated_at - set_by_s,
        aliases=tuple(map(str, about["aliases"]))[-waiting.MOST_ALIASES :],
        revision=told.revision,
        closed=about["closed"],
    )
