"""Whether a network's values can be what its layout says: networks of one shape tell apart by them.

Each function says why the values cannot be of its layout, or None. Looked at once, when a network
is loaded, on a picture of noise: a real head fills every row with a guess, however unlikely.
"""

from __future__ import annotations

import numpy as np

from hazardcast.vision.geometry.boxes import Floats
from hazardcast.vision.models.decoders import Listed, Listing, Named, only

Reason = str | None
SPARE = 0.01
"""Half precision and 8-bit steps reach over 0 and 1."""
MOST_LOG = 8.0
"""exp(8) strides are 24 000 px: no logarithm of a side is more, and every decoded head has sides
of more than 8 px."""
MOST_ROWS = 1000
"""No exporter lets more boxes out of suppression or has more queries."""
SURE = 0.15


def none(_outputs: Named) -> Reason:
    """Nothing to say against it."""
    return None


def cell_offsets(outputs: Named) -> Reason:
    """Against x, y, log w, log h per cell; objectness; class scores."""
    found = only(outputs)
    most = _most(np.abs(found[:, 2:4]))
    if most > MOST_LOG:
        return f"its sides reach {most:.0f}: no logarithms"
    return _no_probabilities(found[:, 4:])


def decoded(outputs: Named, *, always_object: bool | None = None) -> Reason:
    """Against cx, cy, w, h in pixels; objectness; class scores.

    `always_object`: whether objectness is the constant 1 (YOLOv6) or not; None: either.
    """
    found = only(outputs)
    if always_object is not None:
        if _most(found[:, 2:4]) <= MOST_LOG:
            return f"its sides reach only {_most(found[:, 2:4]):.1f}: no pixels"
        if bool((found[:, 4] == 1).all()) != always_object:
            return f"its objectness is {'not ' if always_object else ''}always 1"
    return _no_sides(found[:, 2:4]) or _no_probabilities(found[:, 4:])


def columns(outputs: Named) -> Reason:
    """Against cx, cy, w, h and class scores as rows of a [4 + C, N] array."""
    found = only(outputs)
    return _no_sides(found[2:4]) or _no_probabilities(found[4:])


def class_scores(outputs: Named, *, count: int) -> Reason:
    """Against probabilities in the first `count` columns."""
    return _no_probabilities(only(outputs)[:, :count])


def queries(outputs: Named) -> Reason:
    """Against cx, cy, w, h in fractions and probabilities."""
    found = only(outputs)
    return _no_fractions(found[:, :4]) or _no_probabilities(found[:, 4:])


def logits(outputs: Named, *, boxes: str, scores: str) -> Reason:
    """Against boxes in fractions beside logits, of which a background's are below zero."""
    values = outputs[scores]
    if values.size and values.min() >= 0 and 0 < values.max() <= 1 + SPARE:
        return "its class scores lie between 0 and 1: no logits"
    return _no_fractions(outputs[boxes])


def listing(outputs: Named, *, of: Listing, cells: frozenset[int] = frozenset()) -> Reason:
    """Against boxes, scores and class numbers of what was found.

    `cells`: how many rows a head has that lists every cell.
    """
    found: Listed = of(outputs)
    if len(found[0]) > MOST_ROWS and len(found[0]) in cells:
        return f"its {len(found[0])} rows are the cells of a grid: nothing is suppressed yet"
    return not_listed(*found)


def not_listed(xyxy: Floats, scores: Floats, numbers: Floats) -> Reason:
    """Against corners, probabilities and whole class numbers; padding of zeros or -1 is fine."""
    if len(scores) == 0:
        return None
    odd = numbers[(numbers != np.floor(numbers)) | (numbers < -1)]
    if odd.size:
        return f"{odd[0]:.3g} is no class number"
    if scores.max() > 1 + SPARE or scores.min() < -1:
        return f"its scores reach from {scores.min():.3g} to {scores.max():.3g}"
    sure = xyxy[scores >= SURE]
    if sure.size and (sure[:, 2:] < sure[:, :2]).any(axis=1).mean() > 0.5:
        return "its boxes end before they begin: no corners"
    return None


def _no_sides(sides: Floats) -> Reason:
    """Heads without distributions guess a negative side now and then, not as a rule."""
    return "its sides are negative" if sides.size and (sides < 0).mean() > 0.5 else None


def _no_fractions(boxes: Floats) -> Reason:
    """Boxes reach over the picture's edge by a little, not by half of it."""
    if boxes.size and (boxes.max() > 1.5 or boxes.min() < -0.5):
        return f"its boxes reach to {boxes.max():.0f}: no fractions of the picture"
    return None


def _no_probabilities(values: Floats) -> Reason:
    if values.size and (values.max() > 1 + SPARE or values.min() < -SPARE):
        return f"its scores reach from {values.min():.3g} to {values.max():.3g}: no probabilities"
    return None


def _most(values: Floats) -> float:
    return float(values.max(initial=0.0))
