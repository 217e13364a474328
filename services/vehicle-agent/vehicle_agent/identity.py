"""Whether two versions under one number are one event. Pure.

Numbers are given once, unless a station's state is older than the world: put back from a backup, or
lost. It then begins a new epoch, and its next event may bear a number that is in force here. Such a
namesake must not pass for a version of the other: a fire far away would replace a collision ahead.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from hazardcast.contract import geo
from hazardcast.contract.incident_types import CAUSES, IncidentType
from hazardcast.contract.messages import Alert

SAME_MOMENT_S = 0.002
"""Detection times are told in milliseconds."""
FAR_M = 500.0
"""No correction moves an event so far across a restart of its station."""


@dataclass(frozen=True)
class Identity:
    """What tells one event from another of the same number."""

    epoch: int
    """The station's epoch in which it was heard last."""
    detection_time: float
    opens: bool
    """This version is the first of its event."""
    type: IncidentType
    lat_deg: float
    lon_deg: float

    @classmethod
    def of(cls, alert: Alert, epoch: int) -> Identity:
        """The identity of a version heard in `epoch`."""
        opens = alert.status == "new" and alert.revision == 0
        return cls(epoch, alert.detection_time, opens, alert.type, alert.lat, alert.lon)

    def continues(self, known: Identity) -> bool:
        """Whether this is a version of the event `known`, or the same.

        Within an epoch a station knows what it says, and it may date an event anew when its clock
        was set. Of a later epoch, what was detected at another moment is the same event only if it
        does not begin one, and is of the same kind at about the same place.
        """
        if abs(self.detection_time - known.detection_time) <= SAME_MOMENT_S:
            return True
        if self.epoch <= known.epoch:
            return True
        return not self.opens and self._is_like(known)

    def _is_like(self, known: Identity) -> bool:
        families = {CAUSES[self.type].family, CAUSES[known.type].family}
        if len(families - {CAUSES[IncidentType.UNKNOWN].family}) > 1:
            return False
        apart_m = geo.distance_m(self.lat_deg, self.lon_deg, known.lat_deg, known.lon_deg)
        return apart_m <= FAR_M

    def remembered(self) -> dict[str, Any]:
        """What must outlive a restart, as JSON values."""
        return {"epoch": self.epoch, "type": self.type.value, "at": [self.lat_deg, self.lon_deg]}

    @classmethod
    def recalled(cls, entry: dict[str, Any]) -> Identity | None:
        """What `remembered` gave, beside the detection time; None: kept by an earlier version.

        Raises:
            KeyError, TypeError, ValueError: it is not that.
        """
        if "epoch" not in entry:
            return None
        lat_deg, lon_deg = map(float, entry["at"])
        if not (math.isfinite(lat_deg) and math.isfinite(lon_deg)):
            raise ValueError("not a place")
        kind = IncidentType(entry["type"])
        return cls(
            int(entry["epoch"]), float(entry["detection_time"]), False, kind, lat_deg, lon_deg
        )
