"""ROS 2 output, read by a DDS reader that knows the ROS 2 types and nothing of Hazardcast."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Iterator

import pytest
from vehicle_agent.announcement import Announcement, Word
from vehicle_agent.outlet import open_ros2
from vehicle_agent.speed_policy import Advice

from hazardcast.config.settings import Settings
from hazardcast.contract.errors import ToolMissingError
from hazardcast.testing import ManualClock, SignedStation, eventually

pytestmark = pytest.mark.network
STATION = SignedStation(clock=ManualClock())
ON_LOOPBACK = (
    "<CycloneDDS><Domain><General><Interfaces>"
    '<NetworkInterface name="lo" multicast="true"/>'
    "</Interfaces></General></Domain></CycloneDDS>"
)

READER = """
import json, sys, time
from dataclasses import dataclass
from cyclonedds.domain import DomainParticipant
from cyclonedds.idl import IdlStruct
from cyclonedds.idl.types import float64
from cyclonedds.qos import Policy, Qos
from cyclonedds.sub import DataReader
from cyclonedds.topic import Topic
from cyclonedds.util import duration

@dataclass
class S(IdlStruct, typename="std_msgs.msg.dds_.String_"):
    data: str

@dataclass
class V(IdlStruct, typename="geometry_msgs.msg.dds_.Vector3_"):
    x: float64
    y: float64
    z: float64

@dataclass
class T(IdlStruct, typename="geometry_msgs.msg.dds_.Twist_"):
    linear: V
    angular: V

participant = DomainParticipant(int(sys.argv[1]))
reliable = Policy.Reliability.Reliable(duration(milliseconds=100))
kept = Qos(reliable, Policy.Durability.TransientLocal, Policy.History.KeepLast(10))
volatile = Qos(reliable, Policy.Durability.Volatile, Policy.History.KeepLast(1))
alerts = DataReader(participant, Topic(participant, "rt/v2x/alert", S, qos=kept), qos=kept)
commands = DataReader(participant, Topic(participant, "rt/cmd_vel", T, qos=volatile), qos=volatile)
print("ready", flush=True)
ends = time.monotonic() + 30
while time.monotonic() < ends:
    for sample in alerts.take(10):
        print(json.dumps({"alert": json.loads(sample.data)}), flush=True)
    for sample in commands.take(10):
        print(json.dumps({"x": sample.linear.x, "yaw": sample.angular.z}), flush=True)
    time.sleep(0.02)
"""


class Node:
    """The other side, in a process of its own."""

    def __init__(self, domain: int) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", READER, str(domain)], stdout=subprocess.PIPE, text=True
        )

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()


@pytest.fixture
def domain(monkeypatch: pytest.MonkeyPatch) -> int:
    pytest.importorskip("cyclonedds", reason="the ros2 extra is not installed")
    monkeypatch.setenv("CYCLONEDDS_URI", ON_LOOPBACK)
    return random.randint(100, 200)


@pytest.fixture
def node(domain: int) -> Iterator[Node]:
    found = Node(domain)
    yield found
    found.process.kill()
    found.process.wait(10)


def announcement() -> Announcement:
    return Announcement(Word.NEW, STATION.alert(17), distance_m=500.0)


def test_a_node_that_comes_late_still_gets_the_alert(domain: int) -> None:
    outlet = open_ros2(Settings(ros2=True, ros2_domain=domain))
    assert outlet is not None
    outlet.alert(announcement())
    node = Node(domain)
    try:
        assert node.line() == "ready"
        said = json.loads(node.line())["alert"]
    finally:
        node.process.kill()
        node.process.wait(10)

    assert (said["what"], said["trusted"], said["distance_m"]) == ("new", True, 500.0)
    assert said["alert"]["event_id"] == "4097-17"
    assert said["alert"]["type"] == "collision"


def test_commands_are_sent_while_an_alert_slows_the_vehicle(domain: int, node: Node) -> None:
    outlet = open_ros2(Settings(ros2=True, ros2_cmd_vel=True, ros2_domain=domain))
    assert outlet is not None
    assert node.line() == "ready"
    heard: list[str] = []

    def sent_until_heard() -> bool:
        outlet.speed(None)
        outlet.speed(Advice(0.5, STATION.alert()))
        outlet.alert(announcement())
        heard.append(node.line())
        return any('"x"' in line for line in heard)

    eventually(sent_until_heard, within_s=20)

    assert json.loads(next(line for line in heard if '"x"' in line)) == {"x": 0.5, "yaw": 0.0}


def test_without_the_extra_the_start_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "vehicle_agent.ros2", None)

    with pytest.raises(ToolMissingError, match=r"hazardcast\[ros2\]"):
        open_ros2(Settings(ros2=True))


def test_ros2_is_off_unless_asked_for() -> None:
    assert open_ros2(Settings()) is None
