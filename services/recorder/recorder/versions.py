"""What earlier recorders left, looked at before anything is written: nothing of a newer one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from hazardcast.machine.state_version import Format, version_of
from hazardcast.media import segments
from recorder import adoption, disk


def refuse_newer(recordings_dir: Path, camera: str) -> None:
    """Look at the run log of a camera and at the notes beside its open files.

    Raises:
        ConfigError: a newer recorder wrote one of them; the error names the file.
    """
    log = recordings_dir / camera / segments.RUNS_FILE
    _refuse_newer(segments.RUNS, log, _bytes(log).splitlines())
    for note in (recordings_dir / camera / disk.OPEN).glob(f"*{disk.NOTE_SUFFIX}"):
        _refuse_newer(adoption.NOTE, note, [_bytes(note)])


def _bytes(path: Path) -> bytes:
    """Nothing where it is not there, or the system refuses it: whoever reads it says so."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _refuse_newer(form: Format, path: Path, texts: list[bytes]) -> None:
    for version in _versions(texts):
        form.check(version, path)


def _versions(texts: list[bytes]) -> Iterator[int]:
    """Those that can be read; what is damaged is left to whoever reads it."""
    for text in texts:
        try:
            yield version_of(json.loads(text))
        except (ValueError, RecursionError):
            continue
