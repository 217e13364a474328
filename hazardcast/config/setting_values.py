"""What a setting may be: ports, and names that topics, folders and labels can carry."""

from __future__ import annotations

import platform
import re
from typing import Annotated

from pydantic import AfterValidator, Field

from hazardcast.contract.fields import NAME_PATTERN

NAME_LENGTH = 48


def name(text: str) -> str:
    """A name that topics, folders and labels can carry.

    Raises:
        ValueError: it is none.
    """
    if len(text) > NAME_LENGTH or not re.fullmatch(NAME_PATTERN, text):
        raise ValueError(f"{text!r} is not 1 to {NAME_LENGTH} of A-Z a-z 0-9 _ . : -")
    return text


Port = Annotated[int, Field(ge=0, le=65_535)]
PortOfAnother = Annotated[int, Field(ge=1, le=65_535)]
"""Where somebody else listens; 0 would let the system choose."""
Name = Annotated[str, AfterValidator(name)]


def default_instance() -> str:
    """The machine's name, reduced to what a topic may carry."""
    return re.sub(r"[^A-Za-z0-9_.:-]", "-", platform.node())[:48] or "localhost"
