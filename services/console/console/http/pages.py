"""The page's own files: what lies in `page/`, by a list made at the start, and nothing else."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import Response

from console.http import codings
from console.problems import not_found

PAGE = Path(__file__).resolve().parents[1] / "page"
INDEX = "index.html"
PAGES = ("", "live", "wall", "incidents", "clips", "timeline", "statistics", "map", "health",
         "journal", "accounts", "login")  # fmt: skip
"""Addresses that the page answers itself; all one level deep, so that its relative addresses hold
below any prefix of a proxy."""
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".map": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".wasm": "application/wasm",
    ".mp3": "audio/mpeg",
    ".ogg": "audio/ogg",
    ".txt": "text/plain; charset=utf-8",
    ".pmtiles": "application/octet-stream",
    ".geojson": "application/geo+json",
}
PACKED = frozenset({
    ".html", ".js", ".mjs", ".css", ".json", ".webmanifest", ".map", ".svg", ".txt", ".geojson",
})  # fmt: skip
"""Text is sent as a third of itself; pictures and fonts are packed already."""
ASK_AGAIN = "no-cache"
"""Kept by the browser, and asked for by its tag each time: an upgrade is seen at once."""


@dataclass(frozen=True)
class Asset:
    """One file of the page, in memory."""

    body: bytes
    kind: str
    tag: str
    packed: bytes | None = None
    """By gzip, where that is worth it."""


def load(folder: Path = PAGE) -> dict[str, Asset]:
    """Every file of the page by its path; those of no known kind, and links, are left out."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return {
        path.relative_to(folder).as_posix(): _asset(path) for path in files if path.suffix in TYPES
    }


def _asset(path: Path) -> Asset:
    body = path.read_bytes()
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    packed = gzip.compress(body, mtime=0) if path.suffix in PACKED else body
    return Asset(body, TYPES[path.suffix], tag, packed if len(packed) < len(body) else None)


def router(assets: Mapping[str, Asset]) -> APIRouter:
    """The routes of the page; looking at an empty page needs no account."""
    routes = APIRouter(include_in_schema=False)

    @routes.api_route("/{path:path}", methods=["GET", "HEAD"])
    async def file(path: str, request: Request) -> Response:
        asset = assets.get(INDEX if path in PAGES else path)
        if asset is None:
            raise not_found("there is no such page")
        packed = codings.takes_gzip(request.headers.getlist("accept-encoding"))
        known = _tags(request.headers.getlist("if-none-match"))
        return _answer(asset, known=known, packed=packed)

    return routes


def _answer(asset: Asset, *, known: Iterable[str], packed: bool) -> Response:
    body, headers = asset.body, {"etag": asset.tag, "cache-control": ASK_AGAIN}
    if asset.packed is not None:
        headers["vary"] = "Accept-Encoding"
    if asset.packed is not None and packed:
        body = asset.packed
        headers |= {"etag": f'{asset.tag[:-1]}-gzip"', "content-encoding": "gzip"}
    if headers["etag"] in known:
        headers.pop("content-encoding", None)
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(body, media_type=asset.kind, headers=headers)


def _tags(lines: Iterable[str]) -> list[str]:
    return [tag.strip().removeprefix("W/") for line in lines for tag in line.split(",")]
