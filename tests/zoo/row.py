"""A row of the zoo: one manner of sending, and what may come of it."""

from __future__ import annotations

from dataclasses import dataclass

from tests.zoo.film import Film
from tests.zoo.manner import Manner


@dataclass(frozen=True)
class Refusal:
    """The words with which a camera is refused."""

    state: str
    detail: str
    """Stands in what the recorder says."""


PLAIN = Film()


@dataclass(frozen=True)
class Row:
    """One odd camera."""

    name: str
    says: str
    """Its manner, for the table."""
    manner: Manner
    film: Film = PLAIN
    tolerance_s: float = 0.2
    """How far a name, a clip's time and the detector's time may be from the burnt clock."""
    breaks: tuple[str, ...] = ()
    """Causes for which the recording may begin anew; what is missing between must be told."""
    spoils: bool = False
    """Pictures are lost or spoilt on the way, so that not every clock can be read."""
    leans: bool = False
    """Pictures before a key frame lean on those of the file before: they are looked at together."""
    refused: Refusal | None = None
    unwatched: str | None = None
    """Recorded and clipped, but the detector says in these words that it cannot look at it; where
    this machine's OpenCV can, it must."""
    known: str | None = None
    """A fault that is known and not mended yet; the table tells it."""
    record_s: float = 8.0
    """How much is recorded at least."""
    segment_s: float = 2.0
    patience_s: float = 22.0
    """How long that may take."""
    after_s: float = 0.0
    """The recording must reach beyond this moment of the film."""
    telling: bool = False
    """One of those that every test run tries."""
