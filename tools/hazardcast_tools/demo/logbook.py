"""What the processes write, kept in a file for each, so that a failure can be explained."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import IO

from hazardcast.service.processes import Stream

TELLING = ("ERROR", "WARNING", "Error", "hazardcast:")
SHOWN_LINES = 8


class Logbook:
    """Writes each process's lines to `FOLDER/NAME.log`; any thread may call it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._lock = threading.Lock()
        self._files: dict[str, IO[str]] = {}

    def __call__(self, name: str, _stream: Stream, line: str) -> None:
        """Keep one line."""
        with self._lock:
            if name not in self._files:
                path = self.folder / f"{name}.log"
                self._files[name] = path.open("w", encoding="utf-8", errors="replace")
            self._files[name].write(line + "\n")
            self._files[name].flush()

    def tail(self, name: str) -> list[str]:
        """The last lines of a process, those that tell of trouble if there are any."""
        path = self.folder / f"{name}.log"
        if not path.exists():
            return []
        lines = path.read_text(encoding="utf-8").splitlines()
        telling = [line for line in lines if any(word in line for word in TELLING)]
        return (telling or lines)[-SHOWN_LINES:]

    def close(self) -> None:
        """Close the files; lines that come later are lost."""
        with self._lock:
            for file in self._files.values():
                file.close()
            self._files = {}
