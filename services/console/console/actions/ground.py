"""The operator's own map under the page's: `map.geojson` beside `cameras.yaml` (RFC 7946).

Streets and buildings as the site has them; nothing is asked of anybody else's server. A file that
cannot be drawn is told in the log, once for each change, and the page draws its grid.
"""

from __future__ import annotations

import json
import logging
import threading
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import Response

from console.doors.asking import Looking
from console.problems import not_found
from hazardcast.machine.refusals import in_words

log = logging.getLogger(__name__)
NAME = "map.geojson"
MOST_BYTES = 8 << 20
TYPES = frozenset({
    "FeatureCollection", "Feature", "GeometryCollection", "Point", "MultiPoint",
    "LineString", "MultiLineString", "Polygon", "MultiPolygon",
})  # fmt: skip
"""RFC 7946, section 1.4."""


class Ground:
    """The map's file, read anew when it has changed."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._seen: tuple[int, int] | None = None
        self._text: bytes | None = None

    def text(self) -> bytes | None:
        """The map as it lies there; None where there is none that can be drawn."""
        with self._lock:
            try:
                found = self._file.stat()
            except OSError:
                self._seen = self._text = None
                return None
            if (seen := (found.st_mtime_ns, found.st_size)) != self._seen:
                self._seen, self._text = seen, self._read(found.st_size)
            return self._text

    def _read(self, size: int) -> bytes | None:
        try:
            text = self._file.read_bytes() if size <= MOST_BYTES else b""
            problem = problem_of(text) if text else f"longer than {MOST_BYTES} bytes, or empty"
        except OSError as error:
            problem = in_words(error)
        if problem is None:
            return text
        log.error("map cannot be drawn", extra={"file": str(self._file), "reason": problem})
        return None


def problem_of(text: bytes) -> str | None:
    """Why a text is no GeoJSON; None where it is, as far as its outermost object tells."""
    try:
        told = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        return f"no JSON: {error}"
    kind = told.get("type") if isinstance(told, dict) else None
    if not isinstance(kind, str) or kind not in TYPES:
        return f"type: {kind!r} is none of {', '.join(sorted(TYPES))}"
    if kind == "FeatureCollection" and not isinstance(told.get("features"), list):
        return "features: no list"
    return None


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number of JSON")


def router(ground: Ground) -> APIRouter:
    """The route of the map."""
    routes = APIRouter(prefix="/api/v1", tags=["station"])

    @routes.get(f"/{NAME}", response_class=Response)
    def drawn(_viewer: Looking) -> Response:
        """The operator's own map as GeoJSON, where the site has one."""
        text = ground.text()
        if text is None:
            raise not_found("no map lies beside cameras.yaml, or none that can be drawn")
        headers = {"cache-control": "private, no-cache"}
        return Response(text, media_type="application/geo+json", headers=headers)

    return routes
