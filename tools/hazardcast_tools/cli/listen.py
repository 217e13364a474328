"""`hazardcast listen`: what a vehicle would believe of what is on the air, and why not."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from hazardcast.config import settings as settings_module
from hazardcast.contract.errors import ConfigError
from hazardcast.contract.messages import Alert, Datagram
from hazardcast.contract.terminal_text import printable
from hazardcast.machine.clock import SystemClock
from hazardcast.net import addresses, multicast
from hazardcast.net.multicast import Group, Packet
from hazardcast.receiving.datagram_verifier import Accepted, Reception, Rejection
from hazardcast.service import lifecycle
from hazardcast.signing.trust import load_truststore
from hazardcast_tools.cli.telling import tell

HEARD_NOTHING = 1
LOOK_EVERY_S = 0.2


def listen(  # noqa: PLR0917 - options, given by name on the command line
    truststore: Annotated[
        Path | None, typer.Option(help="Keys to believe; the deployment's when not given.")
    ] = None,
    group: Annotated[
        str | None, typer.Option(help="Another group, as ADDRESS or ADDRESS:PORT.")
    ] = None,
    interface: Annotated[
        str | None, typer.Option(help="Interface to listen on, by name or address.")
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(help="Stop after so long; until Ctrl-C when not given.")
    ] = None,
    show_all: Annotated[
        bool, typer.Option("--all", help="Every datagram, not only what is new.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Verify and print the datagrams that vehicles receive; exit code 1 when none was genuine."""
    settings = settings_module.load()
    base = Group(settings.multicast_group, settings.multicast_port, settings.multicast_interface)
    place = _group(base, group, interface)
    listener = Listener(
        Reception(load_truststore(truststore or settings.truststore_path), Forgetful())
    )
    for packet in _packets(place, seconds):
        finding = listener.hear(packet)
        if show_all or finding.is_news:
            tell(json.dumps(finding.facts) if as_json else finding.line())
    tell(json.dumps(listener.totals()) if as_json else listener.summary(), err=not as_json)
    if not listener.believed:
        raise typer.Exit(HEARD_NOTHING)


def _group(base: Group, text: str | None, interface: str | None) -> Group:
    if interface:
        base = replace(base, interface=_interface(interface))
    if not text:
        return base
    try:
        address, port = addresses.host_port(text, default_port=base.port)
        return replace(base, address=addresses.group(address), port=port)
    except ValueError as error:
        raise ConfigError(f"--group: {error}") from None


def _interface(text: str) -> str:
    try:
        return addresses.interface(text)
    except ValueError as error:
        raise ConfigError(f"--interface: {error}") from None


def _packets(group: Group, seconds: float | None) -> Iterator[Packet]:
    """Datagrams until the time is over or somebody presses Ctrl-C."""
    stop, clock = lifecycle.stop_on_signals(), SystemClock()
    try:
        receiver = multicast.open_receiver(group)
    except OSError as error:
        raise ConfigError(f"cannot join {group.address}: {error.strerror}") from None
    with receiver:
        tell(f"listening on {group.address}:{group.port}", err=True)
        receiver.settimeout(LOOK_EVERY_S)
        ends = clock.monotonic() + seconds if seconds is not None else None
        while not stop.is_set() and (ends is None or clock.monotonic() < ends):
            try:
                yield multicast.read(receiver)
            except TimeoutError:
                continue


class Forgetful:
    """Epochs for one run only: whoever listens today may believe what was said yesterday."""

    def load(self) -> dict[int, int]:
        """None known."""
        return {}

    def save(self, epochs: dict[int, int]) -> None:
        """Not kept."""


@dataclass(frozen=True)
class Finding:
    """One datagram and what became of it."""

    facts: dict[str, Any]
    datagram: Datagram | None
    is_news: bool

    def line(self) -> str:
        """For people to read."""
        moment = datetime.fromtimestamp(self.facts["received_at"]).astimezone()
        said = _said(self.datagram) if self.datagram else f"REFUSED {self.facts['refused']}"
        transport = f"{self.facts['bytes']} bytes from {self.facts['source']}"
        if self.datagram:
            transport += f", {(self.facts['received_at'] - self.datagram.tx) * 1000:+.1f} ms"
        return printable(
            f"{moment:%H:%M:%S}.{moment.microsecond // 1000:03d} {said}  ({transport})"
        )


def _said(datagram: Datagram) -> str:
    number = f"station {datagram.station} seq {datagram.seq}"
    if datagram.heartbeat:
        beat = datagram.heartbeat
        return f"HEARTBEAT {beat.state}, {beat.active_count} in force  {number}"
    assert datagram.alert is not None
    alert, (copy, copies) = datagram.alert, datagram.copy_
    test = "TEST " if alert.test else ""
    return (
        f"{test}{alert.status.upper()} {alert.type} {alert.severity} {alert.event_id} "
        f"revision {alert.revision}  {number} tick {datagram.tick} copy {copy + 1}/{copies}"
    )


@dataclass
class Listener:
    """Judges datagrams as a vehicle does, without judging their age: this clock may be wrong."""

    reception: Reception
    believed: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    _known: set[object] = field(default_factory=set)
    _clock: SystemClock = field(default_factory=SystemClock)

    def hear(self, packet: Packet) -> Finding:
        """Judge one datagram."""
        now = packet.kernel_time or self._clock.now()
        verdict = self.reception.judge(
            packet.data,
            source=packet.source,
            now=now,
            monotonic=self._clock.monotonic(),
            clock_error_s=None,
        )
        facts = {"received_at": now, "source": packet.source, "bytes": len(packet.data)}
        if isinstance(verdict, Accepted):
            return self._believe(verdict, facts)
        self.refused[verdict.value] += 1
        return Finding({**facts, "refused": verdict.value}, None, self._is_news(_topic(verdict)))

    def _believe(self, accepted: Accepted, facts: dict[str, Any]) -> Finding:
        self.believed += 1
        datagram = accepted.datagram
        said = json.loads(datagram.encode())
        return Finding(
            {**facts, "kid": accepted.kid, "datagram": said},
            datagram,
            self._is_news(_version(datagram.alert) if datagram.alert else _beat(datagram)),
        )

    def _is_news(self, what: object) -> bool:
        news = what is not None and what not in self._known
        self._known.add(what)
        return news

    def totals(self) -> dict[str, Any]:
        """How many were believed, and how many not, by reason."""
        return {"believed": self.believed, "refused": dict(self.refused)}

    def summary(self) -> str:
        """The totals in words."""
        refused = ", ".join(f"{count} {reason}" for reason, count in self.refused.items())
        return f"{self.believed} believed, refused: {refused or 'none'}"


def _topic(rejection: Rejection) -> object:
    """Duplicates are the daily life of a network; any other reason is news once."""
    return None if rejection is Rejection.DUPLICATE else rejection


def _version(alert: Alert) -> object:
    return alert.event_id, alert.reference_time, alert.status


def _beat(datagram: Datagram) -> object:
    beat = datagram.heartbeat
    return datagram.station, datagram.epoch, beat and (beat.state, beat.active_digest)
