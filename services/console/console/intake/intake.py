"""Hears what is said on MQTT and hands it to the store; nothing here waits for a disk."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from console.intake import alerts, gathered, presence, video, words
from console.intake.journal import Journals
from console.intake.traffic import Block, Traffic, Window
from console.store.store import Store
from console.store.transaction import Transaction
from hazardcast.contract import topics
from hazardcast.contract.errors import DecodeError
from hazardcast.contract.messages import (
    Alert,
    AlerterDetail,
    ClipState,
    Decided,
    Detections,
    Evidence,
    Incident,
    JournalEntry,
    Pending,
    RealtimeEvent,
    Receipt,
    ServiceStatus,
    Verdict,
)
from hazardcast.contract.vocabulary import ServiceState
from hazardcast.machine.clock import Clock
from hazardcast.mqtt.bus import Bus, Delivery

SETTLED_AFTER_S = 5.0
"""A broker says at once what it retains; this is patience."""
SEGMENT_EVERY_S = 60.0
OVERDUE_EVERY_S = 15.0
JOURNAL_KEY = "journal"


class Intake:
    """From topics to rows.

    Args:
        store: where they go.
        bus: what is heard; handlers run one at a time on its thread.
        clock: of the machine.
        cameras: that are configured; of others no traffic is kept.
    """

    def __init__(self, store: Store, bus: Bus, clock: Clock, *, cameras: frozenset[str]) -> None:
        self._store = store
        self._bus = bus
        self._clock = clock
        self._cameras = cameras
        self._traffic: dict[str, Traffic] = {}
        self._journals = Journals()
        self._lock = threading.Lock()
        """Held for the journals and the traffic, which the bus and the clock both turn to."""
        self._recalled = False
        self._connections = 0
        self._seen: set[str] = set()
        self._waiting: set[str] = set()
        self._settles_at: float | None = None
        self._segments_at = self._overdue_at = clock.monotonic()

    def subscribe(self) -> None:
        """Hear everything that is kept; to be called once, before the bus starts."""
        self._store.put("journal", self._recall)
        bus = self._bus
        bus.on_connect(self._connected)
        bus.subscribe(topics.INCIDENTS, self._incident)
        bus.subscribe(topics.ACTIVE, self._active, cleared=self._active_cleared)
        bus.subscribe(topics.CLIPS, self._clip, cleared=self._clips_cleared)
        bus.subscribe(topics.EVIDENCE, self._evidence)
        bus.subscribe(topics.STATUS, self._status)
        bus.subscribe(topics.RECEIPTS, self._receipt)
        bus.subscribe(topics.PENDING, self._pending, cleared=self._pending_cleared)
        bus.subscribe(topics.DECIDED, self._decided)
        bus.subscribe(topics.VERDICTS, self._verdict)
        bus.subscribe(topics.JOURNAL, self._journal)
        bus.subscribe(topics.OBSERVATIONS, self._observation)
        bus.subscribe(topics.DETECTIONS, self._detections)

    def _put(self, kind: str, write: Callable[[Transaction], Any], *, matters: bool = True) -> bool:
        return self._store.put(kind, write, matters=matters)

    def _connected(self) -> None:
        """What is retained is on its way: alerts, and what waits, that are not there have ended."""
        if self._connections:
            self._seen, self._waiting = set(), set()
        self._connections += 1
        self._settles_at = self._clock.monotonic() + SETTLED_AFTER_S

    def _still_coming(self, delivery: Delivery) -> None:
        """What is retained may take long to come; the patience begins after the last of it."""
        if delivery.retained and self._settles_at is not None:
            self._settles_at = self._clock.monotonic() + SETTLED_AFTER_S

    def _incident(self, word: Incident, delivery: Delivery) -> None:
        event = words.incident(word, received_at=delivery.received_at, again=delivery.again)
        self._store.add(event, matters=True)

    def _active(self, word: Alert, delivery: Delivery) -> None:
        _same_event(word.event_id, delivery)
        self._still_coming(delivery)
        self._seen.add(word.event_id)
        self._put("alert", lambda rows: alerts.heard(rows, word, present=True))

    def _active_cleared(self, delivery: Delivery) -> None:
        event_id, now = delivery.parameters["event_id"], delivery.received_at
        self._seen.discard(event_id)
        self._put("alert", lambda rows: alerts.taken_back(rows, event_id, now))

    def _clip(self, word: ClipState, delivery: Delivery) -> None:
        _same_event(word.event_id, delivery)
        self._still_coming(delivery)
        self._put("clip", lambda rows: video.clip(rows, word))

    def _clips_cleared(self, delivery: Delivery) -> None:
        event_id, now = delivery.parameters["event_id"], delivery.received_at
        self._put("clip", lambda rows: video.clips_gone(rows, event_id, now))

    def _evidence(self, word: Evidence, delivery: Delivery) -> None:
        _same_event(word.event_id, delivery)
        self._still_coming(delivery)
        video.jpeg(word.picture)
        self._put("evidence", lambda rows: video.evidence(rows, word))

    def _status(self, word: ServiceStatus, delivery: Delivery) -> None:
        if word.service != delivery.parameters["service"]:
            raise DecodeError("names another service than the topic", field="service")
        lost = word.state == ServiceState.OFFLINE and not delivery.retained
        self._still_coming(delivery)
        # A last will tells when the process began, not when it was lost.
        at = delivery.received_at if lost else word.ts
        self._put("status", lambda rows: presence.heard(rows, word, at=at), matters=False)
        if word.online and (stands := _journal_of(word)):
            with self._lock:
                self._journals.stands_at(*stands)

    def _receipt(self, word: Receipt, _delivery: Delivery) -> None:
        self._put("receipt", lambda rows: alerts.reached(rows, word), matters=False)

    def _pending(self, word: Pending, delivery: Delivery) -> None:
        _same_event(word.event_id, delivery)
        self._still_coming(delivery)
        self._waiting.add(word.event_id)
        self._put("pending", lambda rows: alerts.waits(rows, word))

    def _pending_cleared(self, delivery: Delivery) -> None:
        event_id = delivery.parameters["event_id"]
        self._waiting.discard(event_id)
        self._put("pending", lambda rows: alerts.waits_no_more(rows, event_id))

    def _decided(self, word: Decided, delivery: Delivery) -> None:
        _same_event(word.event_id, delivery)
        self._put("decided", lambda rows: alerts.settled(rows, word))

    def _verdict(self, word: Verdict, delivery: Delivery) -> None:
        _same_event(word.event_id, delivery)
        self._put("verdict", lambda rows: alerts.judged(rows, word))

    def _observation(self, word: RealtimeEvent, delivery: Delivery) -> None:
        if word.camera != delivery.parameters["camera"]:
            raise DecodeError("names another camera than the topic", field="camera")
        self._store.add(words.observation(word))

    def _journal(self, word: JournalEntry, _delivery: Delivery) -> None:
        with self._lock:
            through = self._journals.hear(word)
        if not self._put("journal", lambda rows: _keep_entry(rows, word, through)):
            with self._lock:
                self._journals.lost(word)

    def _recall(self, rows: Transaction) -> None:
        """How far an earlier process had come, before anything new is asked for."""
        with self._lock:
            for station, epoch, through in rows.noted(JOURNAL_KEY) or ():
                self._journals.known(station, epoch, through)
        self._recalled = True

    def _detections(self, word: Detections, delivery: Delivery) -> None:
        if word.camera != delivery.parameters["camera"] or word.camera not in self._cameras:
            raise DecodeError("not a camera of this site", field="camera")
        with self._lock:
            traffic = self._traffic.setdefault(word.camera, Traffic())
            self._keep(word.camera, *traffic.add(word))

    def _keep(self, camera: str, block: Block | None, window: Window | None) -> None:
        if block and block.frames:
            self._put("tracks", lambda rows: gathered.tracks(rows, camera, block), matters=False)
        if window:
            self._keep_segment(camera, window)

    def _keep_segment(self, camera: str, window: Window) -> None:
        window.changed = False
        key, counted, now = (camera, window.start), window.result(), self._clock.now()

        def write(rows: Transaction) -> None:
            if window.before is None:
                window.before = gathered.counted_before(rows, key) or {}
            gathered.segment(rows, key, counted, before=window.before, now=now)

        self._put("segment", write, matters=False)

    def tick(self) -> None:
        """What is due by time; to be called about twice a second, by one thread."""
        now, steady = self._clock.now(), self._clock.monotonic()
        if self._settles_at is not None and steady >= self._settles_at:
            self._settles_at = None
            if self._bus.connected:
                self._end_what_was_not_said(now)
        if steady - self._overdue_at >= OVERDUE_EVERY_S:
            self._overdue_at = steady
            self._put("alert", lambda rows: alerts.end_overdue(rows, now), matters=False)
        with self._lock:
            asking = self._bus.connected and self._recalled
            requests = self._journals.due(steady) if asking else []
            self._gather(now, steady)
        for request in requests:
            self._bus.publish(topics.REPLAY_REQUESTS, request)

    def _end_what_was_not_said(self, now: float) -> None:
        seen, waiting = self._seen, self._waiting

        def write(rows: Transaction) -> None:
            # Looked at only here: what was heard while this waited its turn is there too.
            alerts.end_unseen(rows, frozenset(seen | self._seen), now)
            alerts.end_waiting(rows, frozenset(waiting | self._waiting))

        self._put("alert", write)

    def _gather(self, now: float, steady: float) -> None:
        segments = steady - self._segments_at >= SEGMENT_EVERY_S
        if segments:
            self._segments_at = steady
        for camera, traffic in list(self._traffic.items()):
            self._keep(camera, *traffic.close_before(now))
            if segments and traffic.window and traffic.window.changed:
                self._keep_segment(camera, traffic.window)


def _same_event(event_id: str, delivery: Delivery) -> None:
    if event_id != delivery.parameters["event_id"]:
        raise DecodeError("names another event than the topic", field="event_id")


def _journal_of(word: ServiceStatus) -> tuple[int, int, int] | None:
    """Station, epoch and newest number, where an alerter tells of its journal."""
    detail = word.detail
    if not isinstance(detail, AlerterDetail) or detail.journal is None:
        return None
    numbers = (detail.station, detail.journal.epoch, detail.journal.sequence)
    if not all(type(one) is int and 0 <= one < 2**53 for one in numbers):
        return None
    return numbers  # type: ignore[return-value]  # judged above


def _keep_entry(rows: Transaction, word: JournalEntry, through: int) -> None:
    """What the journal tells, and how far it is whole by that: both or neither."""
    if word.alert:
        alerts.heard(rows, word.alert, confidence=word.reported_confidence, present=False)
    if word.pending:
        alerts.was_waiting(rows, word.pending)
    if word.decided:
        alerts.settled(rows, word.decided)
    if word.verdict:
        alerts.judged(rows, word.verdict)
    known = {(one[0], one[1]): one[2] for one in rows.noted(JOURNAL_KEY) or ()}
    known[word.station, word.epoch] = max(through, known.get((word.station, word.epoch), 0))
    kept = [[*key, known[key]] for key in sorted(known)][-KEPT_EPOCHS:]
    rows.note(JOURNAL_KEY, kept, word.ts)


KEPT_EPOCHS = 200
