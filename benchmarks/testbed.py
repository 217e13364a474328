"""A station and vehicles in network namespaces of their own, on links that lose what they are told to.

    switch ─┬─ station   (mosquitto, alerter)          10.83.0.1
            ├─ car-1 … car-N  (one vehicle-agent each) 10.83.0.11 …
            └─ attacker  (on the same network)         10.83.0.250

Loss hits everything that an IP link carries, in both directions alike: multicast, the broker's TCP
with its acknowledgements, receipts. What goes down is dropped where the vehicle receives
it, what comes up where the station does (`iptables -m statistic`), so that no sender is told.
Bursts take the vehicle's port of the switch down and up again, for both directions at once.

Everything runs at a raised priority where that is permitted: the links are on trial, not what else
the machine does meanwhile.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import paho.mqtt.client as mqtt
from hazardcast_tools.stack.broker import find_mosquitto
from paho.mqtt.enums import CallbackAPIVersion

from benchmarks.alert_path import _send_at_once
from benchmarks.harness import Child

T = TypeVar("T")
PREFIX = "hzc"
NET = "10.83.0"
STATION = "station"
ATTACKER = "attacker"
SWITCH = "switch"
BROKER_PORT = 1883
GROUP = "239.20.20.20"
PORT = 5520
METRICS_PORT = 9100
PRIORITY = -10
"""Niceness of the testbed's processes, and of the thread that measures."""
_CLONE_NEWNET = 0x4000_0000


def missing() -> str | None:
    """What this machine lacks for a testbed; None: nothing."""
    for tool in ("ip", "bridge", "iptables"):
        if shutil.which(tool, path=_path()) is None:
            return tool
    if find_mosquitto() is None:
        return "mosquitto"
    name = f"{PREFIX}-{os.getpid()}-try"
    try:
        _run("ip", "netns", "add", name)
        try:
            _in(name, "iptables", "-A", "INPUT", *_at_random(0.5))
        finally:
            _run("ip", "netns", "del", name)
    except subprocess.CalledProcessError as error:
        return f"the right to make namespaces and lossy links ({error.stderr.strip()})"
    return None


def sweep() -> None:
    """Remove what a testbed left behind whose process is gone."""
    for line in _run("ip", "netns", "list").splitlines():
        parts = line.split()[0].split("-") if line.strip() else [""]
        if parts[0] == PREFIX and len(parts) > 2 and not Path("/proc", parts[1]).exists():
            _remove(line.split()[0])


def _remove(namespace: str) -> None:
    for pid in _run("ip", "netns", "pids", namespace).split():
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(pid), signal.SIGKILL)
    _run("ip", "netns", "del", namespace)


