"""What a viewer of some cameras gets of a word that tells of others, too. Pure."""

from __future__ import annotations

import json
from typing import Any

from console.doors.viewer import Viewer

OF_THE_EVENT = ("event_id", "updated_at")
"""What one clip of an event's shares with the others."""


def narrowed(topic: str, text: str, viewer: Viewer) -> str:
    """A state's text without the cameras of others.

    Args:
        topic: of which kind.
        text: as everybody may read it who sees all cameras.
        viewer: who sees one of its cameras at least, where it is a clip's.
    """
    narrow = {"status": _status, "clips": _clips}.get(topic)
    if narrow is None or viewer.cameras is None:
        return text
    word = json.loads(text)
    if value := word["value"]:
        word["value"] = narrow(value, viewer)
    return json.dumps(word, separators=(",", ":"))


def _status(value: dict[str, Any], viewer: Viewer) -> dict[str, Any]:
    """A service's word; its details may name any camera."""
    own = [one for one in value.get("cameras", []) if viewer.may_see(one["camera"])]
    return {**value, "cameras": own, "detail": {}}


def _clips(value: dict[str, Any], viewer: Viewer) -> dict[str, Any]:
    """The clips of an event that are theirs, the first of them in front."""
    others = value.get("others") or []
    every = [{**value, "others": None}, *others]
    first, *more = [one for one in every if viewer.may_see(one["camera"])]
    shared = {name: value[name] for name in OF_THE_EVENT if name in value}
    return {**shared, **first, "others": more or None}
