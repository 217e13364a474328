"""What an operator says, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.console.page.conftest import Complaints, until

Open = Callable[..., Any]
HOLD_MS = 1300


@pytest.fixture
def event(console: Any) -> Iterator[str]:
    """An open alert."""
    yield console.lever("alert", camera="camera-1", type="collision", severity="high")["event_id"]
    console.lever("set", broker=True, first_by="", name="kim", refuse=False)


def decisions(console: Any, event: str) -> list[Any]:
    """What reached the console of this alert."""
    return [one for one in console.seen()["decisions"] if one["event_id"] == event]


def test_confirming_names_the_revision_that_was_seen(
    open_page: Open, console: Any, event: str
) -> None:
    page = open_page(f"incidents?event={event}")
    page.wait_for_selector("button.confirm")
    page.keyboard.press("c")

    page.wait_for_selector(".said.ok")
    [decision] = decisions(console, event)
    assert (decision["action"], decision["if_match"]) == ("confirm", '"0"')
    page.wait_for_selector(".detail .chip.confirmed")


def test_a_false_alarm_must_be_held_for_a_second(open_page: Open, console: Any, event: str) -> None:
    page = open_page(f"incidents?event={event}")
    page.wait_for_selector("hc-hold-button")
    page.select_option(".reasons select", "shadow")
    page.fill(".reasons input", "low sun")
    page.click("h2")
    page.keyboard.down("f")
    page.wait_for_timeout(400)
    page.keyboard.up("f")
    page.wait_for_timeout(800)
    assert not decisions(console, event)

    page.keyboard.down("f")
    page.wait_for_timeout(HOLD_MS)
    page.keyboard.up("f")
    page.wait_for_selector(".detail .chip.false_alarm")
    [decision] = decisions(console, event)
    assert (decision["action"], decision["reason"], decision["note"]) == (
        "negate",
        "shadow",
        "low sun",
    )


def test_a_letter_typed_into_the_note_decides_nothing(
    open_page: Open, console: Any, event: str
) -> None:
    page = open_page(f"incidents?event={event}")
    page.wait_for_selector("hc-hold-button")
    page.type(".reasons input", "cxf")
    page.wait_for_timeout(HOLD_MS)

    assert not decisions(console, event)


def test_a_tool_that_only_clicks_must_click_twice(
    open_page: Open, console: Any, event: str
) -> None:
    page = open_page(f"incidents?event={event}")
    clear = "hc-hold-button[kind=clear] button"
    page.wait_for_selector(clear)
    page.eval_on_selector(clear, "button => button.click()")
    page.wait_for_timeout(200)
    assert not decisions(console, event)
    assert "Press again" in page.inner_text(clear)

    page.eval_on_selector(clear, "button => button.click()")
    page.wait_for_selector(".detail .chip.cleared")


def test_the_second_of_two_operators_is_told_who_was_first(open_page: Open, console: Any, complaints: Complaints, event: str) -> None:  # fmt: skip
    complaints.borne = ("412",)
    console.lever("set", first_by="lee")
    page = open_page(f"incidents?event={event}")
    page.click("button.confirm")

    assert "lee decided first" in page.wait_for_selector(".said.danger").inner_text()


def test_with_the_broker_away_nothing_is_sent_and_that_is_said(open_page: Open, console: Any, complaints: Complaints, event: str) -> None:  # fmt: skip
    complaints.borne = ("503",)
    console.lever("set", broker=False)
    page = open_page(f"incidents?event={event}")
    page.click("button.confirm")

    assert "nothing was sent" in page.wait_for_selector(".said.danger").inner_text()


def test_who_only_looks_cannot_decide(open_page: Open, console: Any, event: str) -> None:
    console.lever("set", name=None)
    page = open_page(f"incidents?event={event}")

    page.wait_for_selector(".decide a[href='login']")
    assert page.locator("hc-hold-button, button.confirm").count() == 0


def test_without_an_account_and_free_view_there_is_only_the_login(open_page: Open, console: Any, complaints: Complaints, event: str) -> None:  # fmt: skip
    complaints.borne = ("401",)
    console.lever("set", name=None, refuse=True)
    page = open_page("incidents")
    page.fill("[name=name]", "park")
    page.fill("[name=password]", "wrong")
    page.click("form button")
    assert (
        page.wait_for_selector(".said.danger:not(:empty)").inner_text()
        == "Name or password is wrong."
    )

    page.fill("[name=password]", "right")
    page.click("form button")
    page.wait_for_selector("hc-tile")
    assert "park" in page.inner_text(".bar")


def test_an_incident_is_raised_by_a_click_on_the_map(
    open_page: Open, console: Any, event: str
) -> None:
    page = open_page("map")
    page.click("text=Report an incident")
    page.wait_for_selector("form.panel")
    page.click(".map-ground", position={"x": 300, "y": 200})
    page.select_option("[name=type]", "fire")
    page.check("[name=test]")
    page.click("form button.confirm")

    page.wait_for_selector("text=Reported.")
    raised = console.seen()["raised"][-1]
    assert (raised["type"], raised["test"]) == ("fire", True)
    assert abs(raised["lat"] - 37.12) < 0.1


PAYLOAD = '</script><img src=x onerror="window.pwned=1"><svg onload="window.pwned=1">\u202e'


@pytest.mark.parametrize("language", ["en", "ko"])
def test_markup_in_any_text_is_shown_as_text(open_page: Open, console: Any, language: str) -> None:
    event = console.lever("alert", camera="camera-1", type=PAYLOAD, severity=PAYLOAD, note=PAYLOAD, reason=PAYLOAD, seen_by=[PAYLOAD], disposition=PAYLOAD)  # fmt: skip
    console.lever("camera", id="camera-1", name=PAYLOAD, state="unreachable", detail=PAYLOAD)
    for path in ("", "wall", f"incidents?event={event['event_id']}", "clips", "timeline", "statistics", "map", "health", "journal"):  # fmt: skip
        page = open_page(path, language=language)
        page.wait_for_timeout(500)
        assert page.evaluate("window.pwned") is None
        page.context.close()
    console.lever("camera", id="camera-1", name="Harbour Road junction", state="live", detail=None)


def test_a_clip_with_a_changed_byte_is_red_before_it_plays(open_page: Open) -> None:
    page = open_page("clips?clip=4097-2")

    assert "Signature broken" in page.wait_for_selector(".signature.broken").inner_text()
    assert page.locator("video").count() == 0
    assert page.locator("a[href$='manifest.json']").count() == 1
    page.click("text=Play it anyway")
    page.wait_for_selector("video")


def test_the_timeline_plays_what_was_recorded_nearest_to_the_click(open_page: Open) -> None:
    page = open_page("timeline")
    page.wait_for_selector(".line .recorded")
    page.click(".line", position={"x": 200, "y": 40})

    page.wait_for_selector("hc-replay video")
    page.focus(".line")
    before = page.get_attribute(".line", "aria-valuenow")
    page.keyboard.press("ArrowRight")
    until(page, "b => document.querySelector('.line').getAttribute('aria-valuenow') !== b", before)
