"""Edge to the network: fetching a file whose SHA-256 is known, going on where it broke off."""

from __future__ import annotations

import hashlib
import http.client
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hazardcast.contract.errors import HazardcastError
from hazardcast.machine import durable

TIMEOUT_S = 30.0
CHUNK_BYTES = 1 << 18
MOST_BYTES = 2 << 30
ATTEMPTS = 4
"""A connection that breaks is made anew this often, each time going on where it was."""
RANGE_NOT_SATISFIABLE = 416
PARTIAL_CONTENT = 206

Progress = Callable[[int, int | None], object]
"""Bytes so far, and of how many if that is known."""


class FetchError(HazardcastError):
    """A file could not be fetched, or is not the one that was expected."""


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fetch(
    url: str, path: Path, *, sha256: str, progress: Progress = lambda _have, _all: None
) -> bool:
    """Have the file at `url` at `path`; returns False when it was there already.

    What has come is kept in `path`.part, so that the next call goes on from there; `path` appears
    only when it is whole and right.

    Raises:
        FetchError: it cannot be had, or its SHA-256 is another; the error says what was expected.
    """
    if path.is_file():
        if sha256_of(path) == sha256:
            return False
        raise FetchError(
            f"{path}: SHA-256 is {sha256_of(path)}, expected {sha256}; remove it to fetch it anew"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    _fetch_all(url, part, progress)
    got = sha256_of(part)
    if got != sha256:
        part.unlink()
        raise FetchError(f"{url}: SHA-256 is {got}, expected {sha256}; nothing was kept")
    durable.put(part, path)
    return True


def _fetch_all(url: str, part: Path, progress: Progress) -> None:
    problem = ""
    for _ in range(ATTEMPTS):
        before = part.stat().st_size if part.exists() else 0
        try:
            if _fetch_some(url, part, progress):
                return
            problem = "the connection ended early"
        except urllib.error.HTTPError as error:
            raise FetchError(f"{url}: the server answers {error.code} {error.reason}") from None
        except (OSError, ValueError, http.client.HTTPException) as error:
            problem = str(getattr(error, "reason", None) or error) or type(error).__name__
        if not part.exists() or part.stat().st_size == before:
            break
    kept = part.stat().st_size if part.exists() else 0
    raise FetchError(f"{url}: {problem}; {kept} bytes are kept, ask again to go on")


def _fetch_some(url: str, part: Path, progress: Progress) -> bool:
    """Fetch on from what is there; returns whether it is whole."""
    have = part.stat().st_size if part.exists() else 0
    headers = {"Range": f"bytes={have}-"} if have else {}
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - catalogue or operator
    try:
        answer = urllib.request.urlopen(request, timeout=TIMEOUT_S)  # noqa: S310 - as above
    except urllib.error.HTTPError as error:
        if error.code == RANGE_NOT_SATISFIABLE and have:
            return True  # nothing is left of it
        raise
    with answer:
        if have and answer.status != PARTIAL_CONTENT:
            have = 0  # a server without ranges sends it all again
        return _write(answer, part, have, progress)


def _write(answer: Any, part: Path, have: int, progress: Progress) -> bool:
    left = answer.headers.get("Content-Length")
    whole = have + int(left) if left and left.isdigit() else None
    with part.open("r+b" if have else "wb") as file:
        file.seek(have)
        while chunk := answer.read1(CHUNK_BYTES):
            have += len(chunk)
            if have > MOST_BYTES:
                raise FetchError(f"{part.name}: over {MOST_BYTES} bytes")
            file.write(chunk)
            progress(have, whole)
    return whole is None or have >= whole
