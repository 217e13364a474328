"""Writes what was gathered of the traffic, added to what an earlier process wrote of the same."""

from __future__ import annotations

import json
import zlib
from typing import Any

from sqlalchemy import select

from console.intake.traffic import WINDOW_S, Block, joined, safety_score
from console.store.events import dump
from console.store.tables import AlertState, SegmentAnalysis, TrackBlock
from console.store.transaction import Transaction

PROVIDER = "detections"
WindowKey = tuple[str, int]
"""Camera, and start in epoch seconds."""
LEVEL = 6


def packed(frames: list[list[object]]) -> bytes:
    """Frames as they are stored."""
    return zlib.compress(json.dumps(frames, separators=(",", ":")).encode(), LEVEL)


def unpacked(data: bytes) -> list[list[Any]]:
    """Frames as they were seen."""
    frames = json.loads(zlib.decompress(data))
    assert isinstance(frames, list)
    return frames


def tracks(rows: Transaction, camera: str, block: Block) -> None:
    """Keep ten seconds of tracks."""
    key = {"camera": camera, "start": block.start}
    held = rows.find(TrackBlock, key)
    frames = block.frames
    if held:
        known = {frame[0]: frame for frame in unpacked(held["frames"])}
        frames = [*{**known, **{frame[0]: frame for frame in frames}}.values()]
    rows.put(TrackBlock, key, {"frames": packed(sorted(frames, key=_time))})


def _time(frame: list[object]) -> float:
    assert isinstance(frame[0], int | float)
    return float(frame[0])


def segment(
    rows: Transaction, key: WindowKey, counted: dict[str, Any], *, before: Any, now: float
) -> None:
    """Keep ten minutes of traffic.

    Args:
        rows: of the transaction.
        key: camera and start.
        counted: what this process has counted (`Window.result`).
        before: what an earlier process had, as `counted_before` returned it.
        now: epoch seconds.
    """
    camera, start = key
    severities = incidents(rows, camera, start)
    result = joined(counted, before) | {"incidents": severities}
    rows.put(
        SegmentAnalysis,
        {"camera": camera, "start": start, "provider": PROVIDER},
        {
            "end": start + WINDOW_S,
            "safety_score": safety_score(severities, result["coverage_s"]),
            "incident_count": len(severities),
            "analysis_result": dump(result),
            "updated_at": now,
        },
    )


def counted_before(rows: Transaction, key: WindowKey) -> Any:
    """What an earlier process has counted of a window."""
    camera, start = key
    held = rows.find(SegmentAnalysis, {"camera": camera, "start": start, "provider": PROVIDER})
    return json.loads(held["analysis_result"]) if held else None


def incidents(rows: Transaction, camera: str, start: int) -> list[str]:
    """Severities of what a camera saw happen in a window, but for rehearsals and false alarms."""
    found = select(AlertState.severity).where(
        AlertState.site == rows.site,
        AlertState.camera == camera,
        AlertState.detected_at >= start,
        AlertState.detected_at < start + WINDOW_S,
        AlertState.test == 0,
        AlertState.disposition != "false_alarm",
    )
    return [str(row[0]) for row in rows.connection.execute(found.order_by(AlertState.event_id))]
