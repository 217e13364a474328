"""Jobs on disk: `clips/.jobs/{event_id}/job.json` and, hard-linked beside it, the segments.

A job's directory appears whole (written beside, flushed, renamed) and goes away only when its clip
and manifest are in place; a link keeps a segment when retention removes the recording's own name.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import shutil
from pathlib import Path

from clipper.jobs import Job
from hazardcast.contract.errors import ConfigError, DecodeError
from hazardcast.machine import durable, passed_over
from hazardcast.machine.refusals import in_words
from hazardcast.media.segments import Segment, believed, parse_segment

log = logging.getLogger(__name__)

JOBS_DIR = ".jobs"
JOB_FILE = "job.json"
SEGMENTS_DIR = "segments"
BUILD_DIR = "build"
COPIED_AT_ONCE = 1 << 20
UNFINISHED = ".new-"
REMOVED = ".old-"
NO_HARD_LINK = frozenset({errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP, errno.EACCES})


class JobStore:
    """The jobs below a clips directory; only one process may hold it."""

    def __init__(self, clips_dir: Path) -> None:
        self.root = clips_dir / JOBS_DIR
        self.root.mkdir(parents=True, exist_ok=True)
        self._lock = _locked(self.root)

    def close(self) -> None:
        """Let another process hold the jobs."""
        os.close(self._lock)

    def add(self, job: Job) -> None:
        """Keep a job; when this returns, it survives a power cut.

        Raises:
            OSError: the disk does not take it.
        """
        unfinished = self.root / f"{UNFINISHED}{job.name}"
        _remove(unfinished)
        try:
            (unfinished / SEGMENTS_DIR).mkdir(parents=True)
            durable.write(unfinished / JOB_FILE, job.encode())
        except OSError:
            _remove_if_possible(unfinished)
            raise
        durable.move(unfinished, self.root / job.name)

    def names(self) -> set[str]:
        """Directory names that are taken."""
        return {path.name for path in self.root.iterdir()}

    def load(self) -> list[Job]:
        """The jobs that a stop or crash left, oldest first; half-made ones go away."""
        jobs = []
        for directory in sorted(self.root.iterdir()):
            if directory.name.startswith((UNFINISHED, REMOVED)):
                _remove_if_possible(directory)
            elif directory.is_dir() and (job := _read(directory)):
                jobs.append(job)
        return sorted(jobs, key=lambda job: job.accepted_at)

    def keep(self, job: Job, segments: list[Segment]) -> list[Segment]:
        """Link the segments that are not yet kept, or copy them where no link can be made.

        Returns those newly kept. One that retention took in the meantime is passed over.
        """
        directory = self.root / job.name / SEGMENTS_DIR
        have = {path.name for path in directory.iterdir()}
        new = [segment for segment in segments if segment.path.name not in have]
        kept = [segment for segment in new if _keep(segment.path, directory / segment.path.name)]
        if kept:
            durable.flush_folder(directory)
        return kept

    def segments(self, job: Job) -> list[Segment]:
        """What is kept for a job, oldest first."""
        paths = (self.root / job.name / SEGMENTS_DIR).iterdir()
        named = (segment for path in paths if (segment := parse_segment(path)))
        return sorted(true for segment in named if (true := believed(segment)))

    def build_dir(self, job: Job) -> Path:
        """An empty directory to build in, on the same file system as the clips."""
        directory = self.root / job.name / BUILD_DIR
        _remove(directory)
        directory.mkdir()
        return directory

    def remove(self, job: Job) -> None:
        """Forget a job: from one moment to the next it is no longer there."""
        removed = self.root / f"{REMOVED}{job.name}"
        _remove(removed)
        with contextlib.suppress(FileNotFoundError):
            durable.move(self.root / job.name, removed)
        _remove_if_possible(removed)


def _locked(root: Path) -> int:
    """A descriptor that holds the lock of `root` until it is closed or the process ends."""
    try:
        return durable.lock(root / ".lock")
    except BlockingIOError:
        raise ConfigError(
            f"{root}: another clipper works here; give each its own HAZARDCAST_DATA_DIR"
        ) from None


def _read(directory: Path) -> Job | None:
    try:
        job = Job.decode((directory / JOB_FILE).read_bytes())
        (directory / SEGMENTS_DIR).mkdir(exist_ok=True)
    except (OSError, DecodeError) as error:
        reason = in_words(error) if isinstance(error, OSError) else str(error)
        log.error(
            "job cannot be read, left as it is", extra={"job": directory.name, "reason": reason}
        )
        return None
    return job.model_copy(update={"name": directory.name})


def _keep(source: Path, target: Path) -> bool:
    if source.is_symlink():  # a link to the link would not keep what it leads to
        return _copy(source, target)
    try:
        os.link(source, target)
    except FileNotFoundError:
        return False
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in NO_HARD_LINK:
            raise
        return _copy(source, target)
    return True


def _copy(source: Path, target: Path) -> bool:
    """Copy a segment; False for one that is gone, or cannot be read: no clip waits for that."""
    try:
        content = source.open("rb")
    except FileNotFoundError:
        return False
    except OSError as error:
        passed_over.tell(source, error)
        return False
    temporary = target.with_suffix(".copying")
    with content, temporary.open("wb") as copy:
        shutil.copyfileobj(content, copy, COPIED_AT_ONCE)
    durable.put(temporary, target)
    return True


def _remove(directory: Path) -> None:
    if directory.exists():
        shutil.rmtree(directory)


def _remove_if_possible(directory: Path) -> None:
    """What another user put there stays, and nobody waits for it."""
    try:
        _remove(directory)
    except OSError as error:
        passed_over.tell(directory, error)
