"""What a page may say through its socket; anything else ends it. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, StrictInt, TypeAdapter, ValidationError

from console.live.hls import Asked

MOST_CAMERAS = 64
LONGEST_PATH = 500
Id = Annotated[StrictInt, Field(ge=0, lt=1 << 32)]
Place = Annotated[StrictInt, Field(ge=0, lt=1 << 53)]
_NAME = re.compile(r"(?:.*/)?hls/([^/]{1,100})/([^/]{1,100})")
_INTEGER = re.compile(r"\d{1,15}")


class _Word(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Hello(_Word):
    """The page has come; `seq` is the newest event that it knows."""

    op: Literal["hello"]
    seq: Place | None = None


class Watch(_Word):
    """These cameras' detections are wanted."""

    op: Literal["watch"]
    cameras: Annotated[list[Annotated[str, Field(max_length=40)]], Field(max_length=MOST_CAMERAS)]


class Get(_Word):
    """A playlist or a piece of a file is wanted."""

    op: Literal["get"]
    id: Id
    path: Annotated[str, Field(max_length=LONGEST_PATH)]
    range: tuple[Place, Place] | None = None
    """The first byte, and the one after the last."""


class Drop(_Word):
    """The answer to a `get` is wanted no more."""

    op: Literal["drop"]
    id: Id


class Pong(_Word):
    """The page is alive."""

    op: Literal["pong"]


Word = Hello | Watch | Get | Drop | Pong
_WORDS: TypeAdapter[Word] = TypeAdapter(Annotated[Word, Field(discriminator="op")])


def read(text: str) -> Word | None:
    """The word of a message, None where it is none."""
    try:
        return _WORDS.validate_json(text)
    except (ValidationError, ValueError):
        return None


@dataclass(frozen=True)
class Wanted:
    """What a path names."""

    camera: str
    name: str
    asked: Asked


def wanted(path: str) -> Wanted | None:
    """What a path names, with or without what stands before `hls/`; None: nothing."""
    try:
        parts = urlsplit(path)
    except ValueError:
        return None
    match = _NAME.fullmatch(parts.path)
    if match is None:
        return None
    query = dict(parse_qsl(parts.query))
    asked = Asked(
        _integer(query.get("_HLS_msn")), _integer(query.get("_HLS_part")), query.get("ll") != "0",
        _moment(query.get("from")), _moment(query.get("to")),
    )  # fmt: skip
    return Wanted(unquote(match[1]), unquote(match[2]), asked)


def _integer(text: str | None) -> int | None:
    return int(text) if text and _INTEGER.fullmatch(text) else None


def _moment(text: str | None) -> float | None:
    try:
        moment = float(text) if text else None
    except ValueError:
        return None
    return moment if moment is not None and 0 <= moment <= 1e11 else None
