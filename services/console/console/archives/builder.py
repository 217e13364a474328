"""Makes one MP4 of an archive's segments when it is asked for; nothing is decoded.

Of a camera one is made at a time, and of all cameras few: who asks meanwhile is told to come again.
What was made is kept for whoever asks next, the newest ones.
"""

from __future__ import annotations

import contextlib
import shutil
import threading
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path

from console.live import video
from console.problems import RefusedError, not_found
from hazardcast.machine import durable
from hazardcast.machine.refusals import in_words
from hazardcast.media.archives import Archive
from hazardcast.service import processes

BUILT_WITHIN_S = 180.0
MOST_KEPT = 12
MOST_AT_ONCE = 2
"""A disk that records has little to spare."""
AGAIN_S = 5
"""Who was refused may ask again after so long."""
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
        self._building: set[str] = set()

    def made(self, camera: str, archive: Archive) -> Path | None:
        """The file of an archive that was made before, None where it was not."""
        path = self._path(camera, archive)
        return path if path.exists() else None

    def built(self, camera: str, archive: Archive) -> Path:
        """The file of an archive, made now where it is not there yet; blocks meanwhile.

        Raises:
            RefusedError: 404, retention has taken a segment; 507, no room; 500, ffmpeg failed;
                503, another is being made.
        """
        with self._turn_of(camera):
            path = self._path(camera, archive)
            if not path.exists():
                self._build(archive, path)
                self._keep_newest()
            return path

    def _path(self, camera: str, archive: Archive) -> Path:
        return self._folder / camera / _key(archive)

    @contextlib.contextmanager
    def _turn_of(self, camera: str) -> Iterator[None]:
        with self._lock:
            if camera in self._building or len(self._building) >= MOST_AT_ONCE:
                raise _busy()
            self._building.add(camera)
        try:
            yield
        finally:
            with self._lock:
                self._building.discard(camera)

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
        with self._lock, contextlib.suppress(OSError):
            made = sorted(self._folder.glob("*/*.mp4"), key=lambda path: path.stat().st_mtime)
            for path in made[:-MOST_KEPT]:
                path.unlink(missing_ok=True)


def _key(archive: Archive) -> str:
    first, last = archive.segments[0], archive.segments[-1]
    return f"{first.start_ms}-{last.end_ms}.mp4"


def _size(archive: Archive) -> int:
    """Of its segments, bytes; each must lie in the camera's own folder."""
    paths = [segment.path for segment in archive.segments]
    if not all(video.is_of(path.parent.parent, path) for path in paths):
        raise no_archive()
    try:
        return sum(path.stat().st_size for path in paths)
    except OSError:
        raise no_archive() from None


def no_archive() -> RefusedError:
    """The one answer for what is not there."""
    return not_found("there is no such archive of this camera")


def _busy() -> RefusedError:
    return RefusedError(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "another archive is being made: ask again",
        headers={"retry-after": str(AGAIN_S)},
    )


def _no_room() -> RefusedError:
    return RefusedError(HTTPStatus.INSUFFICIENT_STORAGE, "no room to make the archive")
