"""The clipper: takes requests, keeps the segments they need, builds the clip, says how it goes."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Executor, Future
from dataclasses import asdict, dataclass, replace

from clipper import coverage, crowding, metrics, retention, task
from clipper.build import Builder
from clipper.ffmpeg import FfmpegError, StoppedError
from clipper.finished import FinishedClips
from clipper.jobs import Identity, Job, identity, named, new_job
from clipper.library import Library
from clipper.manifest import Manifest
from clipper.progress import Progress
from clipper.recordings import Recordings
from clipper.second_look import SecondLook
from clipper.store import JobStore
from clipper.task import Task
from hazardcast.contract.messages import ClipperDetail, ClipRequest
from hazardcast.contract.vocabulary import ClipStage, GapCause
from hazardcast.machine.clock import Clock
from hazardcast.machine.refusals import in_words
from hazardcast.machine.steady import Steady
from hazardcast.mqtt.bus import Delivery
from hazardcast.service.lifecycle import refused
from hazardcast.service.metrics import GAVE_WAY
from hazardcast.service.sparing_log import SparingLog

log = logging.getLogger(__name__)

MOST_JOBS = 500
DEFAULT_SEGMENT_S = 10.0
RETENTION_INTERVAL_S = 60.0


@dataclass(frozen=True)
class Limits:
    """How long and how much is kept of finished clips."""

    longest_s: float
    most_bytes: float
    most_clips: int = 1_000_000


class Clipper:
    """`accept` hears requests on the bus's thread; `tick` does the work, about twice a second."""

    def __init__(
        self,
        *,
        clock: Clock,
        store: JobStore,
        library: Library,
        finished: FinishedClips,
        recordings: Recordings,
        builder: Builder,
        executor: Executor,
        progress: Progress,
        segment_s: Mapping[str, float],
        limits: Limits,
    ) -> None:
        self._clock = clock
        self._steady = Steady(clock)
        self._store = store
        self._library = library
        self._finished = finished
        self._recordings = recordings
        self._builder = builder
        self._executor = executor
        self._progress = progress
        self._segment_s = segment_s
        self._limits = limits
        self._second_look = SecondLook(library, finished, recordings, clock)
        self._lock = threading.Lock()
        self._taking = threading.Lock()
        """Held from the question whether a request is known until it is."""
        self._tasks: dict[Identity, Task] = {}
        self._unsaved: dict[Identity, ClipRequest] = {}
        self._giving_way: deque[tuple[Job, str]] = deque()
        self._refusals = SparingLog(log, clock)
        self._retention_at = float("-inf")
        self._resume()

    def _resume(self) -> None:
        """Take up what a stop or crash left; a job whose clip is there already is only tidied."""
        for job in self._store.load():
            done = self._finished.find(identity(job.request))
            if done and done.updated_at >= job.accepted_at:
                self._remove_job(job)
                continue
            self._tasks[identity(job.request)] = self._task(job)
            log.info("job resumed", extra={"event_id": job.request.event_id})

    def _task(self, job: Job) -> Task:
        segment_s = self._segment_s.get(job.request.camera, DEFAULT_SEGMENT_S)
        now, monotonic = self._clock.now(), self._clock.monotonic()
        return Task(
            job,
            waits_until=monotonic + task.patience_s(job, segment_s, now),
            starts_at=monotonic + task.head_start_s(job, now),
        )

    @property
    def facts(self) -> ClipperDetail:
        """What the status topic tells."""
        tasks = self._all()
        return ClipperDetail(
            jobs=len(tasks),
            building=sum(bool(one.building) for one in tasks),
            given_up=sum(one.gave_up for one in tasks),
        )

    def accept(self, request: ClipRequest, _delivery: Delivery) -> None:
        """Take a request; when this returns, the job is on disk, so it may be acknowledged."""
        with self._taking:
            self._accept(identity(request), request)

    def _accept(self, wanted: Identity, request: ClipRequest) -> None:
        if (known := self._tasks.get(wanted)) or wanted in self._unsaved:
            if known and known.gave_up:
                known.try_again()
            if known:
                self._progress.say_again(known.job.name)
        elif done := self._finished.find(wanted):
            if request.hold:
                self._finished.hold(wanted)
            self._progress.publish(done)
        elif refusal := self._refusal(request):
            self._refuse(request, refusal, GapCause.NEVER_RECORDED)
        elif self._has_room(wanted, request):
            self._take(wanted, request)

    def _refusal(self, request: ClipRequest) -> str | None:
        camera = request.camera
        if camera not in self._segment_s and not self._recordings.knows(camera):
            return f"camera {camera}: not in the configuration, and there are no recordings of it"
        return None

    def _has_room(self, wanted: Identity, request: ClipRequest) -> bool:
        """Whether a request can be taken; when too many wait, the least of all gives way."""
        with self._lock:
            waiting = {key: one.job.request for key, one in self._tasks.items()}
            given_up = {key for key, one in self._tasks.items() if one.gave_up or one.again}
        waiting |= self._unsaved | {wanted: request}
        if len(waiting) <= MOST_JOBS:
            return True
        for key in crowding.least_first(waiting, given_up=given_up, most=MOST_JOBS):
            if key == wanted or self._give_up(key, waiting[key], request):
                break
        return key != wanted or self._refused_for_room(request)

    def _refused_for_room(self, request: ClipRequest) -> bool:
        GAVE_WAY.labels(kind="clips", reason="slight").inc()
        self._refuse(request, crowding.reason(MOST_JOBS), GapCause.GAVE_WAY)
        return False

    def _give_up(self, wanted: Identity, least: ClipRequest, newcomer: ClipRequest) -> bool:
        """Let a waiting job go for a newcomer; False where it is being built just now."""
        one = self._tasks.get(wanted)
        if one and one.building and not one.building.cancel():
            return False
        with self._lock:
            self._tasks.pop(wanted, None)
        self._unsaved.pop(wanted, None)
        GAVE_WAY.labels(kind="clips", reason="slight").inc()
        reason = crowding.reason(MOST_JOBS, newcomer)
        if one:
            self._giving_way.append((one.job, reason))
        else:
            self._refuse(least, reason, GapCause.GAVE_WAY)
        return True

    def _let_go(self) -> None:
        """What gave way leaves the disk here, where nobody works on it, and is told last."""
        while self._giving_way:
            job, reason = self._giving_way.popleft()
            self._remove_job(job)
            self._progress.drop(job.name)
            if done := self._finished.find(identity(job.request)):
                self._progress.publish(done)
            else:
                self._refuse(job.request, reason, GapCause.GAVE_WAY)

    def _refuse(self, request: ClipRequest, reason: str, cause: GapCause) -> None:
        self._progress.refuse(task.refused(request, reason, cause, self._clock.now()))
        about = {"event_id": request.event_id, "camera": request.camera, "reason": reason}
        self._refusals.say(logging.WARNING, "request refused", extra=about)
        metrics.CLIPS.labels(result=ClipStage.FAILED).inc()

    def _take(self, wanted: Identity, request: ClipRequest) -> None:
        try:
            job = self._new_job(request)
            self._store.add(job)
        except OSError as error:
            # The bus acknowledges whatever happens here: hold it in memory until the disk takes it.
            about = {"reason": in_words(error)}
            self._refusals.say(logging.ERROR, "job cannot be saved yet", extra=about)
            self._unsaved[wanted] = request
            return
        new = self._task(job)
        with self._lock:
            self._tasks[wanted] = new
        log.info("job accepted", extra={"event_id": request.event_id, "camera": request.camera})
        self._progress.say(job.name, task.state_of(new, self._clock.now()))

    def _new_job(self, request: ClipRequest) -> Job:
        return new_job(
            request,
            now=self._clock.now(),
            names=self._store.names(),
            stems=self._library.stems() | {one.job.stem for one in self._all()},
        )

    def tick(self) -> None:
        """Look after every job once."""
        self._let_go()
        self._steady.look()
        self._take_unsaved()
        for one in self._all():
            self._look_after(one)
        for job in self._second_look.jobs():
            if identity(job.request) not in self._tasks:
                self._reopen(job)
        metrics.PENDING.set(len(self._tasks))
        if self._clock.monotonic() >= self._retention_at:
            self._retention_at = self._clock.monotonic() + RETENTION_INTERVAL_S
            self.clear_old()

    def _take_unsaved(self) -> None:
        """Try again what the disk refused; one that gives way meanwhile is not taken."""
        with self._taking:
            waiting = tuple(self._unsaved)
        for wanted in waiting:
            with self._taking:
                if request := self._unsaved.pop(wanted, None):
                    self._take(wanted, request)

    def _reopen(self, job: Job) -> None:
        """More video of a finished clip has turned up: make it anew, and keep it until then."""
        job = named(job, self._store.names())
        try:
            self._store.add(job)
        except OSError as error:
            about = {"clip": job.stem, "reason": in_words(error)}
            log.error("clip cannot be reopened", extra=about)
            return
        with self._lock:
            self._tasks[identity(job.request)] = replace(self._task(job), again=True)
        log.info("clip reopened", extra={"event_id": job.request.event_id, "clip": job.stem})

    def _all(self) -> list[Task]:
        with self._lock:
            return list(self._tasks.values())

    def _look_after(self, one: Task) -> None:
        if one.building:
            self._conclude(one, one.building)
        elif not one.gave_up and self._clock.monotonic() >= one.retry_at:
            self._collect(one)

    def _collect(self, one: Task) -> None:
        """Keep what has come in; begin to build when it is all there or nothing more will come."""
        job, now = one.job, self._clock.now()
        if self._clock.monotonic() >= one.starts_at:
            try:
                one.found = self._keep(job)
                one.detail = None
            except OSError as error:
                self._tell_unkept(one, in_words(error))
            if one.found and task.is_due(one, one.found, self._clock.monotonic()):
                one.building = self._executor.submit(self._build, job)
        self._progress.say(job.name, task.state_of(one, now))

    @staticmethod
    def _tell_unkept(one: Task, why: str) -> None:
        detail = f"segments cannot be kept: {why}"
        if one.detail != detail:
            log.error("segments cannot be kept", extra={"reason": why})
        one.detail = detail

    def _keep(self, job: Job) -> coverage.Coverage:
        camera = job.request.camera
        new = self._store.keep(job, self._recordings.segments(camera, job.window))
        metrics.SEGMENTS_KEPT.labels(camera=camera).inc(len(new))
        kept = self._store.segments(job)
        return coverage.cover(
            job.window,
            coverage.of_segments(kept, now=self._clock.now()),
            tolerance=coverage.tolerance_s(kept),
            runs=self._recordings.runs(camera),
        )

    def _build(self, job: Job) -> Manifest:
        started = self._clock.monotonic()
        built = self._builder.build(
            job,
            self._store.segments(job),
            self._recordings.runs(job.request.camera),
            self._store.build_dir(job),
        )
        self._library.commit(job.stem, built.manifest, *built.files)
        self._remove_job(job)
        method = built.manifest.method or "none"
        metrics.BUILD_S.labels(method=method).observe(self._clock.monotonic() - started)
        return built.manifest

    def _conclude(self, one: Task, building: Future[Manifest]) -> None:
        if not building.done():
            return
        one.building = None
        if building.cancelled():
            return
        error = building.exception()
        if isinstance(error, StoppedError):
            return
        if error is not None:
            self._note_failure(one, error)
            return
        self._finish(one, building.result())

    def _note_failure(self, one: Task, error: BaseException) -> None:
        why = refused(error) or str(error)
        one.fail(f"cannot be built: {why}", self._clock.monotonic())
        metrics.BUILD_FAILURES.inc()
        log.error(
            "build failed",
            extra={
                "event_id": one.job.request.event_id,
                "failures": one.failures,
                "reason": why,
            },
            exc_info=None if isinstance(error, OSError | FfmpegError) else error,
        )
        if one.gave_up:
            metrics.CLIPS.labels(result=ClipStage.FAILED).inc()
        self._progress.say(one.job.name, task.state_of(one, self._clock.now()))

    def _finish(self, one: Task, manifest: Manifest) -> None:
        state = self._finished.add(one.job.stem, manifest)
        with self._lock:
            self._tasks.pop(identity(one.job.request), None)
        metrics.CLIPS.labels(result=state.state).inc()
        metrics.COVERAGE.observe(state.coverage)
        log.info(
            "clip finished",
            extra={
                "event_id": state.event_id,
                "state": state.state,
                "coverage": round(state.coverage, 4),
                "detail": state.detail,
            },
        )
        self._progress.finish(one.job.name, state)

    def _remove_job(self, job: Job) -> None:
        """Forget a job that needs no more work; where the disk refuses, the next start tidies."""
        try:
            self._store.remove(job)
        except OSError as error:
            log.error("job cannot be removed", extra={"job": job.name, "reason": in_words(error)})

    def clear_old(self) -> None:
        """Remove what is too old or too much; a job that was given up goes with its age."""
        moment = self._steady.moment()
        busy = {one.job.stem for one in self._all()}
        clips = [clip for clip in self._library.clips() if clip.stem not in busy]
        for stem in retention.to_remove(clips, now=moment, **asdict(self._limits)):
            try:
                self._library.remove(stem)
            except OSError as error:
                about = {"clip": stem, "reason": in_words(error)}
                self._refusals.say(logging.WARNING, "clip cannot be removed", extra=about)
                continue
            metrics.CLIPS_REMOVED.inc()
            log.info("clip removed by retention", extra={"clip": stem})
            if event_id := self._finished.remove(stem):
                self._progress.forget(event_id)
        for one in self._all():
            if one.gave_up and moment.age_s(one.job.accepted_at) > self._limits.longest_s:
                self._abandon(one)

    def _abandon(self, one: Task) -> None:
        with self._lock:
            self._tasks.pop(identity(one.job.request), None)
        self._remove_job(one.job)
        self._progress.drop(one.job.name)
        self._progress.forget(one.job.request.event_id)
