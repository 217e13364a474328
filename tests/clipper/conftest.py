"""A clipper on a memory bus and a manual clock, with a builder that needs no ffmpeg."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from clipper import coverage, describe
from clipper.build import Built, file_record
from clipper.finished import FinishedClips
from clipper.jobs import Job
from clipper.library import Library
from clipper.manifest import Manifest, Snapshot, SourceRecord
from clipper.progress import Progress
from clipper.recordings import Recordings
from clipper.service import Clipper, Limits
from clipper.store import JobStore

from hazardcast.contract.messages import ClipState
from hazardcast.contract.topics import CLIP_REQUESTS, CLIPS
from hazardcast.contract.vocabulary import RunCause
from hazardcast.media.segments import Run, Segment, append_run, segment_path
from hazardcast.signing import trust
from hazardcast.signing.envelope import Signer
from hazardcast.testing import ManualClock, MemoryBroker

SEGMENT_S = 10.0


def new_signer() -> Signer:
    return trust.signer_of(trust.generate_jwk("EdDSA"))


class AtOnce(Executor):
    """Runs what is submitted before it returns."""

    def submit(self, work: Callable[..., Any], /, *args: Any, **more: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(work(*args, **more))
        except BaseException as error:  # noqa: BLE001 - as an executor does
            future.set_exception(error)
        return future


@dataclass
class PlainBuilder:
    """Puts the segments' bytes one after the other; the real builder has tests of its own."""

    clock: ManualClock
    failures: list[BaseException] = field(default_factory=list)
    built: int = 0

    def build(
        self, job: Job, segments: Sequence[Segment], runs: Sequence[Run], directory: Path
    ) -> Built:
        if self.failures:
            raise self.failures.pop(0)
        self.built += 1
        found = coverage.cover(
            job.window, coverage.of_segments(segments, now=float("inf")), tolerance=0.25, runs=runs
        )
        head = describe.head(job, found, self.clock.now())
        if not found.stretches:
            return Built(Manifest.model_validate({**head, "state": "failed"}))
        video = directory / f"{job.stem}.mp4"
        video.write_bytes(b"".join(segment.path.read_bytes() for segment in segments))
        picture = video.with_suffix(".jpg")
        picture.write_bytes(b"picture")
        state = "ready" if found.complete else "partial"
        shown = Snapshot(**file_record(picture).model_dump(), at=job.request.ts)
        files = {"video": file_record(video), "snapshot": shown}
        sources = tuple(
            SourceRecord(**file_record(s.path).model_dump(), start=s.start, end=s.end, frames=1)
            for s in segments
        )
        files["sources"] = sources  # type: ignore[assignment]
        more = {"state": state, "delivered": found.delivered, **files}
        return Built(Manifest.model_validate({**head, **more}), (video, picture))


@dataclass
class Bench:
    """A clipper that can be killed and started again over the same directories."""

    data_dir: Path
    broker: MemoryBroker
    clock: ManualClock
    builder: PlainBuilder
    longest_s: float = 1e9
    most_bytes: float = 1e12
    most_clips: int = 1_000_000
    signer: Signer = field(default_factory=new_signer)
    _store: JobStore | None = None

    @property
    def recordings_dir(self) -> Path:
        return self.data_dir / "recordings"

    @property
    def clips_dir(self) -> Path:
        return self.data_dir / "clips"

    @property
    def jobs_dir(self) -> Path:
        return self.clips_dir / ".jobs"

    def start(self) -> Clipper:
        self.kill()
        self._store = JobStore(self.clips_dir)
        library = Library(self.clips_dir, self.signer)
        finished = FinishedClips(library)
        self.bus = self.broker.bus(self.clock)
        progress = Progress(
            self.bus, self.clock, finished=finished.recent, of_event=finished.of_event
        )
        clipper = Clipper(
            clock=self.clock,
            store=self._store,
            library=library,
            finished=finished,
            recordings=Recordings(self.recordings_dir),
            builder=self.builder,  # type: ignore[arg-type]
            executor=AtOnce(),
            progress=progress,
            segment_s={"north": SEGMENT_S},
            limits=Limits(self.longest_s, self.most_bytes, self.most_clips),
        )
        self.bus.subscribe(CLIP_REQUESTS, clipper.accept)
        self.bus.on_connect(progress.repeat)
        self.bus.start()
        return clipper

    def kill(self) -> None:
        if self._store:
            self.bus.close()
            self._store.close()
            self._store = None

    def record(self, start: float, seconds: float, camera: str = "north") -> list[Path]:
        """Closed segments of 10 s with frames every 40 ms."""
        paths = []
        for at in range(round(seconds / SEGMENT_S)):
            start_ms = round((start + at * SEGMENT_S) * 1000)
            path = segment_path(self.recordings_dir, camera, start_ms, start_ms + 9960)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(f"video of {start_ms}".encode())
            paths.append(path)
        return paths

    def run_began(
        self, start: float, end: float | None = None, cause: RunCause | None = None
    ) -> None:
        append_run(self.recordings_dir, "north", Run(start, end, cause))

    def ask(self, event_id: str = "4097-1", **fields: Any) -> None:
        request = {"event_id": event_id, "camera": "north", "ts": self.clock.now(), **fields}
        message = CLIP_REQUESTS.message.parse(request)  # type: ignore[union-attr]
        self.broker.send(CLIP_REQUESTS.path(), message.encode().encode())

    def states(self, event_id: str = "4097-1") -> list[ClipState]:
        return [state for state in self.broker.messages(CLIPS) if state.event_id == event_id]

    def words(self, event_id: str = "4097-1") -> list[str]:
        return [state.state for state in self.states(event_id)]

    def files(self) -> list[str]:
        return sorted(path.name for path in self.clips_dir.glob("accident_*"))

    def jobs(self) -> list[str]:
        return sorted(path.name for path in self.jobs_dir.iterdir() if path.is_dir())


@pytest.fixture
def bench(tmp_path: Path, broker: MemoryBroker, clock: ManualClock) -> Iterator[Bench]:
    made = Bench(tmp_path / "data", broker, clock, PlainBuilder(clock))
    made.recordings_dir.mkdir(parents=True)
    yield made
    made.kill()
