"""Whether a covered file is what it must be, read from the file itself before anybody sees it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from hazardcast.vision.geometry.boxes import Boxes, Floats
from hazardcast.vision.pixels.image import Image
from privacy import cover, looking
from privacy.cover import Grid
from privacy.covering import Covered
from privacy.ffmpeg import Decoder, elementary, list_packets
from privacy.ffmpeg_words import holds_sei

LEAST_JUDGED = 10
MOST_JUDGED = 24
"""Pictures whose pixels are judged; times and number of all are."""
LEAK_EVERY_S = 5.0
LEAK_LEAST_PX = 24.0
"""Nobody is known by a smaller face."""
FindFaces = Callable[[Image], Boxes]


class NotVerifiedError(Exception):
    """A covered file must not be shown; the message says why."""


def verify(
    program: str, output: Path, covered: Covered, *, faces: FindFaces | None = None,
    beat: Callable[[], None] = lambda: None,
) -> None:  # fmt: skip
    """Hold `output` against what was to be written.

    Args:
        program: the ffmpeg to read it with.
        output: the covered file.
        covered: what was handed to the encoder.
        faces: finds faces that no region covers, in a picture every five seconds.
        beat: called as it goes on.

    Raises:
        NotVerifiedError: it differs, or shows what was to be covered.
        UnreadableError: it cannot be read.
    """
    _tracks(program, output, covered)
    beat()
    _pictures(program, output, covered, faces)


def _tracks(program: str, output: Path, covered: Covered) -> None:
    listed = list_packets(program, output)
    if listed.tracks != ("video",):
        raise NotVerifiedError(f"it has the tracks {', '.join(listed.tracks)}; expected video only")
    if len(listed.pts) != len(covered.pts):
        raise NotVerifiedError(
            f"{len(listed.pts)} pictures in it, {len(covered.pts)} were handed to the encoder"
        )
    if listed.codec == "h264" and holds_sei(elementary(program, output)):
        raise NotVerifiedError("it carries supplemental information beside its pictures")


def _pictures(program: str, output: Path, covered: Covered, faces: FindFaces | None) -> None:
    judged = chosen(covered)
    leaks = _for_leaks(covered) if faces else set()
    with Decoder(program, output, only=sorted({*judged, *leaks})) as decoder:
        for seen, buffer in decoder.frames():
            _judge(seen.number, buffer, covered, faces if seen.number in leaks else None)
        if decoder.pts != covered.pts:
            raise NotVerifiedError(_differing(decoder.pts, covered.pts))


def _differing(got: list[int], wanted: list[int]) -> str:
    if len(got) != len(wanted):
        return f"{len(got)} pictures decoded of it, {len(wanted)} were handed to the encoder"
    place = next(n for n, pair in enumerate(zip(got, wanted, strict=True)) if pair[0] != pair[1])
    return f"picture {place} is shown at {got[place]} instead of {wanted[place]} ticks"


def _judge(index: int, buffer: Image, covered: Covered, faces: FindFaces | None) -> None:
    if buffer.nbytes != covered.width * covered.height * 3 // 2:
        raise NotVerifiedError("its pictures have another size")
    planes = cover.planes_of(buffer, covered.width, covered.height)
    bare = cover.uncovered(planes, covered.grids[index])
    if bare is not None:
        raise NotVerifiedError(f"picture {index}: not covered at {bare.x1},{bare.y1}")
    if faces is None:
        return
    picture, scale = looking.small(planes)
    for face in faces(picture).xyxy * np.float32(scale):
        if face[3] - face[1] >= LEAK_LEAST_PX and not is_covered(face, covered.grids[index]):
            raise NotVerifiedError(f"picture {index}: a face at {int(face[0])},{int(face[1])}")


def is_covered(face: Floats, grids: list[Grid]) -> bool:
    """Whether the middle of a face lies in a region."""
    x, y = (face[0] + face[2]) / 2, (face[1] + face[3]) / 2
    return any(grid.x1 <= x < grid.x2 and grid.y1 <= y < grid.y2 for grid in grids)


def chosen(covered: Covered) -> list[int]:
    """Pictures to judge: those with regions, evenly over the file, and at least ten of all."""
    with_regions = [n for n, grids in enumerate(covered.grids) if grids]
    return sorted({
        *_evenly(with_regions, MOST_JUDGED), *_evenly(range(len(covered.pts)), LEAST_JUDGED),
    })  # fmt: skip


def _evenly(numbers: list[int] | range, most: int) -> list[int]:
    if len(numbers) <= most:
        return list(numbers)
    return [numbers[place * (len(numbers) - 1) // (most - 1)] for place in range(most)]


def _for_leaks(covered: Covered) -> set[int]:
    length = len(covered.pts)
    span_s = ((covered.pts[-1] - covered.pts[0]) % (1 << 33)) / 90_000
    return set(_evenly(range(length), max(2, round(span_s / LEAK_EVERY_S))))
