"""What a service says of itself, and to itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, ValidationInfo, field_validator

from hazardcast.contract.fields import CameraId, Name, Remark, Time
from hazardcast.contract.messages.base import Message
from hazardcast.contract.messages.detail import OF_SERVICE, AnyDetail, StatusDetail
from hazardcast.contract.vocabulary import CameraState, ServiceState


class CameraStatus(Message):
    """How fresh one camera is for the service that reports it."""

    camera: CameraId
    """The camera's id."""
    state: CameraState
    """How it is; a word of a newer version that is not known is read as `unknown`."""
    last_frame_at: Time | None = None
    """When its newest frame was taken, epoch seconds; absent: none yet."""
    detail: Remark | None = None
    """Why it is so, in words."""


class ServiceStatus(Message):
    """A service's word about itself; `offline` is its last will, `stopped` a clean stop."""

    service: Name
    """camera, recorder, detector, alerter, clipper, console or vehicle-agent."""
    instance: Name
    """Name of this process (`HAZARDCAST_INSTANCE`); a vehicle-agent's is that of its vehicle."""
    state: ServiceState
    """`online`; `offline`: it vanished, said by the broker for it; `stopped`: it was ended."""
    version: str
    """The service's version."""
    ts: Time
    """When this was said, epoch seconds; of `offline`: when the process began."""
    cameras: tuple[CameraStatus, ...] = ()
    """The cameras that it serves."""
    detail: AnyDetail = Field(default_factory=StatusDetail)
    """Facts of its own, by service; what is not understood of them is passed over."""

    @field_validator("detail", mode="before")
    @classmethod
    def _of_its_service(cls, value: Any, info: ValidationInfo) -> StatusDetail:
        if isinstance(value, StatusDetail):
            return value
        if not isinstance(value, Mapping):
            raise ValueError("expected an object")
        return OF_SERVICE.get(str(info.data.get("service")), StatusDetail).understood(value)

    @property
    def online(self) -> bool:
        """Whether the service is there."""
        return self.state == ServiceState.ONLINE


class SelfTest(Message):
    """A word from the alerter to itself; that it comes back shows the way through the broker."""

    nonce: Annotated[str, Field(pattern=r"^[0-9a-f]{16,64}$")]
    """A random number, hex digits."""
    ts: Time
    """When it was said, epoch seconds."""
