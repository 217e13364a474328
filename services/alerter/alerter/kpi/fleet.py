"""Who should have heard which version, so that silence counts as a miss, not as no data. Pure."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Literal

from alerter.kpi.roster import Listener, Roster
from hazardcast.contract.messages import Receipt, ServiceStatus
from hazardcast.contract.vocabulary import ServiceState

LOST_AFTER_S = 10.0
MAX_VERSIONS = 10_000
AGENT = "vehicle-agent"
Version = tuple[str, int]
"""Event id and revision."""
Verdict = Literal["first", "again", "late_joiner", "unknown"]


@dataclass
class _Sent:
    at: float
    waiting: set[Listener]
    answered: set[Listener] = field(default_factory=set)


class Fleet:
    """The vehicles that listen, and the versions they still owe a receipt for."""

    def __init__(self) -> None:
        self._roster = Roster()
        self._versions: OrderedDict[Version, _Sent] = OrderedDict()

    @property
    def online(self) -> frozenset[Listener]:
        """The vehicles that said they listen."""
        return self._roster.listeners

    @property
    def given_twice(self) -> frozenset[str]:
        """The names that more than one vehicle goes by."""
        return self._roster.given_twice

    def status(self, status: ServiceStatus, at: float, *, retained: bool = False) -> None:
        """Note a vehicle's word about itself; a retained one may be of a process that is over."""
        if status.service != AGENT:
            return
        boot = status.detail.boot
        if retained and self._roster.replaced(status.instance, boot):
            return
        if status.online:
            self._heard(status.instance, boot, at)
            return
        self._roster.gone(status.instance, boot)
        if status.state == ServiceState.STOPPED:
            self._forgive(status.instance, boot)

    def _forgive(self, name: str, boot: str | None) -> None:
        """Who has stopped owes nothing any more."""
        for sent in self._versions.values():
            sent.waiting -= {
                one for one in sent.waiting if one[0] == name and boot in (one[1], None)
            }

    def _heard(self, name: str, boot: str | None, at: float) -> Listener:
        """Who spoke; one that was started anew owes what the one before it owed."""
        listener, before = self._roster.heard(name, boot, at)
        if before:
            for sent in self._versions.values():
                if before in sent.waiting:
                    sent.waiting.remove(before)
                    sent.waiting.add(listener)
        return listener

    def sent(self, version: Version, at: float) -> None:
        """A version has gone out; every vehicle that listens owes a receipt."""
        self._roster.forget_silent(at)
        self._versions[version] = _Sent(at, set(self._roster.listeners))
        if len(self._versions) > MAX_VERSIONS:
            self._versions.popitem(last=False)

    def received(self, receipt: Receipt, at: float) -> Verdict:
        """Judge a receipt: only the `first` for a version that was heard in time counts.

        A vehicle that began to listen after the version went out hears it on a tick; that is no
        latency. One that has a copy of a burst (more copies than a single one, in time) was there.
        """
        known = self._roster.known(receipt.vehicle)
        listener = self._heard(receipt.vehicle, receipt.boot, at)
        sent = self._versions.get((receipt.event_id, receipt.revision))
        if sent is None:
            return "unknown"
        if listener in sent.answered:
            return "again"
        sent.answered.add(listener)
        owed = listener in sent.waiting
        sent.waiting.discard(listener)
        if owed or (not known and receipt.copy_[1] > 5):
            return "first"
        return "late_joiner"

    def lost(self, at: float) -> int:
        """How many receipts have now been owed for too long; each is told once."""
        missing = 0
        for sent in self._versions.values():
            if at - sent.at >= LOST_AFTER_S and sent.waiting:
                missing += len(sent.waiting)
                sent.waiting.clear()
        return missing

    def forget(self, event_id: str) -> None:
        """The event is over: no receipt for it will be judged any more."""
        for version in [key for key in self._versions if key[0] == event_id]:
            del self._versions[version]
