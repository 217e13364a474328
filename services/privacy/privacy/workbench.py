"""One file's way from the claim to the commit.

    attempts written → covered into tmp/ → verified → sidecar → the video gets its name (the commit)
    → only now the source goes → journal

A crash between any two of these leaves the source, or a verified file with a sidecar that names the
source: the next worker does it again, or only removes the source. Doing it twice is harmless.
"""

from __future__ import annotations

import contextlib
import errno
import json
import logging
import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hazardcast.machine import durable
from hazardcast.machine.clock import Clock
from privacy import digests
from privacy import folders as shelf
from privacy.claiming import Slot
from privacy.covering import Covered, CoverError, Covering, Recipe
from privacy.ffmpeg_words import UnreadableError
from privacy.folders import SIDECAR, Folders, Name
from privacy.looking import Look, LookError
from privacy.verifying import FindFaces, NotVerifiedError, verify

log = logging.getLogger(__name__)
LEAST_FREE_BYTES = 64_000_000
"""With less, what fails fails for want of space, and no file is to blame."""
FAILURES = (CoverError, LookError, UnreadableError, NotVerifiedError, OSError)
"""What a file, a model or a module can do wrong; anything else is a bug, and ends the worker."""


_SPACE = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EMFILE, errno.ENFILE, errno.ENOMEM}
)


class UnjudgedError(Exception):
    """The work ended, and the file is not to blame."""


class NoSpaceError(UnjudgedError):
    """The machine lacks space: nobody's fault, and to be tried again later."""


@dataclass(frozen=True)
class Tools:
    """What files are covered with."""

    program: str
    """ffmpeg."""
    recipe: Recipe
    look_of: Callable[[str], Look]
    faces: FindFaces | None = None
    models: dict[str, str] | None = None
    """File name → SHA-256."""
    settings: str = ""
    """Digest of the settings that change what is shown."""


