"""Answers that are playlists, files or pieces of files, by HTTP or through the socket."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from console.live import ranges
from console.live.ranges import Piece, UnsatisfiableError
from console.live.video import Video
from console.problems import RefusedError

PRIVATE = {"Cache-Control": "private, max-age=60", "Accept-Ranges": "bytes"}


@dataclass(frozen=True)
class Answer:
    """What goes back; `blocks` may be read from a disk."""

    blocks: Iterator[bytes] | bytes
    media_type: str
    headers: dict[str, str] = field(default_factory=dict)
    status: HTTPStatus = HTTPStatus.OK


def asked_of(video: Video, byte_range: str | None) -> Piece | None:
    """The piece of a file that a request wants; None for all of it.

    Raises:
        RefusedError: 416, there are no such bytes.
    """
    try:
        return ranges.wanted(byte_range, video.size)
    except UnsatisfiableError:
        raise RefusedError(
            HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
            "there are no such bytes",
            headers={"Content-Range": f"bytes */{video.size}"},
        ) from None


def of_file(
    video: Video,
    byte_range: str | None,
    *,
    media_type: str,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """A file or a piece of it, read as it is sent.

    Raises:
        RefusedError: 416, there are no such bytes.
    """
    piece = asked_of(video, byte_range)
    if piece is None:
        more = {**PRIVATE, **(headers or {}), "Content-Length": str(video.size)}
        return Answer(video.blocks(Piece(0, video.size - 1)), media_type, more)
    return of_piece(video.blocks(piece), piece, str(video.size), media_type, headers=headers)


def of_piece(
    data: Iterator[bytes] | bytes,
    piece: Piece,
    size: str,
    media_type: str,
    *,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """A piece that is there; `size` of the whole, `*` where that does not matter."""
    more = {
        **PRIVATE,
        **(headers or {}),
        "Content-Length": str(piece.size),
        "Content-Range": f"bytes {piece.first}-{piece.last}/{size}",
    }
    return Answer(data, media_type, more, HTTPStatus.PARTIAL_CONTENT)
