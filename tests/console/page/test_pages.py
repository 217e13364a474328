"""Every page as an operator meets it."""

from __future__ import annotations

import time
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


def test_a_gap_is_told_in_minutes_and_what_is_chosen_shows_by_day(open_page: Open) -> None:
    # Yesterday, which has both its gaps whatever the hour is.
    page = open_page(f"timeline?at={time.time() - 86_400:.0f}", scheme="light")
    page.wait_for_selector("text=31 min 40 s")

    colour = "one => getComputedStyle(one).backgroundColor"
    chosen = page.eval_on_selector(".toggle[aria-pressed=true]", colour)
    assert chosen != page.eval_on_selector(".toggle[aria-pressed=false]", colour)
    assert chosen == "rgb(228, 238, 252)"


@pytest.mark.parametrize(("hint", "words"), [(False, "asked for none"), (True, "is known of")])
def test_an_incident_without_a_clip_says_so(open_page: Open, console: Any, hint: bool, words: str) -> None:  # fmt: skip
    event = console.lever("alert", camera="camera-1", clip_hint=hint)["event_id"]
    page = open_page(f"incidents?event={event}")

    page.wait_for_selector(f".detail >> text={words}")


def test_a_phones_wall_keeps_every_picture_within_its_width(open_page: Open) -> None:
    page = open_page("wall", size=PHONE)
    page.wait_for_selector(".screen")

    boxes = page.eval_on_selector_all(
        ".wall .screen",
        "all => all.map(one => one.getBoundingClientRect()).map(one => [one.right, one.height])",
    )
    assert all(right <= PHONE[0] and height < PHONE[0] for right, height in boxes)


@pytest.mark.parametrize(("role", "files"), [("operator", 2), ("kiosk", 0)])
def test_a_days_archives_and_analyses_stand_under_its_line(open_page: Open, console: Any, role: str, files: int) -> None:  # fmt: skip
    console.lever("set", role=role)
    page = open_page("timeline", size=PHONE)
    page.click("text=Ten-minute archives")
    page.wait_for_selector("hc-recorded td")
    page.click("text=Analyses of every ten minutes")
    page.wait_for_selector("hc-recorded .result")

    assert page.inner_text("hc-recorded details >> nth=0").count("+09:00") == 2
    assert len(page.query_selector_all("hc-recorded a[download]")) == files
    assert [one.inner_text() for one in page.query_selector_all(".result")] == [
        "<b>A lorry</b> stops on the lane.", "Car 41 · Bus 2",
    ]  # fmt: skip
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    page.evaluate("scrollTo(0, 0)")  # what the bar at the bottom happens to hide is no small target
    assert not violations(page)
    console.lever("set", role="operator")


def test_the_page_of_health_leads_to_the_figures(open_page: Open) -> None:
    page = open_page("health")
    link = page.wait_for_selector("text=Figures over time")

    assert link.get_attribute("href") == "http://localhost:3000/"
    assert "noopener" in link.get_attribute("rel")


def test_the_sites_own_map_lies_under_the_cameras(open_page: Open, console: Any) -> None:
    bare = open_page("map")
    bare.wait_for_selector(".map-ground path")
    assert bare.locator(".map-base").count() == 0

    console.lever("set", map="geojson")
    page = open_page("map")
    page.wait_for_selector("path.map-base", state="attached")

    fills = "all => all.map(one => getComputedStyle(one).fill === 'none')"
    assert page.eval_on_selector_all("path.map-base", fills) == [True, False], "a street, a place"
    console.lever("set", map=None)
