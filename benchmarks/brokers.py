"""A broker for one benchmark: the one that this machine would run without Docker."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from hazardcast_tools.stack import broker

from benchmarks.harness import free_port, running, wait_for_port


@contextlib.contextmanager
def running_broker(folder: Path) -> Iterator[int]:
    """Runs it; yields its port."""
    prepared = broker.prepare(folder / "broker", port=free_port())
    with running(*prepared.process.command):
        wait_for_port(prepared.port)
        yield prepared.port
