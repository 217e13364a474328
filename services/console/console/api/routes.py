"""Everything that the store answers, together."""

from __future__ import annotations

from fastapi import APIRouter

from console.api import alerts, clips, events, journal, owner, traffic
from console.api.clip_files import ClipFiles
from console.store.store import Store
from hazardcast.machine.clock import Clock


def routers(
    store: Store, files: ClipFiles, clock: Clock, *, cameras: frozenset[str]
) -> list[APIRouter]:
    """The routers of this room.

    Args:
        store: of the events.
        files: the folder of clips.
        clock: of the machine.
        cameras: that are configured; of others there is nothing to see.
    """
    seen = traffic.Traffic(store, cameras, clock)
    return [
        events.router(store),
        alerts.router(store, files, clock),
        clips.router(store, files),
        journal.router(store),
        traffic.router(seen),
        owner.router(seen),
    ]
