"""What vehicles show and what is on the air, written into the ledger as it comes."""

from __future__ import annotations

import csv
import json
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.testbed import GROUP, PORT, Node
from hazardcast.net.multicast import Group, open_receiver
from hazardcast.signing.envelope import unb64url
from tests.chaos.ledger import Clip, Heard, InForce, Ledger, Shown

LINE = re.compile(
    r"\[RECV\] [\d:.]+ (?P<test>TEST )?(?P<word>NEW|UPDATE|CANCEL|NEGATE|EXPIRED|WITHDRAWN) "
    r"(?P<type>unknown \(.*\)|[a-z]+) (?P<severity>low|medium|high|critical) (?P<id>\d+-\d+)( |$)"
)
ROW_CELLS = 21
LOOK_EVERY_S = 0.1
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def line_shown(car: str, life: int, at: float, text: str) -> Shown | None:
    """A console line about an alert; None: one about something else.

    Raises:
        ValueError: it is neither.
    """
    if CONTROL.search(text):
        raise ValueError("a control character")
    if not text.startswith("[RECV]"):
        return None
    found = LINE.match(text)
    if found is None:
        raise ValueError("not a whole line")
    kind = found["type"].split()[0]
    return Shown(
        car, life, at, "console", found["id"], found["word"], kind, found["severity"],
        bool(found["test"]),
    )  # fmt: skip


def row_shown(car: str, life: int, at: float, text: str) -> Shown | None:
    """A row of alerts.csv; None: its head.

    Raises:
        ValueError: it is neither.
    """
    (cells,) = csv.reader([text])
    if len(cells) != ROW_CELLS:
        raise ValueError(f"{len(cells)} cells")
    if cells[0] == "event_id":
        return None
    event_id, word, _, revision, kind, severity, road, test = cells[:8]
    version = (revision, cells[15])
    return Shown(
        car, life, at, "csv", event_id, word, kind, severity, test == "1", road, version
    )  # fmt: skip


class Witness:
    """Writes down what comes; `clock` gives seconds since the start."""

    def __init__(self, ledger: Ledger, clock: Callable[[], float]) -> None:
        self._ledger, self._clock = ledger, clock
        self.first_at: dict[tuple[str, str], float] = {}
        """(car, event id) → monotonic clock at which its first line was read."""
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def line(self, name: str, life: int, text: str) -> None:
        """A line on a process's stdout."""
        if name not in self._ledger.cars:
            return
        at = time.monotonic()
        try:
            shown = line_shown(name, life, self._clock(), text)
        except ValueError as error:
            self._ledger.note(f"{name}'s console: {error}: {text!r}")
            return
        if shown:
            self.first_at.setdefault((name, shown.event_id), at)
            self._ledger.show(shown)

    def watch(self, car: str, path: Path, life: Callable[[], int]) -> None:
        """Follow a vehicle's alerts.csv."""
        self._thread(lambda: self._follow(car, path, life))

    def listen(self, observer: Node) -> None:
        """Note every version of an alert that is on the air."""
        receiver = observer.inside(lambda: open_receiver(Group(GROUP, PORT, "eth0")))
        receiver.settimeout(0.2)

        def hear() -> None:
            while not self._stop.is_set():
                try:
                    text = receiver.recv(2048)
                except TimeoutError:
                    continue
                if heard := on_the_air(text):
                    self._ledger.hear(heard)
            receiver.close()

        self._thread(hear)

    def close(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _thread(self, work: Callable[[], None]) -> None:
        self._threads.append(threading.Thread(target=work, daemon=True))
        self._threads[-1].start()

    def _follow(self, car: str, path: Path, life: Callable[[], int]) -> None:
        """Whole rows only: the half of one that a full disk did not take is cut off again."""
        read = 0
        while True:
            last = self._stop.is_set()
            if path.exists() and path.stat().st_size > read:
                with path.open("rb") as file:
                    file.seek(read)
                    data = file.read()
                whole = data[: data.rfind(b"\n") + 1]
                read += len(whole)
                for row in whole.split(b"\n")[:-1]:
                    self._row(car, life(), row.decode("utf-8", "replace"))
            if last:
                return
            self._stop.wait(LOOK_EVERY_S)

    def _row(self, car: str, life: int, text: str) -> None:
        try:
            shown = row_shown(car, life, self._clock(), text)
        except (ValueError, csv.Error) as error:
            self._ledger.note(f"{car}'s alerts.csv: {error}: {text!r}")
            return
        if shown:
            self._ledger.show(shown)


def on_the_air(text: bytes) -> Heard | None:
    """The alert of a datagram; None: a heartbeat. Nobody else sends on this network."""
    alert: dict[str, Any] | None = json.loads(unb64url(text.split(b".")[1])).get("alert")
    if alert is None:
        return None
    return Heard(
        alert["event_id"], alert["status"], alert["lat"], alert["lon"], alert["type"],
        alert["severity"], alert.get("test", False),
    )  # fmt: skip


def alerts_in_force(answer: bytes) -> list[InForce]:
    """The alerts of `GET /alerts`."""
    return [
        InForce(one["event_id"], one["lat"], one["lon"], one["type"], one["severity"])
        for one in json.loads(answer)["alerts"]
    ]


def clips(folder: Path, began: float) -> list[Clip]:
    """What the manifests say; gaps in seconds since `began` (epoch)."""
    found = []
    for path in sorted(folder.glob("*.json")):
        said = json.loads(path.read_text())
        gaps = tuple(
            (gap["start"] - began, gap["end"] - began, gap["cause"]) for gap in said["gaps"]
        )
        found.append(Clip(said["event_id"], said["state"], gaps, path.with_suffix(".mp4").exists()))
    return found
