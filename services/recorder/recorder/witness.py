"""Who may listen to what happens on a camera's connections, as `recorder.trial` does."""

from __future__ import annotations

from recorder.command import Plan
from recorder.console import Found
from recorder.frames import Frame


class Witness:
    """Hears of every connection of one camera, on its thread; this one does nothing with it."""

    def begins(self, plan: Plan) -> None:
        """A connection is about to be made."""

    def frame(self, frame: Frame, found: Found, monotonic_s: float, *, exact: bool) -> None:
        """A picture came, when it was told; not `exact` where it may have been told earlier."""

    def ended(
        self, state: str, detail: str | None, *, kind: str | None, found: Found | None,
        changed: bool,
    ) -> None:  # fmt: skip
        """A connection ended; `changed`: the next one is made at once and in another way."""


NOBODY = Witness()
