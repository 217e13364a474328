"""Real sockets in network namespaces: what they need, and where there is none of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from benchmarks import testbed
from benchmarks.testbed import Testbed


@pytest.fixture(scope="session")
def namespaces() -> None:
    """Skips where namespaces or lossy links cannot be made; with CI set, fails."""
    if lacking := testbed.missing():
        if os.environ.get("CI"):
            pytest.fail(f"{lacking} is missing, and CI must have it")
        pytest.skip(f"{lacking} is missing on this machine")


@pytest.fixture
def make_bed(namespaces: None, tmp_path: Path) -> Iterator[Callable[[int], Testbed]]:
    """`make_bed(3)`: a station's machine and three vehicles', nothing running on them yet."""
    with ExitStack() as stack:
        yield lambda vehicles: stack.enter_context(Testbed(tmp_path, vehicles=vehicles))
