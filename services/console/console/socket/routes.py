"""The one WebSocket of a tab."""

from __future__ import annotations

from fastapi import APIRouter, WebSocket

from console.doors.asking import LookingSocket, guard_of, still_looking
from console.doors.shares import Shares
from console.socket.session import TRY_LATER, Session, SocketRoom

MOST_SOCKETS = 300
"""A tab has one; a wall and every desk of a centre have theirs."""
MOST_OF_ONE = 120
"""Of one account, which several desks may share, or of one address where nobody is known."""


def router(room: SocketRoom) -> APIRouter:
    """`/api/v1/live`."""
    routes = APIRouter(prefix="/api/v1")
    shares = Shares(MOST_SOCKETS, MOST_OF_ONE, "sockets open")

    @routes.websocket("/live")
    async def live(websocket: WebSocket, viewer: LookingSocket) -> None:
        await websocket.accept()
        holder = guard_of(websocket).holder_of(websocket)
        if why := shares.refusal(holder):
            await websocket.close(TRY_LATER, why)
            return
        shares.take(holder)
        try:
            session = Session(
                websocket, viewer, room, still_looking=lambda: still_looking(websocket)
            )
            await session.run()
        finally:
            shares.give_back(holder)

    return routes
