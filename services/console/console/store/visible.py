"""What a viewer may see: what is of one of their cameras, or of none."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, or_
from sqlalchemy.orm import InstrumentedAttribute


def visible(
    camera: InstrumentedAttribute[Any], cameras: Collection[str] | None
) -> list[ColumnElement[bool]]:
    """The condition, if there is one; None for `cameras` is all of them."""
    if cameras is None:
        return []
    return [or_(camera.is_(None), camera.in_(sorted(cameras)))]
