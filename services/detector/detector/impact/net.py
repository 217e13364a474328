"""How likely a jolt is a crash, by its features.

Boosted trees, trained by `training/incidents`; its README says on what, and how well they do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from hazardcast.vision.models import bundled

INPUT = "features"


class ImpactNet:
    """Shared by all cameras; safe from several threads."""

    def __init__(self, weights: bytes) -> None:
        self._session = bundled.opened(weights)
        self.names = self._session.get_modelmeta().custom_metadata_map["features"].split()

    def likelihoods(self, told: Sequence[Mapping[str, float]]) -> list[float]:
        """In [0, 1], one for each jolt's features."""
        tensor = np.array([[one[name] for name in self.names] for one in told], np.float32)
        found: Any = self._session.run(None, {INPUT: tensor})
        return [float(row[0]) for row in found[0]]


@lru_cache(maxsize=1)
def load() -> ImpactNet:
    """The network, loaded once."""
    return ImpactNet(bundled.shipped("detector", "impact"))
