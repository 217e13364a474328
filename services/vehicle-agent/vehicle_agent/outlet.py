"""Where the vehicle's own computers listen, if they do: optional, so imported only when wanted."""

from __future__ import annotations

from typing import Protocol

from hazardcast.errors import ToolMissingError
from hazardcast.settings import Settings
from vehicle_agent.announcement import Announcement
from vehicle_agent.speed_policy import Advice


class Ros2Outlet(Protocol):
    """Where ROS 2 nodes listen."""

    def alert(self, announcement: Announcement) -> None:
        """An alert is new, changed or over."""
        ...

    def speed(self, advice: Advice | None) -> None:
        """The speed to keep to; None: no limit."""
        ...


def open_ros2(settings: Settings) -> Ros2Outlet | None:
    """The DDS side, where it is wanted.

    Raises:
        ToolMissingError: it is wanted, but the `ros2` extra is not installed.
    """
    if not settings.ros2:
        return None
    try:
        from vehicle_agent.ros2 import Ros2  # noqa: PLC0415 - an optional extra
    except ImportError:
        raise ToolMissingError(
            "HAZARDCAST_ROS2 needs cyclonedds: pip install 'hazardcast[ros2]'"
        ) from None
    return Ros2(settings.ros2_domain, commands=settings.ros2_cmd_vel)
