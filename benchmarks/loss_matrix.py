"""Alerts over lossy links, beside the same alerts as plain MQTT QoS 1 to the same vehicles.

Every incident is published once. The alerter turns it into an alert for the vehicle-agents; in the
same namespaces bare subscribers hear the very same message from the broker, as a user would do it
without Hazardcast. All links are lossy in both directions, for everything (`benchmarks.testbed`).
Publishing keeps its schedule whatever the
answers (no coordinated omission); a line that never comes counts as late.
"""

from __future__ import annotations

import io
import json
import re
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.harness import Child, Figure, percentile
from benchmarks.testbed import Node, Testbed, missing

ALERTS = 300
RATE_PER_S = 12.0
VERSIONS = 8
"""Of each event: a new alert and updates of it."""
BARE = "benchmarks.bare_subscriber"
IN_TIME_S = 0.5
AT_LAST_S = 2.0
SETTLE_S = 3.0
NEVER_S = 60.0
MARK = re.compile(r"bench-(\d+)-")


@dataclass(frozen=True)
class Link:
    """What a kind of link does to packets, each way."""

    name: str
    loss: float = 0.0
    """Share lost independently of each other."""
    bursts: float = 0.0
    """Share of the time that it loses everything, 50 ms at a time on average; adds to `loss`."""


LINKS = (
    Link("0 %"),
    Link("5 %", loss=0.05),
    Link("20 %", loss=0.2),
    Link("30 %", loss=0.3),
    Link("20 % in 50 ms bursts", bursts=0.2),
    Link("20 % and 10 % in 50 ms bursts", loss=0.2, bursts=0.1),
)


@dataclass(frozen=True)
class Cell:
    """What one program on one vehicle printed: the delay of every alert, s; late ones `NEVER_S`."""

    link: Link
    vehicle: str
    delays_s: list[float]

    def share_within(self, seconds: float) -> float:
        return sum(delay <= seconds for delay in self.delays_s) / len(self.delays_s)


def incident(index: int, events: int) -> str:
    """The versions of one event come `events` alerts apart."""
    event = index % events
    return json.dumps(
        {
            "type": "blockage",
            "severity": "low",
            "event_id": f"bench-event-{event}",
            "status": "new" if index < events else "update",
            "lat": 37.0 + event * 0.01,
            "lon": 127.0,
            "road": f"bench-{index}-",
            "clip_hint": False,
        }
    )


