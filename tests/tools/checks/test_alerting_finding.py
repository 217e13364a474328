"""Whoever checks a site is told which cameras do not broadcast everything at once."""

from __future__ import annotations

from typing import Any

import pytest
from hazardcast_tools.checks import findings

from hazardcast.config import site
from hazardcast.config.site import SiteConfig


def cameras(**policies: dict[str, Any]) -> SiteConfig:
    written = {name: {"url": "x.mp4", "alerting": rule} for name, rule in policies.items()}
    return site.parse({"cameras": written}, source="test")


@pytest.mark.parametrize(
    ("policies", "result", "named"),
    [
        ({"a": {}}, "ok", ()),
        ({"a": {"mode": "confirm", "on_timeout": "drop"}, "b": {}}, "ok", ("a",)),
        ({"a": {"by_type": {"fire": {"mode": "shadow"}}}, "b": {}}, "warning", ("a",)),
    ],
)
def test_they_are_named(policies: dict[str, Any], result: str, named: tuple[str, ...]) -> None:
    found = findings.alerting(cameras(**policies))

    assert found.result == result
    assert all(found.detail.endswith(f": {name}") for name in named)
