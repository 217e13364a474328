"""Every page as an operator meets it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

AXE = (Path(__file__).with_name("vendor") / "axe.min.js").read_text("utf-8")
PAGES = ["", "wall", "incidents", "incidents?event=4097-3", "clips", "clips?clip=4097-1", "timeline",
         "statistics", "map", "health", "journal", "accounts", "login"]  # fmt: skip
PHONE = (390, 844)
Open = Callable[..., Any]
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def violations(page: Any) -> list[str]:
    """What axe finds against WCAG 2.2 AA."""
    page.evaluate(AXE)
    found = page.evaluate("tags => axe.run(document, {runOnly: tags})", TAGS)["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html'][:160]}" for one in found]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_accessible_at_a_desk(open_page: Open, path: str) -> None:
    page = open_page(path)
    page.wait_for_timeout(400)

    assert not violations(page)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_fits_a_phone_by_day_and_in_korean(open_page: Open, path: str) -> None:
    page = open_page(path, size=PHONE, language="ko", scheme="light")
    page.wait_for_timeout(400)

    assert page.evaluate("document.documentElement.lang") == "ko"
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    assert not violations(page)
