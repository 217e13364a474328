"""What a request becomes: a job with a directory's name and a clip's name. Pure."""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass
from itertools import count
from typing import Annotated

from pydantic import AfterValidator

from hazardcast.contract.errors import DecodeError
from hazardcast.contract.fields import MILLISECONDS_FROM, NAME_PATTERN
from hazardcast.contract.messages import ClipRequest, Message, Window

LATEST = MILLISECONDS_FROM - 1.0
"""The last moment that the messages' times can express."""
FILE_VERSION = 1
"""Of `job.json` and of a clip's manifest: what their fields mean."""


def _known(version: int) -> int:
    if version != FILE_VERSION:
        raise ValueError(
            f"written by another Hazardcast as version {version}; this one reads {FILE_VERSION}"
        )
    return version


FileVersion = Annotated[int, AfterValidator(_known)]
"""A field that refuses files of another version by name; fields that are new are passed over."""


class Job(Message):
    """A request as kept on disk until its clip is there."""

    version: FileVersion = FILE_VERSION
    name: str
    """Its directory below `clips/.jobs`."""
    stem: str
    """The clip's file name without its ending."""
    accepted_at: float
    request: ClipRequest

    @property
    def window(self) -> Window:
        """The wanted stretch of wall clock."""
        return window_of(self.request)


@dataclass(frozen=True)
class Identity:
    """What makes two requests the same: event, camera and window to the millisecond."""

    event_id: str
    camera: str
    start_ms: int
    end_ms: int


def window_of(request: ClipRequest) -> Window:
    """The wanted window, kept inside the range of times that messages can express."""
    start = max(0.0, min(request.ts - request.pre_s, LATEST))
    return Window(start=start, end=max(start, min(request.ts + request.post_s, LATEST)))


def identity(request: ClipRequest) -> Identity:
    """The request's identity."""
    window = window_of(request)
    return Identity(
        request.event_id, request.camera, round(window.start * 1000), round(window.end * 1000)
    )


def new_job(
    request: ClipRequest, *, now: float, names: Container[str], stems: Container[str]
) -> Job:
    """A job under names that are still free."""
    return Job(
        name=_free(directory_name(request.event_id), names),
        stem=_free(f"accident_{int(request.ts)}_{request.camera}", stems),
        accepted_at=now,
        request=request,
    )


def named(job: Job, names: Container[str]) -> Job:
    """`job` with a directory name that is still free."""
    return job.model_copy(update={"name": _free(directory_name(job.request.event_id), names)})


def directory_name(event_id: str) -> str:
    """A name that any volume bears, FAT too, made from an event id, which holds no `~`.

    Raises:
        DecodeError: the id holds what no event id may.
    """
    if not re.fullmatch(NAME_PATTERN, event_id):
        raise DecodeError("not a plain name", field="event_id")
    name = event_id.replace(":", "~")
    return f"~{name[1:]}" if name.startswith(".") else name


def _free(wanted: str, taken: Container[str]) -> str:
    if wanted not in taken:
        return wanted
    return next(name for n in count(2) if (name := f"{wanted}~{n}") not in taken)
