"""Finding out from a heartbeat that an alert is over although its cancel was lost."""

from __future__ import annotations

from hazardcast.contract.digest import digest
from hazardcast.contract.messages import Heartbeat
from vehicle_agent.known_alerts import Known

SILENT_S = 15.0
"""30 repetitions missed while a heartbeat came through."""


def withdrawn(heartbeat: Heartbeat, events: list[Known], monotonic: float) -> list[Known]:
    """The events in force here that the station proves to be over.

    Args:
        heartbeat: the station's word, authentic and timely.
        events: what is in force of this station, as far as this vehicle knows.
        monotonic: now.

    Proof is that the station's digest is exactly that of the others, while these have been silent
    for `SILENT_S`. A digest that differs otherwise (an alert not heard yet) proves nothing.
    """
    silent = [known for known in events if monotonic - known.heard >= SILENT_S]
    if not silent:
        return []
    rest = [known for known in events if known not in silent]
    said = digest(known.alert for known in rest if known.alert)
    proven = (len(rest), said) == (heartbeat.active_count, heartbeat.active_digest)
    return silent if proven else []
