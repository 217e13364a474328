"""Clips and the pictures that decided."""

from __future__ import annotations

import base64
import binascii
import hashlib
from pathlib import PurePosixPath
from typing import Any

from sqlalchemy import select

from console.intake import words
from console.store.events import dump, storable
from console.store.tables import KEY_LENGTH, Clip, EvidencePicture
from console.store.transaction import Transaction
from hazardcast.contract.errors import DecodeError
from hazardcast.contract.messages import ClipState, Evidence, OtherClip
from hazardcast.contract.vocabulary import ClipStage

JPEG = b"\xff\xd8\xff"
REMOVED = "removed"


def clip(rows: Transaction, word: ClipState) -> None:
    """How far a clip is, and the event's other clips."""
    every: tuple[ClipState | OtherClip, ...] = (*(word.others or ()), word)
    for one in every:
        _clip(rows, word.event_id, one, word.updated_at)


def _clip(rows: Transaction, event_id: str, one: ClipState | OtherClip, at: float) -> None:
    start_ms = round(one.requested.start * 1000)
    key = {"event_id": event_id, "camera": one.camera, "start_ms": start_ms}
    held = rows.find(Clip, key)
    if held and held["updated_at"] > at:
        return
    body = words.plain(one)
    body.pop("others", None)
    if held is None or held["state"] != one.state:
        rows.add(words.clip(event_id, one.camera, one.state, start_ms=start_ms, at=at, body=body))
    rows.put(Clip, key, _values(one, at, body))


def _values(one: ClipState | OtherClip, at: float, body: dict[str, Any]) -> dict[str, Any]:
    name = PurePosixPath(one.path).name if one.path else None
    return {
        "end_ms": round(one.requested.end * 1000),
        "state": one.state,
        "coverage": one.coverage,
        "file": storable(name, KEY_LENGTH) if name else None,
        "updated_at": at,
        "body": dump(body),
    }


def clips_gone(rows: Transaction, event_id: str, now: float) -> None:
    """What was said of an event's clips is taken back: they are no longer there."""
    statement = select(Clip.camera, Clip.start_ms, Clip.state).where(
        Clip.site == rows.site, Clip.event_id == event_id
    )
    for camera, start_ms, state in rows.connection.execute(statement).all():
        if state in (ClipStage.FAILED, REMOVED):
            continue
        key = {"event_id": event_id, "camera": camera, "start_ms": start_ms}
        rows.put(Clip, key, {"state": REMOVED, "updated_at": now})


def evidence(rows: Transaction, word: Evidence) -> None:
    """The picture that decided."""
    held = rows.find(EvidencePicture, {"event_id": word.event_id})
    if held and held["ts"] > word.ts:
        return
    picture = jpeg(word.picture)
    body = words.plain(word)
    del body["picture"]
    rows.put(
        EvidencePicture,
        {"event_id": word.event_id},
        {
            "camera": word.camera, "ts": word.ts, "confidence": word.confidence,
            "body": dump(body), "picture": picture, "sha256": hashlib.sha256(picture).hexdigest(),
        },
    )  # fmt: skip


def jpeg(text: str) -> bytes:
    """The picture of an evidence message.

    Raises:
        DecodeError: it is no JPEG: whatever else it is will not be shown.
    """
    try:
        picture = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise DecodeError("not base64", field="picture") from None
    if not picture.startswith(JPEG):
        raise DecodeError("not a JPEG", field="picture")
    return picture
