"""The trust store on disk, read again when it changes, so that keys rotate without a restart."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from hazardcast.contract.errors import KeyFileError
from hazardcast.machine.clock import Clock
from hazardcast.signing.trust import TrustStore, load_truststore

log = logging.getLogger(__name__)
LOOK_EVERY_S = 1.0
MAX_BYTES = 10_000_000
_Stamp = tuple[int, int, int]


class TrustFile:
    """Watches one trust store; a version lower than the present one is a rollback and refused."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: _Stamp | None = None
        self._version = -1

    def wait(self, stop: threading.Event, clock: Clock) -> TrustStore | None:
        """The trust store as soon as there is one; None when `stop` came first.

        Raises:
            KeyFileError: there is a file, but it is no trust store.
        """
        if not self._path.exists():
            log.warning("waiting for the trust store", extra={"path": str(self._path)})
        while not self._path.exists():
            if clock.wait(stop, LOOK_EVERY_S):
                return None
        self._stamp = self._look()
        store = _load(self._path)
        self._version = store.version
        return store

    def changed(self) -> TrustStore | None:
        """A newer trust store, if one was put there since the last look."""
        stamp = self._look()
        if stamp is None or stamp == self._stamp:
            return None
        self._stamp = stamp
        try:
            store = _load(self._path)
        except KeyFileError as error:
            log.error("keeping the trust store in use", extra={"reason": str(error)})
            return None
        if store.version < self._version:
            facts = {"version": store.version, "in_use": self._version}
            log.error("trust store refused: older than the one in use", extra=facts)
            return None
        self._version = store.version
        log.info("trust store taken up", extra={"version": store.version})
        return store

    def _look(self) -> _Stamp | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino


def _load(path: Path) -> TrustStore:
    """The trust store in a file, whatever was put in its place.

    Raises:
        KeyFileError: it is none.
    """
    if not path.is_file() or path.stat().st_size > MAX_BYTES:
        raise KeyFileError(f"{path}: not a trust store: no file of at most {MAX_BYTES} bytes")
    try:
        return load_truststore(path)
    except (ArithmeticError, AttributeError, RecursionError) as error:
        raise KeyFileError(f"{path}: not a trust store: {error}") from None
