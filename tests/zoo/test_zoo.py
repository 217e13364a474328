"""Eight cameras of the zoo, recorded, detected and clipped, picture by picture by the burnt clock.

`make long-zoo` tries all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.zoo.__main__ import tried
from tests.zoo.outcome import Outcome
from tests.zoo.rows import ROWS, Row

pytestmark = [pytest.mark.network, pytest.mark.slow]
pytest.importorskip("cv2")
TELLING = [row for row in ROWS if row.telling]
BESIDE = 3


@pytest.fixture(scope="module")
def outcomes(ffmpeg: str) -> Iterator[dict[str, Future[Outcome]]]:
    with ThreadPoolExecutor(BESIDE) as pool:
        yield {row.name: pool.submit(tried, row) for row in TELLING}


@pytest.mark.parametrize("row", TELLING, ids=lambda row: row.name)
def test_the_camera_is_kept_whole(
    outcomes: dict[str, Future[Outcome]], row: Row, request: pytest.FixtureRequest
) -> None:
    """Where it is tried again it is another recording, not the same outcome read once more."""
    again = getattr(request.node, "execution_count", 1) > 1
    outcome = tried(row) if again else outcomes[row.name].result()

    assert not outcome.faults, outcome.line()
