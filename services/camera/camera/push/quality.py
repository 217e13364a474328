"""How good the pictures of a client are, so that they go through as they are taken. Pure."""

from __future__ import annotations

from dataclasses import dataclass

BEST, LEAST, STEP = 85, 40, 9
SHARES = (1.0, 0.75, 0.5, 0.35)
SLOW_SHARE = 0.5
"""Pictures that take longer than this part of the time between two are too large."""
NEWEST_SHARE = 0.15
"""Of one picture in the mean: a hiccup, of the network or of a busy machine, says little."""
CALM_S = 5.0
"""After so long without a step down, pictures may be better again."""


@dataclass
class Quality:
    """JPEG quality, and the share of the sides at which pictures go."""

    quality: int = BEST
    smaller: int = 0
    _calm_since_s: float | None = None
    _mean_s: float = 0.0

    @property
    def share(self) -> float:
        """Of width and height."""
        return SHARES[self.smaller]

    def sent(self, took_s: float, *, period_s: float, now_s: float) -> None:
        """Learn from how long a picture took; first the quality gives way, then the size."""
        if self._calm_since_s is None:
            self._calm_since_s = now_s
        self._mean_s += NEWEST_SHARE * (took_s - self._mean_s)
        if self._mean_s > SLOW_SHARE * period_s:
            self._calm_since_s, self._mean_s = now_s, 0.0
            self._worse()
        elif now_s - self._calm_since_s >= CALM_S:
            self._calm_since_s = now_s
            self._better()

    def _worse(self) -> None:
        if self.quality - STEP >= LEAST:
            self.quality -= STEP
        elif self.smaller + 1 < len(SHARES):
            self.smaller += 1

    def _better(self) -> None:
        if self.smaller:
            self.smaller -= 1
        else:
            self.quality = min(BEST, self.quality + STEP)
