"""The little HTTP that the command line speaks: JSON in, JSON out, text."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

from hazardcast.contract.errors import HazardcastError

TIMEOUT_S = 5.0


class HttpError(HazardcastError):
    """A server did not answer, or answered that something is wrong."""


def get_text(url: str) -> str:
    """What a server answers at `url`.

    Raises:
        HttpError: it does not answer, or not with success.
    """
    return _ask(urllib.request.Request(url))  # noqa: S310 - our own services' addresses


def get_json(url: str) -> Any:
    """What a server answers at `url`, decoded.

    Raises:
        HttpError: it does not answer, or not with JSON.
    """
    return _decoded(get_text(url), url)


def post_json(url: str, body: str, *, token: str) -> Any:
    """Send JSON with a bearer token and return the decoded answer.

    Raises:
        HttpError: the server refuses; the error has the server's own words.
    """
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    request = urllib.request.Request(url, data=body.encode(), headers=headers, method="POST")  # noqa: S310 - given by the user
    return _decoded(_ask(request), url)


def _ask(request: urllib.request.Request) -> str:
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310 - as above
            return str(answer.read().decode("utf-8", "replace"))
    except urllib.error.HTTPError as error:
        detail = " ".join(error.read().decode("utf-8", "replace").split())
        raise HttpError(f"{request.full_url}: {error.code} {error.reason}: {detail}") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise HttpError(f"{request.full_url}: {reason}") from None


def _decoded(text: str, url: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise HttpError(f"{url}: the answer is not JSON") from None
