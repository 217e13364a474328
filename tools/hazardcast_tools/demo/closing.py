"""Whether all of it held: one check a promise, with what was found against what was promised."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hazardcast.contract.promises import COVERAGE_TARGET, LATENCY_TARGET_S, RECEPTION_TARGET
from hazardcast.contract.vocabulary import ClipStage
from hazardcast_tools.demo.clip_proof import ClipProof, UnplayableClipError, prove
from hazardcast_tools.demo.facts import Facts
from hazardcast_tools.demo.figures import Spread, VehicleFigures, of_vehicle
from hazardcast_tools.demo.scene import DemoScene
from hazardcast_tools.demo.truth import Truth


@dataclass(frozen=True)
class Check:
    """One row of the closing table."""

    what: str
    found: str
    promised: str
    holds: bool


def _ms(spread: Spread) -> str:
    return f"p50 {spread.median_s * 1000:.0f} ms, max {spread.worst_s * 1000:.0f} ms"


def vehicles(facts: Facts) -> Iterator[Check]:
    """Latency by two methods and reception, for each vehicle."""
    for vehicle in facts.vehicles:
        figures = of_vehicle(vehicle, facts.receipts)
        if figures is None:
            yield Check(f"{vehicle}: receipts", "none", "one a version", holds=False)
        else:
            yield from _vehicle(figures)


def _vehicle(figures: VehicleFigures) -> Iterator[Check]:
    limit = f"max ≤ {LATENCY_TARGET_S * 1000:.0f} ms"
    for name, spread in (("clock", figures.latency), ("round trip", figures.bound)):
        what = f"{figures.vehicle}: confirmed → console, by {name}"
        holds = spread.worst_s <= LATENCY_TARGET_S
        yield Check(what, f"{_ms(spread)} ({figures.receipts} receipts)", limit, holds)
    share = figures.reception
    counted = f"{figures.ticks_delivered} of {figures.ticks_expected} ticks"
    yield Check(
        f"{figures.vehicle}: reception",
        counted if share is None else f"{share:.1%} ({counted})",
        f"≥ {RECEPTION_TARGET:.0%}",
        share is not None and share >= RECEPTION_TARGET,
    )


def clip(facts: Facts) -> Iterator[Check]:
    """What the clipper itself says of the clip."""
    state = facts.clip
    if state is None:
        yield Check("clip", "none", ClipStage.READY, holds=False)
        return
    detail = f" ({state.detail})" if state.detail else ""
    yield Check("clip state", state.state + detail, ClipStage.READY, state.state == ClipStage.READY)
    gaps = f", {len(state.gaps)} gaps" if state.gaps else ""
    whole = state.coverage >= COVERAGE_TARGET and not state.gaps
    yield Check("clip coverage", f"{state.coverage:.1%}{gaps}", "100 %", whole)


def clip_path(facts: Facts) -> Path | None:
    """Where the clip lies, if there is one."""
    return Path(facts.clip.path) if facts.clip and facts.clip.path else None


def pictures_of(facts: Facts, scene: DemoScene, known: Truth, ffmpeg: str) -> Iterator[Check]:
    """Decode the clip and look at its pictures."""
    path = clip_path(facts)
    if path is None:
        yield Check("clip plays", "there is none", "it plays", holds=False)
        return
    try:
        proof = prove(path, ffmpeg=ffmpeg)
    except UnplayableClipError as error:
        yield Check("clip plays", str(error), "it plays", holds=False)
        return
    yield Check("clip plays", f"{proof.frames} frames decoded", "it plays", proof.frames > 0)
    if scene.is_drawn:
        yield from pictures(proof, scene, known)


def pictures(proof: ClipProof, scene: DemoScene, known: Truth) -> Iterator[Check]:
    """What the clock in the clip's pictures proves, against the truth of the camera."""
    clear = f"{proof.frames - proof.unreadable} of {proof.frames}"
    yield Check("frames with a readable clock", clear, "all", not proof.unreadable)
    first, last = proof.first_at, proof.last_at
    if known.impact_at is None or known.fps is None or first is None or last is None:
        yield Check("clip around the impact", "unknown", "known", holds=False)
        return
    missing = proof.missing(known.fps)
    skipped = f" (the camera itself skipped {known.skipped})" if known.skipped else ""
    lost = max(0, missing - known.skipped)
    yield Check("frames missing in the clip", f"{missing}{skipped}", "0", not lost)
    before_s, after_s = known.impact_at - first, last - known.impact_at
    yield Check(
        "clip begins before the impact", f"{before_s:.2f} s", f"≥ {scene.pre_s:g} s",
        before_s >= scene.pre_s,
    )  # fmt: skip
    yield Check(
        "clip ends after the impact", f"{after_s:.2f} s", f"≥ {scene.post_s:g} s",
        after_s >= scene.post_s,
    )  # fmt: skip


def detection(facts: Facts, known: Truth) -> Iterator[Check]:
    """What it was taken for; how long after the drawn impact is told, not judged."""
    if facts.alert is not None and facts.expected_type is not None:
        found = str(facts.alert.type)
        yield Check("type of incident", found, facts.expected_type, found == facts.expected_type)
    if facts.alert is not None and known.impact_at is not None:
        delay_s = facts.alert.confirmed_at - known.impact_at
        yield Check("impact → incident confirmed", f"{delay_s:.2f} s", "", holds=True)


def recording(gap_count: int, recorded_s: float) -> Check:
    """The recording itself."""
    found = f"{gap_count} in {recorded_s:.0f} s"
    return Check("gaps in the recording", found, "0", gap_count == 0)


def quiet(facts: Facts, watched_s: float) -> Iterator[Check]:
    """Nothing happened, and nobody was told that it had."""
    rate = facts.detections / watched_s
    yield Check("frames analysed", f"{facts.detections} ({rate:.1f} a second)", "> 0", rate > 0)
    alerts = ", ".join(f"{alert.type} {alert.event_id}" for alert in facts.alerts.values())
    promised = f"none in {watched_s:.0f} s"
    yield Check("alerts", alerts or "none", promised, not facts.alerts)
    told = sum(len(lines) for lines in facts.console.values())
    yield Check("lines on the vehicles' consoles", str(told), "0", told == 0)
