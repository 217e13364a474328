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

    Proof is that the station holds fewer, and that its digest is exactly that of those heard last,
    while the others have been silent for `SILENT_S`. Of many in force each is said again more
    seldom than that, so being silent alone proves nothing. Nor does a digest that differs: there is
    an alert that was not heard yet.
    """
    surplus = len(events) - heartbeat.active_count
    if surplus <= 0:
        return []
    by_silence = sorted(events, key=lambda known: known.heard)
    gone, rest = by_silence[:surplus], by_silence[surplus:]
    if monotonic - gone[-1].heard < SILENT_S:
        return []
    said = digest(known.alert for known in rest if known.alert)
    return gone if said == heartbeat.active_digest else []
