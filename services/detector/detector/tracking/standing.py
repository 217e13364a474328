"""Standing vehicles stay where they are, even while others hide them.

When a vehicle passes in front of a standing one, the detector shrinks, loses or swaps their boxes.
A standing vehicle therefore gets an anchor: it is expected there, a part of it that shows there is
the whole, and only a clear and lasting departure releases it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hazardcast.vision.geometry.boxes import Floats

SETTLED_S = 1.5
"""After standing this long a vehicle is anchored."""
DEPARTED_S = 0.7
"""Off its anchor for this long it has driven off."""
LEAST_IOU = 0.5
PART_SHARE = 0.85
"""A box of which this share lies in the anchor's shows a part of the vehicle."""
FOLLOWING = 0.05
"""How fast the anchor follows what is seen, per frame."""


@dataclass
class Anchor:
    """Where a vehicle stands, once it stands."""

    box: Floats | None = None
    standing_s: float = 0.0
    astray_s: float = 0.0

    @property
    def expected(self) -> Floats | None:
        """(4,) where the vehicle must be, None when it moves."""
        return self.box if self.astray_s == 0.0 else None

    def note(self, box: Floats, *, slow: bool, dt_s: float) -> Floats:
        """Take the box (4,) measured now into account; returns the box to believe."""
        if self.box is None:
            self.standing_s = self.standing_s + dt_s if slow else 0.0
            if self.standing_s >= SETTLED_S:
                self.box = box.astype(np.float64)
            return box
        iou, part = _overlap(box, self.box)
        if iou >= LEAST_IOU:
            self.astray_s = 0.0
            if part >= PART_SHARE and iou < PART_SHARE:
                return self.box
            self.box = self.box + FOLLOWING * (box - self.box)
            return box
        self.astray_s += dt_s
        if self.astray_s >= DEPARTED_S:
            self.box, self.standing_s, self.astray_s = None, 0.0, 0.0
        return box


def _overlap(box: Floats, anchor: Floats) -> tuple[float, float]:
    """IoU, and the share of `box` that lies in the anchor."""
    low, high = np.maximum(box[:2], anchor[:2]), np.minimum(box[2:], anchor[2:])
    shared = max(0.0, float(high[0] - low[0])) * max(0.0, float(high[1] - low[1]))
    size = float((box[2] - box[0]) * (box[3] - box[1]))
    whole = float((anchor[2] - anchor[0]) * (anchor[3] - anchor[1]))
    return shared / max(size + whole - shared, 1e-9), shared / max(size, 1e-9)
