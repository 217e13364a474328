"""What a file or a set of settings is, in one line of hex digits."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path


def of_file(path: Path) -> str:
    """Hex digits of a file's SHA-256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def of_values(values: Mapping[str, object]) -> str:
    """Hex digits of the SHA-256 of plain values, whatever their order."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
