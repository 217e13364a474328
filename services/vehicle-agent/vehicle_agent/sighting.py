"""What the receive edges bring, and what is left of it once it is believed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from hazardcast.contract.messages import Datagram

Path = Literal["multicast", "unicast", "mqtt"]
RADIO_PATHS: frozenset[Path] = frozenset({"multicast", "unicast"})


class Arrival(NamedTuple):
    """One datagram as it came, nothing of it believed yet."""

    text: bytes
    source: str
    """The sender's address, or the name of the path that has none."""
    path: Path
    received_at: float
    """Wall clock at which the machine had it, epoch seconds (t3)."""
    received_monotonic: float


@dataclass(frozen=True)
class Sighting:
    """One authentic datagram and the circumstances of its arrival."""

    datagram: Datagram
    kid: str
    path: Path
    received_at: float
    received_monotonic: float
    verified_at: float
    """Wall clock after the last test (t4)."""
    clock_error_s: float | None
    """Bound on the error of this vehicle's clock; None while it is not known to be right."""

    @property
    def trusted(self) -> bool:
        """Whether the datagram is known to be recent, so that the vehicle may act on it."""
        return self.clock_error_s is not None
