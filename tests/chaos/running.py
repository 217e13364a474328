"""One run: calm, storm, settling; then the judgement and its figures."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.harness import percentile
from benchmarks.testbed import wait_for
from tests.chaos.doors import Reporters
from tests.chaos.faults import FAULTS, MishapError
from tests.chaos.judgement import Verdict, judge
from tests.chaos.kinds import CARS, KINDS, Kind
from tests.chaos.ledger import Ledger, Span
from tests.chaos.reports import Amount, script
from tests.chaos.schedule import Planned, plan
from tests.chaos.witness import Witness, alerts_in_force, clips
from tests.chaos.world import HTTP_PORT, World, ask

CALM_S = 10.0
SETTLE_S = 35.0
"""A vehicle that missed a cancel learns from a heartbeat after 15 s of silence (every 10 s)."""
CLIPS_WITHIN_S = 60.0
STARTS_WITHIN_S = 6.0
LOOK_EVERY_S = 0.5


@dataclass(frozen=True)
class Result:
    verdict: Verdict
    ledger: Ledger
    latencies_s: list[float]
    """Of the calm's reports on every vehicle that hears multicast: said → line read."""

    def figures(self) -> str:
        """A few lines for people."""
        v = self.verdict
        p50, p99 = (1000 * percentile(self.latencies_s, q) for q in (50, 99))
        return (
            f"faults injected {v.faults}; reports {v.reports}, accepted {v.accepted}\n"
            f"due {v.due} (accident × vehicle), told {v.told}, lost {len(v.lost)},"
            f" told wrongly {len(v.wrong)}; in doubt {v.in_doubt}, over too soon {v.brief}\n"
            f"clips due {v.clips_due}, ready {v.clips_whole}, lost {len(v.clips_lost)};"
            f" mishaps {len(v.mishaps)}\n"
            f"report → shown in calm: p50 {p50:.1f} ms, p99 {p99:.1f} ms"
        )

    def findings(self) -> list[str]:
        v = self.verdict
        named = {"LOST": v.lost, "WRONG": v.wrong, "CLIP": v.clips_lost, "MISHAP": v.mishaps}
        return [f"{name}: {text}" for name, texts in named.items() for text in texts]


class Storm:
    """Carries out the plan, a thread for each lane's fault, and keeps what ran by itself running."""

    def __init__(self, world: World, ledger: Ledger, clock_began: float) -> None:
        self._world, self._ledger, self._began = world, ledger, clock_began
        self._lock = threading.Lock()
        self._active: dict[str, float] = {}
        """Service → until when (monotonic) its silence is excused."""
        self._stop = threading.Event()
        self._watch = threading.Thread(target=self._look_after)
        self._watch.start()

    def run(self, planned: Sequence[Planned], began: float) -> None:
        """`began`: the monotonic clock at the storm's second 0."""
        threads = []
        for one in planned:
            time.sleep(max(0.0, began + one.begin_s - time.monotonic()))
            threads.append(threading.Thread(target=self._do, args=(one,)))
            threads[-1].start()
        for thread in threads:
            thread.join()

    def _do(self, one: Planned) -> None:
        world, begin = self._world, time.monotonic()
        who = _service(one)
        self._excuse(who, one.end_s - one.begin_s + 20)
        try:
            with FAULTS[one.kind.name](world, one.subject):
                left_s = one.end_s - one.begin_s - (time.monotonic() - begin)
                time.sleep(max(0.2, left_s))
                if one.kind.name == "silent connection on every port":
                    self._pages()
        except MishapError as error:
            self._ledger.note(f"{one.kind.name}: {error}")
        except Exception as error:  # noqa: BLE001 - the run goes on, and says so at its end
            self._ledger.note(f"{one.kind.name} on {one.subject} could not be done: {error!r}")
        end = time.monotonic()
        self._excuse(who, STARTS_WITHIN_S)
        span = Span(one.kind, one.subject, begin - self._began, end - self._began)
        self._ledger.span(span)

    def _excuse(self, service: str, for_s: float) -> None:
        with self._lock:
            self._active[service] = time.monotonic() + for_s

    def _excused(self, service: str) -> bool:
        with self._lock:
            return time.monotonic() < self._active.get(service, 0.0)

    def _pages(self) -> None:
        for name in ("alerter", "clipper", "recorder", *CARS):
            silent = not self._excused(name) and self._world.page(name, "/healthz") is None
            if silent and not self._excused(name):
                self._ledger.note(f"{name}'s /healthz does not answer beside a silent connection")

    def _look_after(self) -> None:
        """What ends by itself is started again, as a supervisor would; that it fell is noted."""
        while not self._stop.wait(LOOK_EVERY_S):
            for service in self._world.services.values():
                if service.wanted and not service.running:
                    self._ledger.note(
                        f"{service.name} fell at {time.monotonic() - self._began:.1f} s,"
                        f" code {service.code}"
                    )
                    service.start()

    def close(self) -> None:
        self._stop.set()
        self._watch.join()


