"""What came of a row, in a few words."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from tests.zoo.row import Row

if TYPE_CHECKING:
    from tests.zoo.judge import Verdict
    from tests.zoo.watching import Watched


GONE = "its known fault is gone: take it out of its row"


@dataclass(frozen=True)
class Outcome:
    """As the table tells it."""

    row: str
    recorded: str
    clip: str
    detector: str
    faults: list[str]
    seconds: float

    @property
    def holds(self) -> bool:
        return not self.faults

    @classmethod
    def of(cls, row: Row, watched: Watched, verdict: Verdict) -> Outcome:
        if row.refused is not None and verdict.holds:
            refused = f"refused: {row.refused.state}, “…{row.refused.detail}…”"
            return cls(row.name, refused, "–", "–", [], round(watched.seconds, 1))
        return cls(
            row.name,
            _recorded(watched) if not verdict.recorded else f"no: {verdict.recorded[0]}",
            _clip(watched) if not verdict.clip else f"no: {verdict.clip[0]}",
            _detector(row, watched, verdict),
            verdict.faults or ([GONE] if row.known else []),
            round(watched.seconds, 1),
        )

    @classmethod
    def broken(cls, row: Row, said: str) -> Outcome:
        fault = said.strip().splitlines()[-1] if said.strip() else "ended without a word"
        return cls(row.name, "not tried", "not tried", "not tried", [fault], 0.0)

    def as_json(self) -> str:
        return json.dumps(asdict(self))

    def line(self) -> str:
        head = (
            f"{self.row:22} {self.seconds:5.1f} s  {self.recorded} | {self.clip} | {self.detector}"
        )
        return "\n".join([head, *(f"    {fault}" for fault in self.faults)])


def _recorded(watched: Watched) -> str:
    codec = watched.facts.get("codec_name")
    copied = codec == watched.film_facts.get("codec_name")
    sound = watched.facts.get("sound")
    words = "as it is" if copied else "encoded again"
    return f"{words}, {codec}" + (f", {sound}" if sound else "") + (
        f", begun anew ({', '.join(sorted({str(run.cause) for run in watched.runs[:-1]}))})" if len(watched.runs) > 1 else ""
    )  # fmt: skip


def _detector(row: Row, watched: Watched, verdict: Verdict) -> str:
    if verdict.detector:
        return f"no: {verdict.detector[0]}"
    return "yes" if watched.seen else f"refused: “…{row.unwatched}…”"


def _clip(watched: Watched) -> str:
    assert watched.clip.state
    told = watched.clip.manifest.get("method")
    words = "copied" if told == "copy" else "encoded again"
    missing = 1 - watched.clip.state.coverage
    return words + (f", {100 * missing:.0f} % told as missing" if missing > 0.001 else "")
