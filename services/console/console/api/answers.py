"""How the store's answers look: JSON with a tag, and refusals as problems."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from fastapi import Request
from fastapi.responses import Response
from sqlalchemy import Connection

from console.doors.viewer import Viewer
from console.problems import RefusedError, no_camera
from console.store.database import StoreUnavailableError
from console.store.paging import CursorError, Place, place
from console.store.store import Store

RETRY_S = 5
ASKED_AGAIN = "private, no-cache"
"""May be kept, if it is asked for each time whether it still holds."""


@contextmanager
def asking(store: Store) -> Iterator[Connection]:
    """A connection; a database that cannot be asked is a problem of the server's.

    Raises:
        RefusedError: 503.
    """
    try:
        with store.reading() as connection:
            yield connection
    except StoreUnavailableError:
        raise unavailable() from None


def unavailable() -> RefusedError:
    """The database cannot be asked now; why is in the log and in `/readyz`, not for everybody."""
    return RefusedError(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "the event store cannot be asked now",
        headers={"retry-after": str(RETRY_S)},
    )


def tagged(request: Request, told: Any) -> Response:
    """JSON with an entity tag; nothing but the tag when the asker has it already (RFC 9110)."""
    body = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    tag = f'"{hashlib.sha256(body).hexdigest()[:24]}"'
    headers = {"etag": tag, "cache-control": ASKED_AGAIN}
    known = request.headers.get("if-none-match", "")
    if known == "*" or tag in {one.strip().removeprefix("W/") for one in known.split(",")}:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


def after(cursor: str | None, *, key: type[int] | type[str] = int) -> Place | None:
    """Where a page goes on.

    Raises:
        RefusedError: 400, it is no cursor.
    """
    try:
        return place(cursor or None, key=key)
    except CursorError as error:
        raise RefusedError(HTTPStatus.BAD_REQUEST, f"cursor: {error}", field="cursor") from None


def seen_camera(viewer: Viewer, camera: str, known: frozenset[str]) -> str:
    """A camera that is there and that the viewer may see.

    Raises:
        RefusedError: 404, the same for both.
    """
    if camera not in known or not viewer.may_see(camera):
        raise no_camera()
    return camera