def _prioritise(nice: int) -> None:
    """For this thread and what it starts, also against other sessions (sched(7), autogroups)."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, nice)
        Path("/proc/self/autogroup").write_text(str(nice))


def _path() -> str:
    return os.environ.get("PATH", "") + ":/usr/sbin:/sbin"


def _run(*command: str) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env={**os.environ, "PATH": _path()}
    )
    return done.stdout


def _in(namespace: str, *command: str) -> str:
    return _run("ip", "netns", "exec", namespace, *command)


def _at_random(share: float) -> tuple[str, ...]:
    return ("-m", "statistic", "--mode", "random", "--probability", str(share), "-j", "DROP")


class Node:
    """One machine: a namespace with an address."""

    def __init__(self, name: str, namespace: str, address: str) -> None:
        self.name, self.namespace, self.address = name, namespace, address

    def spawn(self, *command: str, **settings: str) -> Child:
        """Run a program there; its `HAZARDCAST_*` settings by keyword."""
        return Child("ip", "netns", "exec", self.namespace, *command, **settings)

    def python(self, module: str, *arguments: str, **settings: str) -> Child:
        return self.spawn(sys.executable, "-u", "-m", module, *arguments, **settings)

    def inside(self, call: Callable[[], T]) -> T:
        """Call something there: a socket belongs to the namespace that its thread was in."""
        results: list[T] = []
        failures: list[BaseException] = []

        def work() -> None:
            try:
                with Path("/run/netns", self.namespace).open() as handle:
                    libc = ctypes.CDLL(None, use_errno=True)
                    if libc.setns(handle.fileno(), _CLONE_NEWNET):
                        raise OSError(ctypes.get_errno(), "setns")
                results.append(call())
            except BaseException as error:  # noqa: BLE001 - raised again by the caller's thread
                failures.append(error)

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        if failures:
            raise failures[0]
        return results[0]

    def answer(self, path: str) -> str | None:
        """What the service there says on its metrics port; None: nothing."""

        def ask() -> str | None:
            url = f"http://127.0.0.1:{METRICS_PORT}{path}"
            try:
                with urllib.request.urlopen(url, timeout=10) as reply:
                    return str(reply.read().decode())
            except OSError:
                return None

        return self.inside(ask)

    def metrics(self) -> dict[str, float]:
        """`name{labels}` → value."""
        lines = (line.rsplit(" ", 1) for line in (self.answer("/metrics") or "").splitlines())
        return {parts[0]: float(parts[1]) for parts in lines if parts[0][:1] not in ("", "#")}


class Testbed:
    """The network, and the processes on it. Leaving it removes all of both."""

    __test__ = False

    def __init__(self, folder: Path, *, vehicles: int) -> None:
        self.folder = folder
        self.children: list[Child] = []
        self._clients: list[mqtt.Client] = []
        sweep()
        self._id = f"{PREFIX}-{os.getpid()}"
        self._namespaces: list[str] = []
        try:
            self._switch = self._namespace(SWITCH)
            _run(
                "ip",
                "-n",
                self._switch,
                "link",
                "add",
                "br0",
                "type",
                "bridge",
                "mcast_snooping",
                "0",
            )
            _run("ip", "-n", self._switch, "link", "set", "br0", "up")
            self.station = self._node(STATION, 1)
            self.attacker = self._node(ATTACKER, 250)
            self.cars = [self._node(f"car-{n}", 10 + n) for n in range(1, vehicles + 1)]
        except BaseException:
            self.close()
            raise

    def _namespace(self, name: str) -> str:
        full = f"{self._id}-{name}"
        with contextlib.suppress(subprocess.CalledProcessError):
            _run("ip", "netns", "del", full)
        _run("ip", "netns", "add", full)
        self._namespaces.append(full)
        _run("ip", "-n", full, "link", "set", "lo", "up")
        return full

    def _node(self, name: str, host: int) -> Node:
        node = Node(name, self._namespace(name), f"{NET}.{host}")
        self.plug(node)
        return node

    def plug(self, node: Node) -> None:
        """Give a machine its interface, connected to the switch."""
        _run(
            "ip", "-n", self._switch, "link", "add", node.name, "type", "veth",
            "peer", "name", "eth0", "netns", node.namespace,
        )  # fmt: skip
        _run("ip", "-n", self._switch, "link", "set", node.name, "master", "br0", "up")
        self.address(node, node.address)

    def address(self, node: Node, address: str | None) -> None:
        """Give a machine another address, or none."""
        ip = ("ip", "-n", node.namespace)
        _run(*ip, "addr", "flush", "dev", "eth0")
        if address is None:
            return
        _run(*ip, "addr", "add", f"{address}/24", "dev", "eth0")
        _run(*ip, "link", "set", "eth0", "up")
        _run(*ip, "route", "replace", "224.0.0.0/4", "dev", "eth0")

    def unplug(self, node: Node) -> None:
        """Take a machine's interface away."""
        _run("ip", "-n", node.namespace, "link", "del", "eth0")

    def carry(self, node: Node, *, carrier: bool) -> None:
        """Pull a machine's cable at the switch, or put it back."""
        _run("ip", "-n", self._switch, "link", "set", node.name, "up" if carrier else "down")

    def __enter__(self) -> Self:
        self._nice = os.getpriority(os.PRIO_PROCESS, 0)
        _prioritise(PRIORITY)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
        _prioritise(self._nice)

    def close(self) -> None:
        """End every process and remove every namespace."""
        for client in self._clients:  # else they would look for a broker outside
            client.disconnect()
            client.loop_stop()
        for child in self.children:
            with contextlib.suppress(ProcessLookupError):
                child.process.kill()
            child.process.wait()
        for namespace in self._namespaces:
            with contextlib.suppress(subprocess.CalledProcessError):
                _remove(namespace)
        self._namespaces = []

    # -- processes

    def keep(self, child: Child) -> Child:
        self.children.append(child)
        return child

    def start_broker(self) -> Child:
        program = find_mosquitto()
        assert program
        conf = self.folder / "mosquitto.conf"
        conf.write_text(
            f"listener {BROKER_PORT} 0.0.0.0\nallow_anonymous true\nset_tcp_nodelay true\n"
            "max_inflight_messages 100\nmax_queued_messages 10000\nlog_type none\n"
        )
        broker = self.keep(self.station.spawn(program, "-c", str(conf)))
        wait_for(lambda: self.station.inside(_answers), "the broker listens")
        return broker

    @property
    def data_dir(self) -> Path:
        """The station's."""
        return self.folder / STATION

    def start_alerter(
        self, *, ready: bool = True, interface: str | None = "eth0", **changes: str
    ) -> Child:
        config = self.folder / "cameras.yaml"
        config.write_text("site: {station_id: 4097}\ncameras: {}\n")
        settings = {
            "config": str(config),
            "data_dir": str(self.data_dir),
            "instance": STATION,
        }
        if interface:
            settings["multicast_interface"] = interface
        alerter = self.keep(self.station.python("alerter", **{**settings, **changes}))
        path = "/readyz" if ready else "/healthz"
        wait_for(lambda: self.station.answer(path) is not None, f"the alerter's {path} is well")
        return alerter

    def start_vehicle(
        self,
        car: Node,
        *,
        program: Sequence[str] = ("-m", "vehicle_agent"),
        interface: str | None = "eth0",
        **changes: str,
    ) -> Child:
        """Returns at once; `wait_ready` waits."""
        settings = {
            "vehicle": car.name,
            "data_dir": str(self.folder / "vehicles"),
            "truststore": str(self.data_dir / "keys" / "truststore.json"),
            "mqtt_host": self.station.address,
        }
        if interface:
            settings["multicast_interface"] = interface
        return self.keep(car.spawn(sys.executable, "-u", *program, **{**settings, **changes}))

    def wait_ready(self, cars: Sequence[Node] | None = None, *, broker: bool = True) -> None:
        """Every vehicle hears the group, and the broker where it should."""
        for car in self.cars if cars is None else cars:
            paths = ("multicast", "mqtt") if broker else ("multicast",)
            wait_for(
                lambda car=car, paths=paths: all(p in (car.answer("/readyz") or "") for p in paths),  # type: ignore[misc]
                f"{car.name} is ready",
            )

    def publisher(self) -> mqtt.Client:
        """A client beside the broker, on a link that loses nothing."""
        client = mqtt.Client(CallbackAPIVersion.VERSION2)
        client.on_socket_open = _send_at_once
        self.station.inside(lambda: client.connect("127.0.0.1", BROKER_PORT))
        client.loop_start()
        self._clients.append(client)
        return client

    # -- links

    def lose(self, car: Node, share: float) -> None:
        """From now on the vehicle's link loses so much of everything, each way."""
        if share:
            _in(car.namespace, "iptables", "-A", "INPUT", "-i", "eth0", *_at_random(share))
            _in(
                self.station.namespace,
                "iptables",
                "-A",
                "INPUT",
                "-s",
                car.address,
                *_at_random(share),
            )

    def cut(self, car: Node, *matches: str) -> None:
        """From now on nothing that matches reaches the vehicle (iptables syntax)."""
        _in(car.namespace, "iptables", "-I", "INPUT", "-i", "eth0", *matches, "-j", "DROP")

    def mend(self, car: Node) -> None:
        """The vehicle's link loses nothing any more."""
        _in(car.namespace, "iptables", "-F", "INPUT")
        _in(self.station.namespace, "iptables", "-F", "INPUT")

    @contextlib.contextmanager
    def bursts(
        self, cars: Sequence[Node], *, share: float, length_s: float = 0.05, seed: int = 1
    ) -> Iterator[dict[str, float]]:
        """Meanwhile the links are down for `share` of the time, `length_s` at a time on average.

        Good and bad stretches are exponentially distributed (Gilbert and Elliott's model). Yields
        car → share of the time that it really was down.
        """  # fmt: skip
        stop, down = threading.Event(), {car.name: 0.0 for car in cars}

        def flap(car: Node, chance: random.Random) -> None:
            began, bad_s, good_s = time.monotonic(), 0.0, length_s * (1 - share) / share
            with self._port(car) as set_state:
                while not stop.wait(chance.expovariate(1 / good_s)):
                    fell = set_state(0)
                    time.sleep(chance.expovariate(1 / length_s))
                    bad_s += set_state(3) - fell
            down[car.name] = bad_s / (time.monotonic() - began)

        threads = [
            threading.Thread(target=flap, args=(car, random.Random(seed + n)))
            for n, car in enumerate(cars)
        ]
        for thread in threads:
            thread.start()
        try:
            yield down
        finally:
            stop.set()
            for thread in threads:
                thread.join()

    @contextlib.contextmanager
    def _port(self, car: Node) -> Iterator[Callable[[int], float]]:
        """Sets the state of the vehicle's port of the switch: 0 is off, 3 forwards."""
        batch = subprocess.Popen(
            ["bridge", "-n", self._switch, "-batch", "-"],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        assert batch.stdin

        def set_state(state: int) -> float:
            assert batch.stdin
            batch.stdin.write(f"link set dev {car.name} state {state}\n")
            batch.stdin.flush()
            return time.monotonic()

        try:
            yield set_state
        finally:
            batch.stdin.close()
            if batch.wait(10):
                raise RuntimeError("the switch did not do as it was told")


def _answers() -> bool:
    import socket  # noqa: PLC0415

    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", BROKER_PORT)) == 0


def wait_for(condition: Callable[[], bool], what: str, within_s: float = 40.0) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {within_s:g} s: {what}")
        time.sleep(0.05)
