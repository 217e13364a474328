"""What lies among our own files and cannot be used: passed over, and said once."""

from __future__ import annotations

import logging
from functools import lru_cache
from pathlib import Path

from hazardcast.machine import refusals

log = logging.getLogger(__name__)


def tell(path: Path, error: OSError) -> None:
    """Say that `path` is passed over, unless that was said before."""
    _tell(refusals.shown(path), refusals.in_words(error))


@lru_cache(maxsize=1000)
def _tell(path: str, why: str) -> None:
    log.warning("passed over: the system refuses it", extra={"path": path, "why": why})