def _service(one: Planned) -> str:
    """Whose silence a fault excuses."""
    who = one.kind.name.split()[0].removesuffix("'s")
    return {"car": one.subject, "station": "alerter"}.get(who, who)


def run(
    folder: Path,
    *,
    seed: int,
    seconds: float,
    kinds: Sequence[Kind] = KINDS,
    amount: Amount | None = None,
    say: bool = False,
) -> Result:
    """A whole run of about `seconds`, calm and settling included."""
    storm_s = max(10.0, seconds - CALM_S - SETTLE_S)
    amount = amount or Amount(CALM_S, storm_s)
    began = time.monotonic()
    ledger = Ledger(CARS)
    witness = Witness(ledger, lambda: time.monotonic() - began)
    world = World(folder, video_s=seconds + 120, line=witness.line)
    storm = None
    try:
        world.start()
        _watch(world, witness)
        storm = Storm(world, ledger, began)
        reporters = Reporters(world, ledger, script(seed, amount), lambda: time.monotonic() - began)
        start = time.monotonic()
        talking = threading.Thread(target=reporters.run, args=(start,))
        talking.start()
        planned = plan(seed, storm_s, kinds)
        if say:
            for one in planned:
                print(
                    f"  {one.begin_s + CALM_S + start - began:6.1f} {one.end_s - one.begin_s:4.1f} s  {one.kind.name} ({one.subject})"
                )
        storm.run(planned, start + CALM_S)
        talking.join()
        reporters.close()
        time.sleep(SETTLE_S)
        _look_at_the_end(world, ledger, began)
        storm.close()
    finally:
        if storm:
            storm.close()
        world.keep_papers()
        world.close()
        witness.close()
    return Result(judge(ledger), ledger, _latencies(ledger, witness, reporters, amount))


def _watch(world: World, witness: Witness) -> None:
    witness.listen(world.observer)
    for car in CARS:
        path = world.folder / car / f"vehicle-{car}" / "alerts.csv"
        witness.watch(car, path, lambda car=car: world.services[car].life)  # type: ignore[misc]


def _look_at_the_end(world: World, ledger: Ledger, began: float) -> None:
    ledger.stopped = time.monotonic() - began
    status, answer = world.station.inside(lambda: ask(HTTP_PORT, "/alerts", 5))
    if status != 200:
        ledger.note("the alerter does not answer at the end")
        return
    ledger.in_force = alerts_in_force(answer)
    for name in CARS:
        held = world.cars[name].metrics().get("hazardcast_vehicle_alerts_active", -1.0)
        ledger.car_counts[name] = int(held)
    folder = world.folder / "video" / "clips"
    try:
        wait_for(lambda: not _jobs(folder), "every clip is made", CLIPS_WITHIN_S)
    except TimeoutError:
        left = ", ".join(path.name for path in _jobs(folder))
        ledger.note(f"clips are still being made {CLIPS_WITHIN_S:g} s later: {left}")
    ledger.clips = clips(folder, time.time() - (time.monotonic() - began))


def _jobs(folder: Path) -> list[Path]:
    """Those that may still get video: not of a moment that a wrong clock put hours ahead."""
    jobs = (folder / ".jobs").glob("*/job.json")
    return [
        path.parent for path in jobs if json.loads(path.read_text())["request"]["ts"] < time.time()
    ]


def _latencies(
    ledger: Ledger, witness: Witness, reporters: Reporters, amount: Amount
) -> list[float]:
    """Where the road tells whose line it is: alerts.csv has it, the console has the time."""
    ids = {one.road: one.event_id for one in ledger.shown if one.road}
    found = []
    for number, sent in reporters.sent_at.items():
        account = ledger.accounts[number]
        if account.case.at_s >= amount.calm_s or not account.case.told:
            continue
        event_id = ids.get(account.case.road or "", "")
        first = [witness.first_at.get((car, event_id)) for car in CARS[:2]]
        found += [at - sent for at in first if at is not None]
    return found or [float("nan")]


def shuffled_seed() -> int:
    return random.randrange(1_000_000)