def drive(bed: Testbed, alerts: int, rate_per_s: float = RATE_PER_S) -> list[float]:
    """Publish on schedule; returns when each was published (monotonic), after all had their time."""
    client, published = bed.publisher(), []
    events = -(-alerts // VERSIONS)
    started = time.monotonic()
    for index in range(alerts):
        time.sleep(max(0.0, started + index / rate_per_s - time.monotonic()))
        published.append(time.monotonic())
        client.publish("v2x/alert", incident(index, events), qos=1)
    time.sleep(SETTLE_S)
    client.disconnect()
    client.loop_stop()
    return published


def delays_s(child: Child, published: list[float]) -> list[float]:
    """Publish → line read by us, for the first line of each alert."""
    first: dict[int, float] = {}
    for moment, line in list(child.lines):
        if match := MARK.search(line):
            first.setdefault(int(match[1]), moment)
    return [
        first[index] - sent if index in first else NEVER_S for index, sent in enumerate(published)
    ]


@contextmanager
def lossy(bed: Testbed, roads: Sequence[tuple[Link, Sequence[Node]]]) -> Iterator[None]:
    """Meanwhile each kind of link does what it does."""
    with ExitStack() as stack:
        for number, (link, cars) in enumerate(roads):
            for car in cars:
                bed.lose(car, link.loss)
            if link.bursts:
                stack.enter_context(bed.bursts(cars, share=link.bursts, seed=100 * number))
        yield


def measure(
    folder: Path, links: Sequence[Link], *, vehicles: int, alerts: int, beside: bool = False
) -> tuple[list[Cell], list[Cell]]:
    """The cells of our vehicles, and with `beside` those of bare subscribers next to them."""
    with Testbed(folder, vehicles=vehicles * len(links)) as bed:
        bed.start_broker()
        bed.start_alerter()
        roads = [
            (link, bed.cars[n * vehicles : (n + 1) * vehicles]) for n, link in enumerate(links)
        ]
        ours = {car.name: bed.start_vehicle(car) for car in bed.cars}
        bed.wait_ready()
        bare = {}
        if beside:
            bare = {car.name: bed.keep(car.python(BARE, bed.station.address, car.name)) for car in bed.cars}  # fmt: skip
            time.sleep(2.0)
        with lossy(bed, roads):
            published = drive(bed, alerts)

        def cells(children: dict[str, Child]) -> list[Cell]:
            return [
                Cell(link, car.name, delays_s(children[car.name], published))
                for link, cars in roads
                for car in cars
                if car.name in children
            ]

        return cells(ours), cells(bare)


def table(ours: Sequence[Cell], bare: Sequence[Cell] = ()) -> str:
    """The matrix as text: all vehicles of a kind of link together, and the worst of them."""
    grid = Table("link loses", "who", "alerts", "≤ 500 ms", "worst vehicle", "≤ 2 s", "p50", "p99")
    for link in dict.fromkeys(cell.link for cell in ours):
        for who, cells in (("hazardcast", ours), ("MQTT QoS 1", bare)):
            mine = [cell for cell in cells if cell.link == link]
            if mine:
                grid.add_row(link.name, who, *_row(mine))
    console = Console(width=110, record=True, file=io.StringIO())
    console.print(grid)
    return console.export_text()


def _row(cells: Sequence[Cell]) -> list[str]:
    every = Cell(cells[0].link, "all", [delay for cell in cells for delay in cell.delays_s])
    worst = min(cell.share_within(IN_TIME_S) for cell in cells)
    return [
        f"{len(every.delays_s) // len(cells)} × {len(cells)}",
        f"{every.share_within(IN_TIME_S):.2%}",
        f"{worst:.2%}",
        f"{every.share_within(AT_LAST_S):.2%}",
        _time(percentile(every.delays_s, 50)),
        _time(percentile(every.delays_s, 99)),
    ]


def _time(seconds: float) -> str:
    return "never" if seconds >= NEVER_S else f"{seconds * 1000:.0f} ms"


def figures(ours: Sequence[Cell], bare: Sequence[Cell]) -> list[Figure]:
    """Share within 500 ms and p99 of each kind of link."""
    found = []
    for link in dict.fromkeys(cell.link for cell in ours):
        mine = [d for cell in ours if cell.link == link for d in cell.delays_s]
        theirs = [d for cell in bare if cell.link == link for d in cell.delays_s]
        share, peer = (sum(d <= IN_TIME_S for d in ds) / len(ds) for ds in (mine, theirs))
        aim = 0.99 if link.bursts else 0.995
        detail = {
            "p50_ms": percentile(mine, 50) * 1000, "p99_ms": percentile(mine, 99) * 1000,
            "bare_p50_ms": percentile(theirs, 50) * 1000, "bare_p99_ms": percentile(theirs, 99) * 1000,
            "within_2s": sum(d <= AT_LAST_S for d in mine) / len(mine),
        }  # fmt: skip
        name = f"alerts within 500 ms, link loses {link.name}"
        aimed, met = f"≥ {aim:.1%}", share >= aim
        found.append(Figure(name, "%", share * 100, peer * 100, aimed, met, detail))
    return found


def run() -> list[Figure]:
    if lacking := missing():
        print(f"  left out: {lacking} is missing")
        return []
    ours: list[Cell] = []
    bare: list[Cell] = []
    for pair in (LINKS[:2], LINKS[2:4], LINKS[4:]):
        with tempfile.TemporaryDirectory() as folder:
            cells = measure(Path(folder), pair, vehicles=3, alerts=ALERTS, beside=True)
        ours += cells[0]
        bare += cells[1]
    print(table(ours, bare))
    return figures(ours, bare)
