"""The one thread that writes: a bounded queue, a transaction each 200 ms or 500 jobs.

What must be seen at once, or is waited for, is committed at once. While the database is away,
locked or full, what was handed over waits in the queue; when that is full, what is worth least is
dropped, counted and told. A row that the database refuses stops no other.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any

from sqlalchemy import Connection, Engine

from console import metrics
from console.store import database
from console.store.database import StoreUnavailableError
from console.store.events import NewEvent
from console.store.transaction import Transaction
from hazardcast.machine.clock import Clock
from hazardcast.service.sparing_log import SparingLog

log = logging.getLogger(__name__)
COMMIT_EVERY_S = 0.2
COMMIT_JOBS = 500
MOST_WAITING = 20_000
RESERVED = 10_000
"""Room for what matters beyond what does not."""
RETRY_FIRST_S, RETRY_MOST_S = 0.2, 5.0


@dataclass(frozen=True)
class Job:
    """Something to write."""

    kind: str
    write: Callable[[Transaction], Any]
    matters: bool = False
    """Whether it goes in when the queue is full of what does not, and is committed at once."""
    answer: Future[Any] | None = field(default=None, compare=False)
    """Whoever waits for it; then it is not tried a second time."""
    event: NewEvent | None = None
    """What it adds, where that is all it does: looked up together with others."""


Told = Callable[[list[dict[str, Any]]], None]


class Writer:
    """Writes what it is handed, in that order, until closed.

    Args:
        engine: the database.
        prepare: brings the database to its layout; called until it holds.
        told: hears, on the writer's thread, the events of each transaction once it is committed.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        site: str,
        zone: tzinfo,
        prepare: Callable[[], None],
        told: Told,
        clock: Clock,
    ) -> None:
        self._engine = database.writing(engine)
        self._site = site
        self._zone = zone
        self._prepare = prepare
        self._told = told
        self._clock = clock
        self._lines = SparingLog(log, clock, per_s=0.2, burst=5)
        self._jobs: deque[Job] = deque()
        self._changed = threading.Condition()
        self._hurry = False
        self._closing = False
        self._stop = threading.Event()
        self._prepared = False
        self.problem: str | None = None
        """Why the database takes nothing at the moment."""
        self._dropped = 0
        self._thread = threading.Thread(target=self._run, name="store", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    @property
    def dropped(self) -> int:
        """How many jobs were never written since the start."""
        return self._dropped

    @property
    def waiting(self) -> int:
        """How many jobs wait to be written."""
        return len(self._jobs)

    def put(self, job: Job) -> bool:
        """Hand something over; False (counted) when there is no room for it. Never waits."""
        with self._changed:
            if len(self._jobs) >= MOST_WAITING + (RESERVED if job.matters else 0):
                self._drop(job, "full")
                return False
            self._jobs.append(job)
            if job.matters:
                self._hurry = True
            if job.matters or len(self._jobs) in (1, COMMIT_JOBS):
                self._changed.notify()
        return True

    def ask(self, job: Callable[[Transaction], Any], *, kind: str, within_s: float) -> Any:
        """Have something written and wait until it is committed.

        Raises:
            StoreUnavailableError: the database does not take it in time; it is not tried again,
                but what was being written just then may be there.
        """
        answer: Future[Any] = Future()
        if self.problem or not self.put(Job(kind, job, matters=True, answer=answer)):
            raise StoreUnavailableError(self.problem or "too much waits to be written")
        try:
            return answer.result(within_s)
        except FutureTimeoutError:
            if answer.cancel():
                raise StoreUnavailableError(f"not written within {within_s:g} s") from None
        try:
            return answer.result(within_s)  # it is being written: that is not called back
        except FutureTimeoutError:
            late = f"not known to be written within {2 * within_s:g} s"
            raise StoreUnavailableError(late) from None

    def close(self, within_s: float = 5.0) -> None:
        """Write what waits, as far as that is possible soon, and stop."""
        with self._changed:
            self._closing = True
            self._stop.set()
            self._changed.notify()
        if self._thread.ident:
            self._thread.join(within_s)

    def _drop(self, job: Job, reason: str) -> None:
        self._dropped += 1
        metrics.DROPPED.labels(kind=job.kind, reason=reason).inc()
        self._lines.say(logging.ERROR, "not stored", extra={"kind": job.kind, "reason": reason})

    def _run(self) -> None:
        wait_s = RETRY_FIRST_S
        while batch := self._take():
            if self._write(batch):
                wait_s = RETRY_FIRST_S
                continue
            if self._closing:
                return
            self._clock.wait(self._stop, wait_s)
            wait_s = min(2 * wait_s, RETRY_MOST_S)

    def _take(self) -> list[Job]:
        """The next jobs, once it is time; they stay in the queue until they are written."""
        with self._changed:
            while not self._jobs and not self._closing:
                self._changed.wait()
            if not self._hurry and not self._closing and len(self._jobs) < COMMIT_JOBS:
                self._changed.wait_for(self._due, COMMIT_EVERY_S)
            self._hurry = False
            return [self._jobs[at] for at in range(min(COMMIT_JOBS, len(self._jobs)))]

    def _due(self) -> bool:
        return self._hurry or self._closing or len(self._jobs) >= COMMIT_JOBS

    def _write(self, batch: list[Job]) -> bool:
        """Whether the batch is done with."""
        started = self._clock.monotonic()
        live = [job for job in batch if job.answer is None or _begin(job.answer)]
        try:
            self._make_ready()
            answers = self._commit_what_is_taken(live)
        except Exception as error:  # noqa: BLE001 - a thread that ends writes nothing more
            return self._put_off(batch, live, error)
        self._recovered()
        self._done_with(len(batch))
        for job, answer in zip(live, answers, strict=True):
            _answer(job, answer)
        metrics.COMMIT.observe(self._clock.monotonic() - started)
        return True

    def _make_ready(self) -> None:
        if not self._prepared:
            self._prepare()
            self._prepared = True

    def _commit_what_is_taken(self, jobs: list[Job]) -> list[Any]:
        try:
            return self._commit(jobs)
        except Exception as error:
            if database.is_trouble(error):
                raise
            return [self._alone(job) for job in jobs]

    def _commit(self, jobs: list[Job]) -> list[Any]:
        with self._engine.connect() as connection:
            _sync(connection, fully=any(job.answer for job in jobs))
            with connection.begin():
                transaction = Transaction(connection, self._site, self._zone)
                transaction.expect(job.event for job in jobs if job.event)
                answers = [job.write(transaction) for job in jobs]
                transaction.finish()
        for job in jobs:
            metrics.ROWS.labels(kind=job.kind).inc()
        self._tell(transaction.events)
        return answers

    def _tell(self, events: list[dict[str, Any]]) -> None:
        if not events:
            return
        try:
            self._told(events)
        except Exception:  # noqa: BLE001 - who listens does not stop who writes
            self._lines.say(logging.ERROR, "told events failed", extra={}, exc_info=True)

    def _alone(self, job: Job) -> Any:
        """One job in a transaction of its own; what the database refuses is dropped."""
        try:
            return self._commit([job])[0]
        except Exception as error:
            if database.is_trouble(error):
                raise  # all are tried again; what is there already is known by its key
            self._drop(job, "refused")
            about = {"kind": job.kind, "reason": database.reason(error)}
            self._lines.say(logging.ERROR, "the database refuses a row", extra=about)
            return error

    def _put_off(self, batch: list[Job], live: list[Job], error: Exception) -> bool:
        """Keep what can wait; tell those who wait that it cannot be done now."""
        self.failing(database.reason(error))
        for job in live:
            if job.answer:
                job.answer.set_exception(StoreUnavailableError(self.problem or ""))
        with self._changed:
            kept = [job for job in batch if job.answer is None]
            for _ in batch:
                self._jobs.popleft()
            self._jobs.extendleft(reversed(kept))
        return False

    def _done_with(self, jobs: int) -> None:
        with self._changed:
            for _ in range(jobs):
                self._jobs.popleft()
            metrics.WAITING.set(len(self._jobs))

    def failing(self, reason: str) -> None:
        """The database takes nothing, which is told once."""
        metrics.AVAILABLE.set(0)
        metrics.WAITING.set(len(self._jobs))
        if self.problem is None:
            about = {"database": database.shown(self._engine.url), "reason": reason}
            log.error("the database takes nothing: what comes waits", extra=about)
        self.problem = reason

    def _recovered(self) -> None:
        metrics.AVAILABLE.set(1)
        if self.problem is not None:
            log.warning("the database takes what is written again")
            self.problem = None


def _begin(answer: Future[Any]) -> bool:
    """Whether somebody still waits for it."""
    return answer.set_running_or_notify_cancel()


def _answer(job: Job, answer: Any) -> None:
    if job.answer is None:
        return
    if isinstance(answer, Exception):
        job.answer.set_exception(answer)
    else:
        job.answer.set_result(answer)


def _sync(connection: Connection, *, fully: bool) -> None:
    """What a person was told is done must outlive a power cut; the rest is said again by others."""
    if connection.dialect.name == "sqlite":
        assert connection.connection.dbapi_connection
        mode = "FULL" if fully else "NORMAL"
        connection.connection.dbapi_connection.execute(f"PRAGMA synchronous={mode}").close()
