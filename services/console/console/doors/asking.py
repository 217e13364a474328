"""What a route asks of the doors: who looks, and whether they may decide."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Request, WebSocket, WebSocketException
from starlette.requests import HTTPConnection

from console.doors.guard import Guard
from console.doors.viewer import Viewer
from console.problems import RefusedError

POLICY_VIOLATION = 1008
"""The WebSocket's close code for one who may not (RFC 6455, 7.4.1)."""


def guard_of(connection: HTTPConnection) -> Guard:
    """The doors of the application that a request came to."""
    guard = connection.app.state.guard
    assert isinstance(guard, Guard)
    return guard


async def looking(request: Request) -> Viewer:
    """Who looks.

    Raises:
        RefusedError: 401, nobody that is known.
    """
    viewer = guard_of(request).viewer_of(request)
    if viewer is None:
        raise RefusedError(HTTPStatus.UNAUTHORIZED, "sign in, or send an API token")
    return viewer


async def deciding(request: Request) -> Viewer:
    """Who decides.

    Raises:
        RefusedError: 401, nobody that is known by name; 403, they may only look.
    """
    viewer = await looking(request)
    if viewer.name is None:
        raise RefusedError(HTTPStatus.UNAUTHORIZED, "deciding needs an account: sign in")
    if not viewer.may_decide:
        raise RefusedError(HTTPStatus.FORBIDDEN, f"the role {viewer.role} does not decide")
    return viewer


async def administering(request: Request) -> Viewer:
    """Who gives accounts.

    Raises:
        RefusedError: 401, nobody that is known by name; 403, they are no admin.
    """
    viewer = await looking(request)
    if viewer.name is None:
        raise RefusedError(HTTPStatus.UNAUTHORIZED, "accounts need an account: sign in")
    if not viewer.may_administer:
        raise RefusedError(HTTPStatus.FORBIDDEN, f"the role {viewer.role} gives no accounts")
    return viewer


async def exporting(request: Request) -> Viewer:
    """Who takes something away: a clip, an archive, a table.

    Raises:
        RefusedError: 401, nobody that is known; 403, a wall.
    """
    viewer = await looking(request)
    if not viewer.may_export:
        raise RefusedError(HTTPStatus.FORBIDDEN, f"the role {viewer.role} takes nothing away")
    return viewer


async def looking_socket(websocket: WebSocket) -> Viewer:
    """Who looks through a socket, before it is accepted.

    A socket lives longer than a right: ask `still_looking` at least every five seconds.

    Raises:
        WebSocketException: nobody that is known, or a page of another origin asks.
    """
    viewer = still_looking(websocket)
    if viewer is None or not guard_of(websocket).is_own_origin(websocket):
        raise WebSocketException(POLICY_VIOLATION)
    return viewer


def still_looking(websocket: WebSocket) -> Viewer | None:
    """Who looks through a socket by now; None when their right is gone."""
    return guard_of(websocket).viewer_of(websocket)


Looking = Annotated[Viewer, Depends(looking)]
Deciding = Annotated[Viewer, Depends(deciding)]
Administering = Annotated[Viewer, Depends(administering)]
Exporting = Annotated[Viewer, Depends(exporting)]
LookingSocket = Annotated[Viewer, Depends(looking_socket)]
