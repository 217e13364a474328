"""Who watches which camera: a lease a viewer, which ends unless it is renewed. Pure."""

from __future__ import annotations

LASTS_S = 60.0
MOST = 10_000


class Leases:
    """Leases of all viewers; recording goes on without any."""

    def __init__(self) -> None:
        self._until: dict[tuple[str, str], float] = {}

    def start(self, camera: str, viewer: str, *, monotonic_s: float) -> float:
        """Begin or renew one; returns for how many seconds."""
        self._forget(monotonic_s)
        if len(self._until) >= MOST:
            self._until.pop(next(iter(self._until)))
        self._until[camera, viewer] = monotonic_s + LASTS_S
        return LASTS_S

    def stop(self, camera: str, viewer: str) -> bool:
        """End one; False when there was none."""
        return self._until.pop((camera, viewer), None) is not None

    def viewers(self, camera: str, *, monotonic_s: float) -> int:
        """How many leases of a camera run."""
        self._forget(monotonic_s)
        return sum(one == camera for one, _ in self._until)

    def _forget(self, monotonic_s: float) -> None:
        over = [key for key, until in self._until.items() if until <= monotonic_s]
        for key in over:
            del self._until[key]
