"""ROS 2 without rclpy: plain DDS topics that any ROS 2 node sees as its own.

`/x/y` is the DDS topic `rt/x/y`; `pkg/msg/Name` is the type `pkg::msg::dds_::Name_`, encoded as
final XCDR1, which is what the RMWs use (cyclonedds-python `idl/_builder.py`).
"""

# No `from __future__ import annotations`: the IDL types are read from the annotations themselves.
import json
from dataclasses import dataclass

from cyclonedds.domain import DomainParticipant
from cyclonedds.idl import IdlStruct
from cyclonedds.idl.types import float64
from cyclonedds.pub import DataWriter
from cyclonedds.qos import Policy, Qos
from cyclonedds.topic import Topic
from cyclonedds.util import duration

from vehicle_agent.announcement import Announcement
from vehicle_agent.speed_policy import Advice

ALERT_TOPIC = "rt/v2x/alert"
COMMAND_TOPIC = "rt/cmd_vel"
_RELIABLE = Policy.Reliability.Reliable(duration(milliseconds=100))
_KEPT = Qos(_RELIABLE, Policy.Durability.TransientLocal, Policy.History.KeepLast(10))
_LATEST = Qos(_RELIABLE, Policy.Durability.Volatile, Policy.History.KeepLast(1))


@dataclass
class String(IdlStruct, typename="std_msgs.msg.dds_.String_"):
    """std_msgs/msg/String."""

    data: str


@dataclass
class Vector3(IdlStruct, typename="geometry_msgs.msg.dds_.Vector3_"):
    """geometry_msgs/msg/Vector3."""

    x: float64 = 0.0
    y: float64 = 0.0
    z: float64 = 0.0


@dataclass
class Twist(IdlStruct, typename="geometry_msgs.msg.dds_.Twist_"):
    """geometry_msgs/msg/Twist: m/s and rad/s."""

    linear: Vector3
    angular: Vector3


class AlertWriter:
    """Publishes alerts."""

    def __init__(self, domain: int) -> None:
        participant = DomainParticipant(domain)
        topic = Topic(participant, ALERT_TOPIC, String, qos=_KEPT)
        self._writer = DataWriter(participant, topic, qos=_KEPT)

    def alert(self, announcement: Announcement) -> None:
        """Say what the console says: what happened, whether to act on it, and the alert."""
        sighting = announcement.sighting
        said = {
            "what": announcement.word.value.lower(),
            "trusted": sighting is None or sighting.trusted,
            "distance_m": announcement.distance_m,
            "alert": json.loads(announcement.alert.encode()),
        }
        self._writer.write(String(data=json.dumps(said)))


class CommandWriter:
    """Publishes speed commands.

    Commands are sent only while an alert asks for less than cruising speed, and stop with it, so
    that the planner has the vehicle at all other times.
    """

    def __init__(self, domain: int) -> None:
        participant = DomainParticipant(domain)
        topic = Topic(participant, COMMAND_TOPIC, Twist, qos=_LATEST)
        self._writer = DataWriter(participant, topic, qos=_LATEST)

    def speed(self, advice: Advice) -> None:
        """Ask for the advised speed ahead."""
        self._writer.write(Twist(linear=Vector3(x=advice.target_mps), angular=Vector3()))
