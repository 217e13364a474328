"""What a service's status tells beside its cameras: one model a service.

Every fact may be absent: an older sender does not tell it, and a newer one may tell it in a way
that is not understood here, which costs that fact and never the status. Facts that this version
does not know are kept as they came.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from pydantic import ConfigDict, ValidationError

from hazardcast.contract.fields import Real, Whole
from hazardcast.contract.messages.base import Message
from hazardcast.contract.messages.receipt import ReceptionCounters


class StatusDetail(Message):
    """What any service may tell."""

    model_config = ConfigDict(extra="allow")

    boot: str | None = None
    """A random name of the process, to tell two of one name apart."""
    name_given_twice: bool | None = None
    """True while another process goes by the same name."""

    @classmethod
    def understood(cls, facts: Mapping[str, Any]) -> Self:
        """As much of `facts` as this version understands."""
        try:
            return cls.model_validate(facts)
        except ValidationError as error:
            wrong = {problem["loc"][0] for problem in error.errors()}
        return cls.model_validate({name: one for name, one in facts.items() if name not in wrong})

    def get(self, name: str, default: Any = None) -> Any:
        """A fact by its name, those of newer versions included."""
        value = getattr(self, name, None) if name in self.told else None
        return default if value is None else value

    @property
    def told(self) -> frozenset[str]:
        """The names of all facts that there can be here."""
        return frozenset(type(self).model_fields) | frozenset(self.model_extra or ())


class DetectorDetail(StatusDetail):
    """What a detector tells."""

    model: str | None = None
    """The network by which it sees."""
    shares: bool = True
    """Whether the detectors share the cameras; false: it watches those that it was given."""


class JournalPlace(Message):
    """How far a station's journal goes."""

    epoch: Whole | None = None
    """The epoch of its newest entry."""
    sequence: Whole | None = None
    """The number of its newest entry in that epoch."""


class AlerterDetail(StatusDetail):
    """What an alerter tells."""

    station: Whole | None = None
    """Its station's number."""
    epoch: Whole | None = None
    """The epoch of its datagrams."""
    kid: str | None = None
    """The key that signs them."""
    alerts: Whole | None = None
    """How many are in force."""
    waiting: Whole | None = None
    """How many incidents wait for a person."""
    alerting: dict[str, tuple[str, ...]] | None = None
    """Cameras that are not broadcast at once, by mode: `confirm` or `shadow`."""
    journal: JournalPlace | None = None
    """How far its journal goes."""
    on_air: str | None = None
    """`ok`, or `failing` while the network takes no datagram."""
    vehicle_names_given_twice: tuple[str, ...] = ()
    """The names that more than one vehicle goes by."""
    dropped_files: str | None = None
    """`ok`, or what is in the way of the folder of dropped files."""


class ClipperDetail(StatusDetail):
    """What a clipper tells."""

    jobs: Whole | None = None
    """Clips that are wanted and not finished."""
    building: Whole | None = None
    """Those of them that are being built now."""
    given_up: Whole | None = None
    """Those of them that failed too often."""


class VehicleClock(Message):
    """What a vehicle knows of its clock."""

    source: str | None = None
    """Who vouches for it: `kernel`, `station` or `none`."""
    error_s: Real | None = None
    """By how much it may be wrong, seconds; absent: by anything."""


class VehicleDetail(StatusDetail):
    """What a vehicle-agent tells."""

    reception: tuple[ReceptionCounters, ...] = ()
    """What it has received of each station, as in receipts."""
    link: str | None = None
    """`waiting`, `ok`, `warn` or `lost`: since when any station was heard."""
    clock: VehicleClock | None = None
    """Whether its clock may judge ages."""
    alerts_in_force: Whole | None = None
    """How many concern it now."""
    speed_target_mps: Real | None = None
    """The speed that its policy asks for, m/s; absent: it cruises."""


class ConsoleDetail(StatusDetail):
    """What a console tells."""

    port: Whole | None = None
    """The TCP port that it answers on."""
    operators: Whole | None = None
    """How many sessions are open that may decide."""


AnyDetail = (
    DetectorDetail | AlerterDetail | ClipperDetail | VehicleDetail | ConsoleDetail | StatusDetail
)
OF_SERVICE: dict[str, type[StatusDetail]] = {
    "detector": DetectorDetail, "alerter": AlerterDetail, "clipper": ClipperDetail,
    "vehicle-agent": VehicleDetail, "console": ConsoleDetail,
}  # fmt: skip
"""Who tells more than any service may."""
