"""An event of the store: as it is handed in, and as readers get it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any, Literal

from console.store.tables import KEY_LENGTH, SUMMARY_LENGTH

Category = Literal["safety", "development"]
Level = Literal["danger", "warning", "info"]
Kind = Literal["incident", "alert", "clip", "camera", "service", "decision", "observation"]
KINDS: tuple[Kind, ...] = (
    "incident", "alert", "clip", "camera", "service", "decision", "observation",
)  # fmt: skip
WORDS = {"source": 64, "camera": 64, "event_id": 64, "type": 32, "severity": 16, "status": 32}


@dataclass(frozen=True)
class NewEvent:
    """What is to be remembered once, however often it is handed in."""

    dedup: str
    """Equal for two deliveries of one word, different for two words; within the site."""
    ts: float
    kind: Kind
    summary: str
    source: str
    body: Mapping[str, Any]
    category: Category = "safety"
    level: Level = "info"
    camera: str | None = None
    event_id: str | None = None
    revision: int | None = None
    type: str | None = None
    severity: str | None = None
    status: str | None = None
    confidence: float | None = None
    lat: float | None = None
    lon: float | None = None
    unless_within_s: float | None = field(default=None, compare=False)
    """Where `dedup` ends with a time of this machine: how long the same is a second delivery."""

    def row(self, site: str) -> dict[str, Any]:
        """The columns, each as any of the databases takes it."""
        columns = asdict(self) | {"site": site, "body": dump(self.body)}
        del columns["unless_within_s"]
        columns["dedup"] = storable(f"{site}|{self.dedup}", KEY_LENGTH)
        columns["summary"] = storable(self.summary, SUMMARY_LENGTH)
        for name, length in WORDS.items():
            if columns[name] is not None:
                columns[name] = storable(str(columns[name]), length)
        return columns


def storable(text: str, length: int) -> str:
    """`text` without what PostgreSQL (NUL) or UTF-8 (halves of surrogates) does not take, cut."""
    clean = text.replace("\0", "\N{REPLACEMENT CHARACTER}")[:length]
    return clean.encode("utf-8", "replace").decode("utf-8")


def dump(body: object) -> str:
    """JSON that holds nothing but ASCII: no database can spoil it."""
    return json.dumps(body, separators=(",", ":"), allow_nan=False)


def told(row: Mapping[str, Any], zone: tzinfo = UTC) -> dict[str, Any]:
    """The event as readers get it (`RealtimeEvent`), from its row with `id`."""
    names = (
        "ts", "site", "source", "category", "level", "kind", "camera", "event_id", "revision",
        "type", "severity", "status", "confidence", "lat", "lon", "summary",
    )  # fmt: skip
    return {
        "seq": row["id"],
        "at_iso": iso(row["ts"], zone),
        **{name: row[name] for name in names},
        "body": json.loads(row["body"]),
    }


def iso(ts: float, zone: tzinfo = UTC) -> str:
    """Epoch seconds as RFC 3339 to the millisecond, with the zone's offset at that time."""
    moment = datetime.fromtimestamp(round(ts, 3), zone)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
