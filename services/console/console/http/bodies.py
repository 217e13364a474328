"""No request's body is larger than any that the console has a use for."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException

from console.problems import RefusedError, answer

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES = 64 << 10
TOO_LARGE = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class BoundedBodies:
    """Middleware that refuses a larger one: a body is read before anyone is asked who they are."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it by the length that it tells."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        told = Headers(scope=scope).get("content-length", "")
        if told.isdecimal() and (len(told) > 15 or int(told) > MOST_BYTES):
            detail = f"a body has {MOST_BYTES} bytes at most"
            await answer(RefusedError(TOO_LARGE, detail))(scope, receive, send)
            return
        await self._app(scope, _counted(receive), send)


def _counted(receive: Receive) -> Receive:
    """What comes in pieces tells no length: it is cut where it grows too long."""
    heard = 0

    async def counted() -> Message:
        nonlocal heard
        message = await receive()
        heard += len(message.get("body", b""))
        if heard > MOST_BYTES:
            raise HTTPException(TOO_LARGE)
        return message

    return counted
