"""Makes one MP4 of an archive's segments when it is asked for; nothing is decoded.

One is made at a time. What was made is kept for whoever asks next, the newest ones.
"""

from __future__ import annotations

import contextlib
import shutil
import threading
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path

from console.problems import RefusedError, not_found
from hazardcast.machine import durable
from hazardcast.machine.refusals import in_words
from hazardcast.media.archives import Archive
from hazardcast.service import processes

BUILT_WITHIN_S = 180.0
MOST_KEPT = 12
LEFT_FREE_BYTES = 1_000_000_000
Run = Callable[[tuple[str, ...], float], tuple[int, bytes, str]]


def _run(command: tuple[str, ...], timeout_s: float) -> tuple[int, bytes, str]:
    return processes.run_captured(command, timeout_s=timeout_s)


class Builder:
    """Finished archives in a folder of the console's own."""

    def __init__(self, folder: Path, *, program: str, run: Run = _run) -> None:
        self._folder = folder
        self._program = program
        self._run = run
        self._lock = threading.Lock()

    def built(self, camera: str, archive: Archive) -> Path:
        """The file of an archive, made now where it is not there yet; blocks meanwhile.

        Raises:
            RefusedError: 404, retention has taken a segment; 507, no room; 500, ffmpeg failed.
        """
        with self._lock:
            path = self._folder / camera / _key(archive)
            if not path.exists():
                self._build(archive, path)
                self._keep_newest()
            return path

    def _build(self, archive: Archive, path: Path) -> None:
        wanted = _size(archive)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            free = shutil.disk_usage(path.parent).free
        except OSError as error:
            raise _no_room() from error
        if free < 2 * wanted + LEFT_FREE_BYTES:
            raise _no_room()
        draft = path.with_name(f".{path.name}.part")
        try:
            try:
                code, _, said = self._run(self._command(archive, draft), BUILT_WITHIN_S)
            except OSError as error:  # no ffmpeg here
                code, said = 1, in_words(error)
            if code:
                _size(archive)  # a segment that is gone says so better than ffmpeg does
                last = said.strip().splitlines()[-1:] or ["no reason given"]
                detail = f"the archive could not be made: {last[0][:200]}"
                raise RefusedError(HTTPStatus.INTERNAL_SERVER_ERROR, detail)
            durable.put(draft, path)
        finally:
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)

    def _command(self, archive: Archive, draft: Path) -> tuple[str, ...]:
        joined = "|".join(str(segment.path.resolve()) for segment in archive.segments)
        return (
            self._program, "-hide_banner", "-nostdin", "-loglevel", "error", "-y",
            "-f", "mpegts", "-i", f"concat:{joined}", "-map", "0:v:0", "-map", "0:a:0?",
            "-c", "copy",
            "-metadata", f"creation_time={int(archive.start * 1_000_000)}",
            "-movflags", "+faststart", "-f", "mp4", str(draft),
        )  # fmt: skip

    def _keep_newest(self) -> None:
        made = sorted(self._folder.glob("*/*.mp4"), key=lambda path: path.stat().st_mtime)
        for path in made[:-MOST_KEPT]:
            with contextlib.suppress(OSError):
                path.unlink()


def _key(archive: Archive) -> str:
    first, last = archive.segments[0], archive.segments[-1]
    return f"{first.start_ms}-{last.end_ms}.mp4"


def _size(archive: Archive) -> int:
    try:
        return sum(segment.path.stat().st_size for segment in archive.segments)
    except OSError:
        raise no_archive() from None


def no_archive() -> RefusedError:
    """The one answer for what is not there."""
    return not_found("there is no such archive of this camera")


def _no_room() -> RefusedError:
    return RefusedError(HTTPStatus.INSUFFICIENT_STORAGE, "no room to make the archive")
