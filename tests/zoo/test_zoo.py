"""Eight cameras of the zoo, recorded, detected and clipped, picture by picture by the burnt clock.

`make long-zoo` tries all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.zoo.__main__ import tried
from tests.zoo.outcome import Outcome
from tests.zoo.rows import ROWS

pytestmark = [pytest.mark.network, pytest.mark.slow]
pytest.importorskip("cv2")
TELLING = [row for row in ROWS if row.telling]
BESIDE = 3


@pytest.fixture(scope="module")
def outcomes(ffmpeg: str) -> Iterator[dict[str, Future[Outcome]]]:
    with ThreadPoolExecutor(BESIDE) as pool:
        yield {row.name: pool.submit(tried, row) for row in TELLING}


@pytest.mark.parametrize("name", [row.name for row in TELLING])
def test_the_camera_is_kept_whole(outcomes: dict[str, Future[Outcome]], name: str) -> None:
    outcome = outcomes[name].result()

    assert not outcome.faults, outcome.line()
