from __future__ import annotations

from pathlib import Path

import pytest

from hazardcast.contract.errors import ConfigError
from hazardcast.machine.state_version import Format, as_it_is, version_of

FILE = Path("/data/state/thing.json")
FORM = Format((as_it_is, lambda data: {**data, "metres": data["feet"] * 0.3048}))
"""Version 1 only said its version, version 2 came to tell metres."""


@pytest.mark.parametrize(
    "older", [{"feet": 10}, {"version": 0, "feet": 10}, {"version": 1, "feet": 10}]
)
def test_what_is_older_is_upgraded_step_by_step(older: dict[str, object]) -> None:
    assert FORM.read(older, FILE)["metres"] == pytest.approx(3.048)


def test_what_is_of_this_version_is_taken_as_it_is() -> None:
    present = FORM.stamped({"metres": 7})

    assert present == {"version": 2, "metres": 7}
    assert FORM.read(present, FILE) == present


def test_what_is_newer_is_refused_by_name() -> None:
    with pytest.raises(ConfigError, match=r"/data/state/thing\.json: .* version 3; .* up to 2"):
        FORM.read({"version": 3, "metres": 7}, FILE)


@pytest.mark.parametrize("wrong", ["2", 2.0, True, None, -1, [2]])
def test_what_is_no_version_is_damage_and_no_newer_version(wrong: object) -> None:
    with pytest.raises(ValueError, match="not a version"):
        version_of({"version": wrong})
