"""Who should have heard which version, so that silence counts as a miss, not as no data. Pure."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Literal

from hazardcast.messages import Receipt, ServiceStatus

LOST_AFTER_S = 10.0
SILENT_AFTER_S = 90.0
"""Three statuses missed: nobody can say that the vehicle still listens."""
MAX_VEHICLES = 1024
MAX_VERSIONS = 10_000
AGENT = "vehicle-agent"
Version = tuple[str, int]
"""Event id and revision."""
Verdict = Literal["first", "again", "late_joiner", "unknown"]


@dataclass
class _Sent:
    at: float
    waiting: set[str]
    answered: set[str] = field(default_factory=set)


class Fleet:
    """The vehicles that listen, and the versions they still owe a receipt for."""

    def __init__(self) -> None:
        self._heard_at: OrderedDict[str, float] = OrderedDict()
        self._versions: OrderedDict[Version, _Sent] = OrderedDict()

    @property
    def online(self) -> frozenset[str]:
        """The vehicles that said they listen."""
        return frozenset(self._heard_at)

    def status(self, status: ServiceStatus, at: float) -> None:
        """Note a vehicle's word about itself."""
        if status.service != AGENT:
            return
        if status.state == "online":
            self._heard(status.instance, at)
            return
        self._heard_at.pop(status.instance, None)
        if status.state == "stopped":
            for sent in self._versions.values():
                sent.waiting.discard(status.instance)

    def _heard(self, vehicle: str, at: float) -> None:
        self._heard_at[vehicle] = at
        self._heard_at.move_to_end(vehicle)
        if len(self._heard_at) > MAX_VEHICLES:
            self._heard_at.popitem(last=False)

    def _forget_silent(self, at: float) -> None:
        while self._heard_at and at - next(iter(self._heard_at.values())) > SILENT_AFTER_S:
            self._heard_at.popitem(last=False)

    def sent(self, version: Version, at: float) -> None:
        """A version has gone out; every vehicle that listens owes a receipt."""
        self._forget_silent(at)
        self._versions[version] = _Sent(at, set(self._heard_at))
        if len(self._versions) > MAX_VERSIONS:
            self._versions.popitem(last=False)

    def received(self, receipt: Receipt, at: float) -> Verdict:
        """Judge a receipt: only the `first` for a version that was heard in time counts.

        A vehicle that began to listen after the version went out hears it on a tick; that is no
        latency. One that has a copy of a burst (more copies than a single one, in time) was there.
        """
        known = receipt.vehicle in self._heard_at
        self._heard(receipt.vehicle, at)
        sent = self._versions.get((receipt.event_id, receipt.revision))
        if sent is None:
            return "unknown"
        if receipt.vehicle in sent.answered:
            return "again"
        sent.answered.add(receipt.vehicle)
        owed = receipt.vehicle in sent.waiting
        sent.waiting.discard(receipt.vehicle)
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