class Workbench:
    """Does the files that a slot holds."""

    def __init__(
        self, folders: Folders, slot: Slot, tools: Tools, *, clock: Clock, max_attempts: int = 3,
        beat: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        """`beat` is called as work goes on; what it raises ends the work, unjudged."""
        self._folders = folders
        self._slot = slot
        self._tools = tools
        self._clock = clock
        self._most = max_attempts
        self._beat = beat

    def do(self, name: Name) -> bool:
        """Do a claimed file; True when it is there to be seen.

        Raises:
            UnjudgedError: it was ended, or space is lacking; the file stays claimed.
            OSError: the queue's disk fails; the file stays claimed.
        """
        source = shelf.place(self._slot.folder, name)
        if self._is_done(name, source):
            self._settle(name, source)
            return True
        attempts, reasons = shelf.begun(self._folders, name)
        if attempts >= self._most:
            self._quarantine(name, source, [*reasons, "its worker died"][-self._most :])
            return False
        if self._is_full():
            raise NoSpaceError
        shelf.count(self._folders, name, attempts + 1, reasons)
        return self._try(name, source, attempts, reasons)

    def _try(self, name: Name, source: Path, attempts: int, reasons: list[str]) -> bool:
        draft = self._slot.tmp / f"{secrets.token_hex(8)}.ts"
        started = self._clock.monotonic()
        try:
            covered = self._covered(name, source, draft)
            self._commit(name, draft, self._sidecar(source, draft, covered))
        except UnjudgedError:
            self._uncount(name, attempts, reasons)
            raise
        except FAILURES as error:
            if self._lacks_space(error):
                self._uncount(name, attempts, reasons)
                raise NoSpaceError from error
            self._failed(name, source, attempts, [*reasons, str(error)])
            return False
        finally:
            draft.unlink(missing_ok=True)
        took_s = self._clock.monotonic() - started
        self._settle(name, source, took_s=round(took_s, 3), frames=len(covered.pts))
        return True

    def _covered(self, name: Name, source: Path, draft: Path) -> Covered:
        tools = self._tools
        covering = Covering(
            tools.program, tools.recipe, tools.look_of(name.camera), beat=self._beat
        )
        covered = covering.run(source, draft)
        self._beat()
        verify(tools.program, draft, covered, faces=tools.faces, beat=self._beat)
        return covered

    def _uncount(self, name: Name, attempts: int, reasons: list[str]) -> None:
        with contextlib.suppress(OSError):
            shelf.count(self._folders, name, attempts, reasons)

    def _lacks_space(self, error: Exception) -> bool:
        """Whether this failed for want of space: ffmpeg does not always say so."""
        return (isinstance(error, OSError) and error.errno in _SPACE) or self._is_full()

    def _is_full(self) -> bool:
        return shutil.disk_usage(self._folders.root).free < LEAST_FREE_BYTES

    def _sidecar(self, source: Path, draft: Path, covered: Covered) -> str:
        tools = self._tools
        read = {"bytes": source.stat().st_size, "sha256": digests.of_file(source)}
        content = {
            "source": {**read, "tracks": covered.source.tracks},
            "output": {"bytes": draft.stat().st_size, "sha256": digests.of_file(draft)},
            "frames": len(covered.pts), "frames_lost": covered.lost, "looks": covered.looks,
            "regions": covered.regions, "area": round(covered.area, 4),
            "cells": tools.recipe.cells, "solid": tools.recipe.solid,
            "models": tools.models or {}, "settings": tools.settings,
            "verified_at": round(self._clock.now(), 3),
        }  # fmt: skip
        return json.dumps(SIDECAR.stamped(content), ensure_ascii=False) + "\n"

    def _commit(self, name: Name, draft: Path, sidecar: str) -> None:
        shown = shelf.place(self._folders.out, name)
        shown.parent.mkdir(parents=True, exist_ok=True)
        durable.write(shown.with_name(name.json), sidecar)
        durable.put(draft, shown)

    def _is_done(self, name: Name, original: Path) -> bool:
        """Whether what is to be seen of a file is there, and whole."""
        shown = shelf.place(self._folders.out, name)
        about = shelf.read_json(shown.with_name(name.json), SIDECAR)
        if about is None or not shown.exists() or about.get("settings") != self._tools.settings:
            return False
        source, output = about.get("source"), about.get("output")
        if not isinstance(source, dict) or not isinstance(output, dict):
            return False
        with contextlib.suppress(OSError):  # what cannot be read is tried, and judged there
            return (source.get("sha256"), output.get("sha256")) == (
                digests.of_file(original), digests.of_file(shown),
            )  # fmt: skip
        return False

    def _settle(self, name: Name, source: Path, **facts: object) -> None:
        """The file can be seen: its source is not needed here any more."""
        shelf.gone(source)
        shelf.forget_attempts(self._folders, name)
        self._tell(name, "shown", **facts)

    def _failed(self, name: Name, source: Path, attempts: int, reasons: list[str]) -> None:
        log.warning(
            "a file could not be covered",
            extra={"camera": name.camera, "file": name.file, "why": reasons[-1]},
        )
        shelf.count(self._folders, name, attempts + 1, reasons)
        if attempts + 1 >= self._most:
            self._quarantine(name, source, reasons)
        else:
            self._slot.give_back(name)
            self._tell(name, "failed", why=reasons[-1])

    def _quarantine(self, name: Name, source: Path, reasons: list[str]) -> None:
        about = shelf.place(self._folders.quarantine, name).with_name(name.json)
        about.parent.mkdir(parents=True, exist_ok=True)
        content = {"reasons": reasons, "settings": self._tools.settings, "at": self._clock.now()}
        durable.write(about, json.dumps(SIDECAR.stamped(content), ensure_ascii=False) + "\n")
        shelf.put_in(source, self._folders.quarantine, name)
        shelf.forget_attempts(self._folders, name)
        self._tell(name, "quarantined", why=reasons[-1])

    def _tell(self, name: Name, what: str, **facts: object) -> None:
        at = round(self._clock.now(), 3)
        entry = {"at": at, "what": what, "camera": name.camera, "file": name.file}
        shelf.tell(self._folders, {**entry, **facts})
