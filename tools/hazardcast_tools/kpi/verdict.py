"""Whether the promises held, row by row, with what the counts prove. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hazardcast.contract.messages import ClipState
from hazardcast.contract.promises import COVERAGE_TARGET, LATENCY_TARGET_S, RECEPTION_TARGET
from hazardcast.contract.vocabulary import ClipStage
from hazardcast_tools.kpi.evidence import Evidence, Published, Shown
from hazardcast_tools.kpi.statistics import CONFIDENCE, Spread, proven, spread, tries_to_prove

IN_TIME = f"all ≤ {LATENCY_TARGET_S * 1000:.0f} ms"
SHARE = f"{RECEPTION_TARGET * 100:.0f} %"
RECEIVED = f"≥ {SHARE}"


@dataclass(frozen=True)
class Row:
    """One promise: what was found, and whether it held (None: told, not judged)."""

    what: str
    found: str
    promised: str = ""
    holds: bool | None = None
    proves: str = ""
    values: dict[str, float | int | str | None] | None = None


@dataclass(frozen=True)
class Run:
    """What was done: the accident that lasted, the short ones, and who listened."""

    vehicles: Sequence[str]
    began: Published
    ended: Published
    probes: Sequence[Published]

    @property
    def versions(self) -> list[Published]:
        """All that should have been shown."""
        return [self.began, self.ended, *self.probes]


def verdict(
    run: Run, evidence: Evidence, deadline: dict[str, float] | None, *, clip: bool
) -> list[Row]:
    """Every row; `deadline` is what the alerter's own counters grew by."""
    rows = [*_latency(run, evidence), *_reception(run, evidence)]
    rows.append(_own_count(deadline))
    if clip:
        alert = evidence.alerts.get(run.began.confirmed_at)
        rows.append(_clip(evidence.clips.get(alert.event_id) if alert else None))
    return rows


def _latency(run: Run, evidence: Evidence) -> Iterator[Row]:
    shown: list[Shown] = []
    owed = 0
    for vehicle in run.vehicles:
        for version in run.versions:
            if evidence.irrelevant(vehicle, version):
                continue
            owed += 1
            if proof := evidence.shown(vehicle, version):
                shown.append(proof)
    yield Row(
        "versions shown on the vehicles' consoles", f"{len(shown)} of {owed}", "all",
        owed > 0 and len(shown) == owed, _proof(len(shown), owed),
        {"shown": len(shown), "owed": owed},
    )  # fmt: skip
    yield _bound([one.bound_s for one in shown], owed)
    yield _one_way([one for one in shown if one.one_way_s is not None])


def _bound(values_s: Sequence[float], owed: int) -> Row:
    what = "confirmed → console, at most (round trip, no clocks compared)"
    found = spread(values_s)
    in_time = sum(value_s <= LATENCY_TARGET_S for value_s in values_s)
    return Row(
        what, _told(found), IN_TIME, owed > 0 and in_time == owed,
        _proof(in_time, owed), _figures(found),
    )  # fmt: skip


def _one_way(shown: Sequence[Shown]) -> Row:
    what = "confirmed → console, one way (synchronised clocks)"
    found = spread([one.one_way_s for one in shown if one.one_way_s is not None])
    if found is None:
        return Row(what, "not measured: no vehicle vouches for its clock")
    error_s = max(one.error_s for one in shown)
    return Row(
        what, f"{_told(found)} (± {error_s * 1000:.1f} ms)", f"{IN_TIME}, error added",
        found.max_s + error_s <= LATENCY_TARGET_S, "",
        {**(_figures(found) or {}), "error_ms": round(error_s * 1000, 3)},
    )  # fmt: skip


def _reception(run: Run, evidence: Evidence) -> Iterator[Row]:
    sent = evidence.ticks_between(run.began, run.ended)
    for vehicle in run.vehicles:
        heard = evidence.reception(vehicle, run.began, run.ended)
        if heard is None:
            yield Row(f"{vehicle}: reception", "no receipts to count by", RECEIVED, holds=False)
            continue
        expected = max(heard.ticks_expected, sent or 0)
        share = heard.ticks_delivered / expected if expected else 0.0
        yield Row(
            f"{vehicle}: ticks received",
            f"{share:.2%} ({heard.ticks_delivered} of {expected}; sender says {_or_unknown(sent)})",
            RECEIVED, share >= RECEPTION_TARGET, _proof(heard.ticks_delivered, expected),
            {"delivered": heard.ticks_delivered, "expected": expected, "sent": sent},
        )  # fmt: skip
        unique, of = heard.datagrams_unique, heard.datagrams_expected
        yield Row(
            f"{vehicle}: datagrams received",
            f"{unique / of:.2%} ({unique} of {of})" if of else "none",
            values={"unique": unique, "expected": of},
        )  # fmt: skip


def _own_count(deadline: dict[str, float] | None) -> Row:
    what = "alerter's own count of versions per vehicle"
    if deadline is None:
        return Row(what, "not asked: its HTTP port does not answer from here")
    told = ", ".join(f"{value:.0f} {name}" for name, value in deadline.items())
    bad = deadline.get("missed", 0.0) + deadline.get("lost", 0.0)
    return Row(what, told, "none missed, none lost", not bad, "", dict(deadline))


def _clip(state: ClipState | None) -> Row:
    if state is None:
        return Row("clip", "none", "complete", holds=False)
    found = f"{state.state}, {state.coverage:.1%} of the window, {len(state.gaps)} gaps"
    whole = state.state == ClipStage.READY and state.coverage >= COVERAGE_TARGET and not state.gaps
    return Row(
        "clip", found, "complete", whole, "", {"coverage": state.coverage, "path": state.path}
    )


def _proof(successes: int, tries: int) -> str:
    """`proves ≥ 97.5 % (95 % confidence); 99 % would take 299 in all`."""
    if not tries:
        return ""
    sure = proven(successes, tries)
    told = f"proves ≥ {_floor(sure)} at {CONFIDENCE:.0%} confidence"
    if sure >= RECEPTION_TARGET:
        return told
    needed = tries_to_prove(RECEPTION_TARGET, misses=tries - successes)
    return f"{told}; {needed} with {tries - successes} missed would prove {SHARE}"


def _floor(share: float) -> str:
    """A percentage that does not promise more than was proven."""
    return f"{int(share * 1000) / 10:.1f} %"


def _told(found: Spread | None) -> str:
    if found is None:
        return "none"
    told = (("p50", found.p50_s), ("p95", found.p95_s), ("p99", found.p99_s), ("max", found.max_s))
    quantiles = ", ".join(f"{name} {value_s * 1000:.1f} ms" for name, value_s in told)
    return f"{quantiles} ({found.count})"


def _figures(found: Spread | None) -> dict[str, float | int | str | None] | None:
    if found is None:
        return None
    named = {"p50": found.p50_s, "p95": found.p95_s, "p99": found.p99_s, "max": found.max_s}
    return {"count": found.count, **{f"{k}_ms": round(v * 1000, 3) for k, v in named.items()}}


def _or_unknown(count: int | None) -> str:
    return "nothing" if count is None else str(count)
