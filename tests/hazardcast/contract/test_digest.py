from __future__ import annotations

import hashlib
import random

from hypothesis import given
from hypothesis import strategies as st

from hazardcast.contract.digest import digest
from hazardcast.testing import ManualClock, SignedStation

ALERT = SignedStation(clock=ManualClock()).alert()


def test_the_digest_is_the_documented_one() -> None:
    ours = ALERT.model_copy(update={"event_id": "4097-1"})
    other = ours.model_copy(update={"event_id": "4097-10", "status": "update"})
    lines = "4097-1 1800000000000 new\n4097-10 1800000000000 update\n"

    assert digest([ours, other]) == hashlib.sha256(lines.encode()).hexdigest()[:16]
    assert digest([]) == "e3b0c44298fc1c14"


@given(st.sets(st.integers(0, 10**13), max_size=20), st.integers())
def test_it_tells_what_is_in_force_whatever_the_order(numbers: set[int], seed: int) -> None:
    alerts = [ALERT.model_copy(update={"event_id": f"4097-{number}"}) for number in sorted(numbers)]
    shuffled = random.Random(seed).sample(alerts, len(alerts))

    assert digest(shuffled) == digest(alerts)
    assert all(
        digest([*alerts[:n], *alerts[n + 1 :]]) != digest(alerts) for n in range(len(alerts))
    )


def test_it_tells_versions_of_one_event_apart() -> None:
    later = ALERT.model_copy(update={"reference_time": ALERT.reference_time + 0.001})
    ended = ALERT.model_copy(update={"status": "cancel"})

    assert len({digest([version]) for version in (ALERT, later, ended)}) == 3
