"""Which replica analyses which camera: rendezvous hashing over the replicas that are alive, evenly.

Every replica computes the same answer from the same facts, without a coordinator; when a replica
comes or goes, few cameras move but its own (rendezvous: Thaler & Ravishankar 1998; bounded loads:
Mirrokni, Thorup & Zadimoghaddam 2018).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field

from hazardcast.contract.messages import DetectorDetail, ServiceStatus

SILENT_AFTER_S = 70.0
"""A replica silent for longer is taken for dead: its last will may have been lost."""


def owners(cameras: Iterable[str], replicas: Iterable[str]) -> dict[str, str]:
    """Camera → replica: each goes where its weight is highest and there is still room.

    The heaviest pairs choose first. No replica gets more than one camera more than another.
    """
    cameras, replicas = set(cameras), set(replicas)
    if not replicas:
        return {}
    fair, extra = divmod(len(cameras), len(replicas))
    chosen: dict[str, str] = {}
    load = dict.fromkeys(replicas, 0)
    pairs = sorted(
        ((_weight(camera, replica), camera, replica) for camera in cameras for replica in replicas),
        reverse=True,
    )
    for _, camera, replica in pairs:
        if camera in chosen or load[replica] > fair or (load[replica] == fair and not extra):
            continue
        extra -= load[replica] == fair
        load[replica] += 1
        chosen[camera] = replica
    return chosen


def owned(cameras: Iterable[str], replicas: Iterable[str], instance: str) -> frozenset[str]:
    """The cameras that fall to `instance`, itself always counted as alive."""
    alive = {*replicas, instance}
    return frozenset(
        camera for camera, replica in owners(cameras, alive).items() if replica == instance
    )


def _weight(camera: str, replica: str) -> bytes:
    return hashlib.blake2b(f"{replica}\0{camera}".encode(), digest_size=8).digest()


@dataclass
class Replicas:
    """The other detectors, as their status messages tell."""

    _heard: dict[str, float] = field(default_factory=dict)
    """Instance → when its last `online` arrived (receiver's monotonic clock)."""

    def hear(self, status: ServiceStatus, monotonic: float) -> None:
        """Take a status message of any detector."""
        # Of an older detector nothing is known but that it is one: it shares.
        apart = isinstance(status.detail, DetectorDetail) and not status.detail.shares
        if status.online and not apart:
            self._heard[status.instance] = monotonic
        else:
            self._heard.pop(status.instance, None)

    def forget(self, instance: str) -> None:
        """Its retained status was removed."""
        self._heard.pop(instance, None)

    def alive(self, monotonic: float) -> frozenset[str]:
        """The replicas that take part now."""
        return frozenset(
            instance
            for instance, heard in self._heard.items()
            if monotonic - heard < SILENT_AFTER_S
        )
