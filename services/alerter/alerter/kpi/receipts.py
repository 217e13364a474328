"""Receipts and vehicles' statuses, turned into what the alerter shows as KPIs."""

from __future__ import annotations

import logging
import threading

from alerter import metrics
from alerter.air.schedule import copies_level
from alerter.kpi import delivery
from alerter.kpi.delivery import LossReports
from alerter.kpi.fleet import LOST_AFTER_S, Fleet
from hazardcast.contract.messages import Alert, Receipt, ServiceStatus

log = logging.getLogger(__name__)


class Receipts:
    """Keeps score of who heard what, and how soon; any thread may call it."""

    def __init__(self, *, station: int, epoch: int) -> None:
        self._station = station
        self._fleet = Fleet()
        self._told_twice: frozenset[str] = frozenset()
        self._begin(epoch)
        self._lock = threading.Lock()
        self._clock_set_at = float("-inf")

    def begin_epoch(self, epoch: int) -> None:
        """What counts from now on is what was sent in a new epoch."""
        with self._lock:
            self._begin(epoch)

    def _begin(self, epoch: int) -> None:
        self._epoch = epoch
        self._loss = LossReports(station=self._station, epoch=epoch)

    def clock_was_set(self, at: float) -> None:
        """What is answered now was sent by another clock: it tells nothing of latency."""
        self._clock_set_at = at

    def sent(self, alert: Alert, at: float) -> None:
        """A version of an alert has just gone out for the first time."""
        with self._lock:
            self._fleet.sent((alert.event_id, alert.revision), at)

    def ended(self, event_id: str) -> None:
        """An event is forgotten."""
        with self._lock:
            self._fleet.forget(event_id)

    def vehicle(self, status: ServiceStatus, at: float, *, retained: bool) -> None:
        """A service has said how it is; vehicles among them are noted."""
        with self._lock:
            self._fleet.status(status, at, retained=retained)
            self._show_fleet()

    def _show_fleet(self) -> None:
        metrics.VEHICLES.set(len(self._fleet.online))
        twice = self._fleet.given_twice
        metrics.NAMES_GIVEN_TWICE.set(len(twice))
        for name in sorted(twice - self._told_twice):
            log.error("the name %s is given twice: two vehicles answer to it", name)
        self._told_twice = twice

    @property
    def names_given_twice(self) -> list[str]:
        """The names that more than one vehicle goes by."""
        with self._lock:
            return sorted(self._fleet.given_twice)

    def take(self, receipt: Receipt, *, received_at: float, at: float) -> None:
        """Judge a receipt (`received_at` wall clock, `at` monotonic)."""
        with self._lock:
            verdict = self._fleet.received(receipt, at)
            counted = self._loss.take(receipt, at) if verdict != "again" else delivery.Counted()
        metrics.DATAGRAMS_EXPECTED.inc(counted.datagrams_expected)
        metrics.DATAGRAMS_UNIQUE.inc(counted.datagrams_unique)
        metrics.TICKS_EXPECTED.inc(counted.ticks_expected)
        metrics.TICKS_DELIVERED.inc(counted.ticks_delivered)
        if verdict != "first" or receipt.epoch != self._epoch:
            metrics.RECEIPTS.labels(result=verdict if verdict != "first" else "unknown").inc()
            return
        if at - self._clock_set_at < LOST_AFTER_S:
            metrics.RECEIPTS.labels(result="implausible").inc()
            return
        self._judge(receipt, received_at)

    def _judge(self, receipt: Receipt, received_at: float) -> None:
        proven = delivery.latency(receipt, received_at=received_at)
        if proven is None:
            metrics.RECEIPTS.labels(result="implausible").inc()
            return
        metrics.RECEIPTS.labels(result=receipt.result).inc()
        metrics.STAGE.labels(stage="send_to_receive_bound").observe(proven.there_and_back_s)
        if receipt.result != "displayed":
            return
        metrics.STAGE.labels(stage="receive_to_display").observe(proven.display_s)
        metrics.LATENCY.labels(method="rtt_bound").observe(proven.rtt_bound_s)
        if proven.synced_s is not None:
            metrics.LATENCY.labels(method="synced").observe(proven.synced_s)
        metrics.DEADLINE.labels(result="met" if proven.in_time else "missed").inc()

    def settle(self, at: float) -> int:
        """Count what was never received; returns the copies level that reported loss calls for."""
        with self._lock:
            lost, worst = self._fleet.lost(at), self._loss.worst(at)
        metrics.DEADLINE.labels(result="lost").inc(lost)
        metrics.LOSS.set(worst)
        return copies_level(worst)
