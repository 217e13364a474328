"""Which clips have to go. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from hazardcast.machine.steady import Moment


@dataclass(frozen=True)
class KeptClip:
    """A clip's files as one: name without ending, age, size, and whether someone holds it."""

    stem: str
    created_at: float
    bytes: int
    held: bool = False


def to_remove(
    clips: Collection[KeptClip],
    *,
    now: Moment,
    longest_s: float,
    most_bytes: float,
    most_clips: int = 1_000_000,
) -> list[str]:
    """Stems to remove, oldest first: those too old, then as many as size and number demand.

    A held clip counts but stays, and so does the newest, however large.
    """
    oldest_first = sorted(clips, key=lambda clip: (clip.created_at, clip.stem))
    total = sum(clip.bytes for clip in oldest_first)
    number, removed = len(oldest_first), []
    for clip in oldest_first:
        too_old = now.age_s(clip.created_at) > longest_s
        too_much = (total > most_bytes or number > most_clips) and clip is not oldest_first[-1]
        if not clip.held and (too_old or too_much):
            removed.append(clip.stem)
            total -= clip.bytes
            number -= 1
    return removed
