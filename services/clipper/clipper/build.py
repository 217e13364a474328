"""One clip, from kept segments to a manifest."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from clipper import coverage, describe, plan, scanning, splice
from clipper.chain import Source, as_named, told_before
from clipper.chapters import iso_time
from clipper.coverage import Coverage
from clipper.ffmpeg import Ffmpeg, FfmpegError
from clipper.jobs import Job
from clipper.manifest import FileRecord, Manifest, Snapshot, SourceRecord
from clipper.plan import Piece, Plan
from hazardcast.contract.vocabulary import ClipStage
from hazardcast.machine.clock import Clock
from hazardcast.media.coverage import Stretch
from hazardcast.media.segments import Run, Segment

log = logging.getLogger(__name__)

INDEX_BYTES_A_FRAME = 40
INDEX_BYTES_A_SECOND = 1000
INDEX_BYTES = 65_536
"""Room for an MP4's index: per frame at most stts, ctts, stsz, stss and co64 entries, for sound
about 50 entries of 8 bytes a second, and chapters and headers."""


@dataclass(frozen=True)
class Built:
    """What a build leaves in its directory: files to move in place, and what to say of them."""

    manifest: Manifest
    files: tuple[Path, ...] = ()


@dataclass(frozen=True)
class _Joined:
    video: Path
    frames: int
    method: str


class Builder:
    """Builds clips with one ffmpeg; holds no state between them."""

    def __init__(self, ffmpeg: Ffmpeg, clock: Clock) -> None:
        self._ffmpeg = ffmpeg
        self._version = ffmpeg.version()
        self._clock = clock

    def build(
        self, job: Job, segments: Sequence[Segment], runs: Sequence[Run], directory: Path
    ) -> Built:
        """Build the clip of `job` from `segments` in an empty `directory`.

        Raises:
            FfmpegError: it can be neither copied nor re-encoded.
            StoppedError: the service is stopping.
            OSError: a file cannot be read or written.
        """
        sources, unreadable = read_sources(segments)
        try:
            planned = plan.make(job.window, job.request.ts, sources)
        except plan.NothingToShowError:
            return Built(self._failed(job, unreadable, runs))
        found = describe.coverage_of(job, planned, unreadable, runs)
        with ThreadPoolExecutor(1, thread_name_prefix="hash") as pool:
            used = describe.frames_used(planned)
            records = pool.submit(
                lambda: tuple(_source(segment, used[segment]) for segment in used)
            )
            joined = self._join(job, planned, found, directory)
            snapshot = self._snapshot(joined.video, planned)
            manifest = self._manifest(job, planned, found, joined, runs)
            shown = snapshot and _shown(snapshot, planned)
            update = {"sources": records.result(), "snapshot": shown}
        files = (joined.video, snapshot) if snapshot else (joined.video,)
        return Built(manifest.model_copy(update=update), files)

    def _join(self, job: Job, planned: Plan, found: Coverage, directory: Path) -> _Joined:
        description = directory / "description.txt"
        description.write_text(describe.description(job, planned, found), encoding="utf-8")
        video = directory / f"{job.stem}.mp4"
        if planned.formats == 1:
            try:
                units = self._copy(planned.pieces, planned, description, video)
                frames = units - (planned.units - planned.frames)
                return _Joined(video, frames, "copy")
            except FfmpegError as error:
                log.warning("clip cannot be copied, re-encoding", extra={"reason": str(error)})
        pieces = self._reencoded(planned, directory)
        frames = self._copy(pieces, planned, description, video)
        return _Joined(video, frames, "reencoded")

    def _copy(self, pieces: Sequence[Piece], planned: Plan, description: Path, video: Path) -> int:
        codec = pieces[0].codec
        room = INDEX_BYTES + round(
            INDEX_BYTES_A_FRAME * planned.units + INDEX_BYTES_A_SECOND * planned.duration_s
        )
        try:
            return self._ffmpeg.join(
                splice.stream(pieces), video, description=description, codec=codec, room=room
            )
        except FfmpegError as error:
            log.info("joining once more in two passes", extra={"reason": str(error)})
            return self._ffmpeg.join(
                splice.stream(pieces), video, description=description, codec=codec, room=0
            )

    def _reencoded(self, planned: Plan, directory: Path) -> list[Piece]:
        """Every run of pieces of one format as one encoded piece of the same size."""
        groups = plan.groups(planned)
        sizes = [self._ffmpeg.size_of(group[0].source.segment.path) for group in groups]
        size = max(sizes, key=lambda size: size[0] * size[1])
        return [
            self._reencode(group, directory / f"{index}.ts", size)
            for index, group in enumerate(groups)
        ]

    def _reencode(self, group: Sequence[Piece], path: Path, size: tuple[int, int]) -> Piece:
        self._ffmpeg.reencode(splice.stream(group), path, size=size)
        with path.open("rb") as file:
            scanned = scanning.scan(file)
        segment = replace(group[0].source.segment, path=path)
        return plan.whole(Source(segment, scanned), like=group)

    def _snapshot(self, video: Path, planned: Plan) -> Path | None:
        picture = video.with_suffix(".jpg")
        just_before_s = planned.snapshot.media_s - planned.interval_s / 2
        try:
            self._ffmpeg.still(video, just_before_s, picture)
        except FfmpegError as error:
            log.warning("no snapshot", extra={"reason": str(error)})
            return None
        return picture

    def _manifest(
        self, job: Job, planned: Plan, found: Coverage, joined: _Joined, runs: Sequence[Run]
    ) -> Manifest:
        if joined.frames != planned.frames:
            log.error(
                "clip does not hold the planned frames",
                extra={"planned": planned.frames, "muxed": joined.frames},
            )
        return Manifest.model_validate({
            **describe.head(job, found, self._clock.now()),
            "state": ClipStage.READY if found.complete else ClipStage.PARTIAL,
            "delivered": plan.delivered(planned),
            "incident_media_s": job.request.ts - planned.first_wall,
            "first_frame_at": planned.first_wall,
            "first_frame_iso": iso_time(planned.first_wall),
            "clock_error_s": describe.clock_error_s(planned, runs),
            "video": file_record(joined.video),
            "duration_s": round(planned.duration_s, 6),
            "frames": joined.frames,
            "method": joined.method,
            "stretches": describe.stretch_records(planned),
            "ffmpeg": self._version,
        })  # fmt: skip

    def _failed(self, job: Job, unreadable: Sequence[Stretch], runs: Sequence[Run]) -> Manifest:
        found = describe.explained(
            coverage.cover(job.window, (), tolerance=coverage.LEAST_TOLERANCE_S, runs=runs),
            unreadable,
        )
        head = describe.head(job, found, self._clock.now())
        return Manifest.model_validate({**head, "state": ClipStage.FAILED})


def read_sources(segments: Sequence[Segment]) -> tuple[list[Source], list[Stretch]]:
    """Scan segments: those that hold video, and the stretches of those that cannot be read."""
    sources, unreadable = [], []
    for segment in segments:
        try:
            with segment.path.open("rb") as file:
                sources.append(as_named(Source(segment, scanning.scan(file))))
        except (OSError, scanning.UnreadableStreamError) as error:
            log.warning(
                "segment left out", extra={"segment": segment.path.name, "reason": str(error)}
            )
            unreadable.append(Stretch(segment.start, segment.end))
    return told_before(sources), unreadable


def sha256_of(path: Path) -> str:
    """Hexadecimal SHA-256 of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def file_record(path: Path) -> FileRecord:
    """A file as the manifest lists it."""
    return FileRecord(name=path.name, bytes=path.stat().st_size, sha256=sha256_of(path))


def _source(segment: Segment, frames: int) -> SourceRecord:
    record = file_record(segment.path)
    return SourceRecord(**record.model_dump(), start=segment.start, end=segment.end, frames=frames)


def _shown(picture: Path, planned: Plan) -> Snapshot:
    return Snapshot(**file_record(picture).model_dump(), at=planned.snapshot.wall)
