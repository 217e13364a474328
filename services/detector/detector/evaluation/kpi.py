"""The acceptance in ten scenarios: at most one false alarm and one miss among them.

On drawn scenes it is one sure run. Of real clips, ten are drawn by lot, three collisions or
rollovers, two fires, two blockages and three of ordinary traffic; because ten say little about the
whole, the share of all such draws that pass is told beside it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from detector.evaluation.labels import Clip
from detector.evaluation.running import opened, run_clip
from detector.evaluation.scoring import ClipResult, failed
from hazardcast.contract.errors import ConfigError
from hazardcast.contract.incident_types import CAUSES, IncidentType
from hazardcast.service import processes

MOST_FALSE = MOST_MISSED = 1
DRAWS = 2000
AFTER_S = {IncidentType.COLLISION: 14, IncidentType.FIRE: 14, IncidentType.BLOCKAGE: 32}
ORDINARY_S = 60
RENDER_TIMEOUT_S = 300.0


@dataclass(frozen=True)
class Scenario:
    """A drawn scene and what happens in it."""

    scene: str
    impact_s: float | None = None

    @property
    def type(self) -> IncidentType | None:
        """None for ordinary traffic."""
        return None if self.impact_s is None else IncidentType(self.scene)

    @property
    def name(self) -> str:
        """As `camera.render` understands it."""
        return self.scene if self.impact_s is None else f"{self.scene}?impact_s={self.impact_s:g}"

    @property
    def length_s(self) -> float:
        """Long enough to be told."""
        if self.type is None or self.impact_s is None:
            return ORDINARY_S
        return self.impact_s + AFTER_S[self.type]


DRAWN = (
    Scenario("collision", 12), Scenario("collision", 17), Scenario("collision", 23),
    Scenario("fire", 12), Scenario("fire", 20),
    Scenario("blockage", 12), Scenario("blockage", 20),
    Scenario("normal"), Scenario("queue"), Scenario("normal?period_s=240"),
)  # fmt: skip


def run_drawn(task: tuple[Scenario, Path]) -> ClipResult:
    """Draw the scenario into a folder and run the detector over it; runs in a worker."""
    scenario, folder = task
    path = folder / f"{DRAWN.index(scenario)}.mp4"
    clip = Clip(path, scenario.name, scenario.type, scenario.impact_s, labelled=True)
    command = processes.python_module(
        "camera.render", scenario.name, str(path), "--seconds", f"{scenario.length_s:g}"
    )
    code, _, complaint = processes.run_captured(command, timeout_s=RENDER_TIMEOUT_S)
    if code:
        last = complaint.strip().splitlines()[-1:] or [f"exit code {code}"]
        return failed(clip, f"camera.render {scenario.name}: {last[0]}")
    model, fps = opened(clip)
    result = run_clip(clip, lambda: model, fps=fps)
    path.unlink()
    return result


@dataclass(frozen=True)
class Verdict:
    """How ten scenarios went."""

    missed: int
    false: int
    failed: int = 0

    @property
    def passed(self) -> bool:
        """Whether that is good enough."""
        return self.missed <= MOST_MISSED and self.false <= MOST_FALSE and not self.failed


def judged(results: Sequence[ClipResult]) -> Verdict:
    """Scenarios whose event was not told, and scenarios with an alarm that has no event."""
    return Verdict(
        missed=sum(one.label != "normal" and one.hit is None for one in results),
        false=sum(bool(one.false_alarms) for one in results),
        failed=sum(one.error is not None for one in results),
    )


MIX = {"collision": 3, "fire": 2, "blockage": 2, "normal": 3}
"""Family (or normal) → how many of ten."""


def ten(results: Sequence[ClipResult], lot: random.Random) -> list[ClipResult]:
    """Ten of the scored results, by lot.

    Raises:
        ConfigError: the clips hold too few of a kind.
    """
    chosen: list[ClipResult] = []
    for kind, count in MIX.items():
        of_kind = [one for one in results if one.scored and _kind(one) == kind]
        if len(of_kind) < count:
            raise ConfigError(
                f"--kpi needs {count} scored clips of {kind}; there are {len(of_kind)}"
            )
        chosen += lot.sample(of_kind, count)
    return chosen


def _kind(result: ClipResult) -> str:
    if result.label in (None, "normal"):
        return str(result.label)
    family = CAUSES[IncidentType(result.label)].family
    kinds = (name for name in MIX if name != "normal")
    return next((one for one in kinds if CAUSES[IncidentType(one)].family == family), "other")


def share_passed(results: Sequence[ClipResult], *, seed: int) -> float:
    """The share of `DRAWS` lots of ten that pass."""
    lot = random.Random(seed)
    return sum(judged(ten(results, lot)).passed for _ in range(DRAWS)) / DRAWS


def lines(name: str, results: Sequence[ClipResult]) -> Iterator[str]:
    """What the acceptance says of these ten."""
    verdict = judged(results)
    yield (
        f"{'PASSED' if verdict.passed else 'FAILED'}  {name}: {verdict.missed} missed, "
        f"{verdict.false} with a false alarm, of {len(results)} scenarios "
        f"(at most {MOST_MISSED} and {MOST_FALSE})"
    )
