"""Which camera and which service changed: only a change is an event."""

from __future__ import annotations

from console.intake import words
from console.store.transaction import Transaction
from hazardcast.contract.messages import CameraStatus, ServiceStatus
from hazardcast.contract.vocabulary import ServiceState

LOOKERS = frozenset({"recorder", "detector"})
"""Who tells of cameras what an operator should know."""


def heard(rows: Transaction, word: ServiceStatus, *, at: float) -> None:
    """A service says how it and its cameras are; what is as it was is no news, restarts or not.

    Args:
        rows: of the transaction.
        word: what it says.
        at: when that came about, epoch seconds.
    """
    key = f"service|{word.service}|{word.instance}"
    before = rows.noted(key)
    if before != word.state:
        rows.add(words.service(word, at=at, before=before))
        rows.note(key, word.state, at)
    if word.service in LOOKERS and word.state == ServiceState.ONLINE:
        for camera in word.cameras:
            _camera(rows, camera, word.service, at)


def _camera(rows: Transaction, word: CameraStatus, service: str, at: float) -> None:
    key = f"camera|{service}|{word.camera}"
    before = rows.noted(key)
    if before != word.state:
        rows.add(words.camera(word, service=service, at=at, before=before))
        rows.note(key, word.state, at)
