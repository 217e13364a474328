"""The live page: pictures with their age, boxes in time, alerts as they come."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from hazardcast.testing import eventually
from tests.console.page.conftest import until

Open = Callable[..., Any]
SECOND_MS = 1000


@pytest.fixture(autouse=True)
def settled(console: Any) -> Iterator[None]:
    yield
    console.lever(
        "set", broker=True, frozen=False, silent=False, first_by="", name="kim", refuse=False
    )
    console.lever("camera", id="camera-2", state="live", detail=None, codec="avc1.42c01e")


def shown_age_s(page: Any, tile: int = 0) -> float | None:
    """Age that the tile measures."""
    return page.evaluate("n => document.querySelectorAll('hc-tile')[n].age_s", tile)


def playing(page: Any, tile: int = 0) -> None:
    """Wait until a tile shows video."""
    eventually(lambda: shown_age_s(page, tile) is not None or page.wait_for_timeout(100), within_s=15, what="video")  # fmt: skip


BURNT = """tile => {
  const video = tile.querySelector('video');
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  const pen = canvas.getContext('2d', {willReadFrequently: true});
  const read = () => {
    pen.drawImage(video, 0, 0);
    const y = Math.floor(canvas.width / 120);
    const row = pen.getImageData(0, y, canvas.width, 1).data;
    const cell = canvas.width / 80;
    const bits = Array.from({length: 80}, (_, i) => row[4 * Math.floor((i + 0.5) * cell)] > 128 ? 1 : 0);
    return bits.slice(2, 46).reduce((sum, bit) => sum * 2 + bit, 0) / 1000;
  };
  return new Promise(done => {
    const errors = [];
    const onFrame = () => {
      if (tile.drawn?.ts) errors.push(tile.drawn.ts - read());
      if (errors.length >= 25) done(errors);
      else video.requestVideoFrameCallback(onFrame);
    };
    video.requestVideoFrameCallback(onFrame);
  });
}"""


def test_the_boxes_time_is_the_one_burnt_into_the_frame(open_page: Open) -> None:
    page = open_page()
    playing(page)
    errors = page.evaluate_handle("document.querySelector('hc-tile')").evaluate(BURNT)

    errors = sorted(abs(error) for error in errors)
    assert errors[len(errors) // 2] <= 0.04
    assert errors[int(len(errors) * 0.95)] <= 0.1


def test_every_tile_plays_and_says_its_age(open_page: Open) -> None:
    page = open_page()
    for tile in range(4):
        playing(page, tile)

    page.wait_for_timeout(600)
    ages = page.eval_on_selector_all(".age", "all => all.map(one => one.textContent.trim())")
    assert len(ages) == 4
    assert all(re.fullmatch(r"\d\.\d s", age) for age in ages)
    assert 0 < (shown_age_s(page) or 0) < 8


def test_a_picture_that_stands_still_turns_grey_and_says_how_old_it_is(open_page: Open, console: Any) -> None:  # fmt: skip
    page = open_page()
    playing(page)
    console.lever("set", frozen=True)

    veil = page.wait_for_selector(".tile.stale .veil strong", timeout=15 * SECOND_MS)
    assert re.fullmatch(r"\d+ s old", veil.inner_text())

    console.lever("set", frozen=False, drop=True)
    page.wait_for_selector(".tile:is(.live, .late) >> nth=0", timeout=20 * SECOND_MS)


def test_a_dead_camera_says_so_with_its_reason(open_page: Open, console: Any) -> None:
    page = open_page()
    console.lever("camera", id="camera-2", state="unreachable", detail="no route to host")

    veil = page.wait_for_selector(".tile.dead .veil").inner_text()
    assert "No picture since" in veil
    assert "Nothing answers at its address" in veil
    assert "no route to host" in veil


def test_h265_that_the_browser_cannot_play_is_said_in_words(open_page: Open, console: Any) -> None:
    console.lever("camera", id="camera-2", codec="hvc1.1.6.L93.B0")
    page = open_page()

    veil = page.wait_for_selector(".tile.unplayable .veil", timeout=2 * SECOND_MS).inner_text()
    assert "H.265" in veil
    assert "detect_url" in veil
    assert page.locator(".tile.unplayable img.still").count() == 1


def test_detections_that_stop_are_told(open_page: Open, console: Any) -> None:
    page = open_page()
    page.wait_for_selector(".count b")
    console.lever("set", silent=True)

    page.wait_for_selector(".count.quiet", timeout=9 * SECOND_MS)


def test_a_new_alert_is_a_row_a_frame_and_a_word_within_a_second(open_page: Open, console: Any) -> None:  # fmt: skip
    page = open_page()
    playing(page)
    event = console.lever("alert", camera="camera-3", type="fire", severity="critical")

    page.wait_for_selector(f".card.alert[href$='{event['event_id']}']", timeout=SECOND_MS)
    assert page.wait_for_selector(".tile.alerting .tile-alert").inner_text().strip()
    assert "Fire" in page.inner_text("[aria-live=assertive]")


def test_what_was_said_while_the_socket_was_away_is_told_after_it(open_page: Open, console: Any) -> None:  # fmt: skip
    page = open_page()
    page.wait_for_selector(".link.on")
    console.lever("set", drop=True)
    event = console.lever("alert", camera="camera-1", type="blockage", severity="low")

    page.wait_for_selector(f".card.alert[href$='{event['event_id']}']", timeout=5 * SECOND_MS)
    page.wait_for_selector(".link.on")


def test_a_broker_that_is_away_is_in_a_banner(open_page: Open, console: Any) -> None:
    page = open_page()
    console.lever("set", broker=False)

    assert "broker" in page.wait_for_selector(".banner.danger").inner_text()


def test_boxes_can_be_put_away_by_class(open_page: Open) -> None:
    page = open_page()
    playing(page)
    until(page, "document.querySelector('hc-tile').drawn?.seen?.objects.length > 0")
    drawn = """() => { const canvas = document.querySelector('hc-tile canvas');
      return canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some(Boolean); }"""
    until(page, drawn)

    page.click("button.toggle.class:has-text('Car')")
    page.click("button.toggle.class:has-text('Truck')")
    until(page, f"!({drawn})()")


def test_the_wall_gives_the_newest_alert_the_large_place(open_page: Open, console: Any) -> None:
    page = open_page("wall", size=(1920, 1080))
    console.lever("alert", camera="camera-4", type="collision", severity="high")
    until(page, "document.querySelector('.tile-place.large hc-tile')?.camera.id === 'camera-4'")
    console.lever("alert", camera="camera-2", type="collision", severity="low")

    until(page, "document.querySelector('.tile-place.large hc-tile')?.camera.id === 'camera-2'")
    assert page.locator("dialog, [role=dialog]").count() == 0


def test_players_that_leave_the_page_are_gone(open_page: Open) -> None:
    page = open_page()
    playing(page)
    page.click("a[href='health']")
    page.wait_for_selector(".health-row")

    counted = "async () => (await import('./parts/player.js')).players.size"
    assert page.evaluate(counted) == 0
    page.click("nav a[href='./']")
    page.wait_for_selector("hc-tile video")
    page.wait_for_timeout(500)
    assert page.evaluate(counted) == 4
