"""Whether pictures are protected: heard from a privacy service once, it holds for good.

It is kept on disk, so that a console that starts while the broker is away does not open what was
closed. Whoever takes the service away for good removes the file.
"""

from __future__ import annotations

import logging
from pathlib import Path

from hazardcast.machine import durable
from hazardcast.machine.refusals import in_words

log = logging.getLogger(__name__)
FILE = "privacy"


class Privacy:
    """The fact; heard on the bus's thread, asked for by any."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._is_on = self._path.exists()

    def is_on(self) -> bool:
        """Whether nobody looks without a name."""
        return self._is_on

    def hear(self) -> None:
        """There is a privacy service at this station."""
        if self._is_on:
            return
        self._is_on = True
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            durable.write(self._path, "a privacy service belongs to this station\n")
        except OSError as error:
            about = {"reason": in_words(error)}
            log.error("that pictures are protected is not kept over a restart", extra=about)
