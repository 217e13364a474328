"""Nobody has so many requests under way that others find no room: a stream has no end."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.requests import HTTPConnection

from console.doors.asking import guard_of
from console.doors.shares import Shares
from console.problems import RefusedError, answer

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

MOST = 400
"""At once, of all: fewer than there may be connections."""
MOST_OF_ONE = 120
CHECKS = frozenset({"/healthz", "/readyz"})
"""Are answered at once, and say what is wrong while nothing else gets through."""
AGAIN_S = 2


class SharedOut:
    """Middleware that counts what each account, or address without one, is being answered."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._shares = Shares(MOST, MOST_OF_ONE, "requests under way")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it while too many are being answered."""
        if scope["type"] != "http" or scope["path"] in CHECKS:
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        holder = guard_of(connection).holder_of(connection)
        if why := self._shares.refusal(holder):
            again = {"Retry-After": str(AGAIN_S)}
            refusal = RefusedError(HTTPStatus.TOO_MANY_REQUESTS, why, headers=again)
            await answer(refusal)(scope, receive, send)
            return
        self._shares.take(holder)
        try:
            await self._app(scope, receive, send)
        finally:
            self._shares.give_back(holder)
