"""The one WebSocket of a tab."""

from __future__ import annotations

from fastapi import APIRouter, WebSocket

from console.doors.asking import LookingSocket, still_looking
from console.socket.session import TRY_LATER, Session, SocketRoom

MOST_SOCKETS = 300
"""A tab has one; a wall and every desk of a centre have theirs."""


def router(room: SocketRoom) -> APIRouter:
    """`/api/v1/live`."""
    routes = APIRouter(prefix="/api/v1")
    open_sockets = 0

    @routes.websocket("/live")
    async def live(websocket: WebSocket, viewer: LookingSocket) -> None:
        nonlocal open_sockets
        await websocket.accept()
        if open_sockets >= MOST_SOCKETS:
            await websocket.close(TRY_LATER)
            return
        open_sockets += 1
        try:
            session = Session(
                websocket, viewer, room, still_looking=lambda: still_looking(websocket)
            )
            await session.run()
        finally:
            open_sockets -= 1

    return routes
