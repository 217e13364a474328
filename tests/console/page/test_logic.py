"""The page's pure rules, run where they will run: in Chromium."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

Run = Callable[..., Any]


@pytest.fixture(scope="module")
def run(console: Any, browser: Any) -> Iterator[Run]:
    """`run("ages.js", "m => m.ageKind(3)")`: a function of one module of `core/`."""
    page = browser.new_context(timezone_id="America/Chicago").new_page()
    page.goto(console.url + "login")

    def ran(module: str, function: str, argument: Any = None) -> Any:
        code = f"async a => ({function})(await import('./core/{module}'), a)"
        return page.evaluate(code, argument)

    yield ran
    page.context.close()


@pytest.mark.parametrize(
    ("age_s", "kind"),
    [(None, "none"), (0.8, "live"), (4.0, "live"), (4.1, "late"), (10.0, "late"), (10.1, "stale")],
)
def test_a_picture_older_than_ten_seconds_does_not_look_live(run: Run, age_s: float | None, kind: str) -> None:  # fmt: skip
    assert run("ages.js", "(m, age) => m.ageKind(age)", age_s) == kind


def test_a_player_that_lags_hurries_and_far_behind_jumps(run: Run) -> None:
    steps = run("ages.js", "m => [1.9, 4.5, 5.9, 6.1, null].map(age => m.catchUp(age, 2))")

    assert [step["jump"] for step in steps] == [False, False, False, True, False]
    assert steps[0]["rate"] == 1
    assert 1.05 < steps[1]["rate"] < steps[2]["rate"] <= 1.2


BOXES = """(m, at) => {
  const ring = new m.DetectionRing();
  const seen = (ts, x, ids = [1]) => ({ts, width: 100, height: 50,
    objects: ids.map(track_id => ({track_id, label: 'car', score: 1, box: [x, 0, x + 10, 10]}))});
  for (const one of [seen(10.125, 20, [1, 2]), seen(10, 10), seen(10.25, 40), seen(11, 90)]) ring.add(one);
  return at.map(ts => ring.at(ts)?.objects.map(o => [o.track_id, o.box[0]]) ?? null);
}"""


def test_boxes_lie_between_their_two_neighbours_in_time(run: Run) -> None:
    drawn = run("detection-ring.js", BOXES, [10.0625, 10.125, 10.1875])

    assert drawn == [[[1, 15]], [[1, 20], [2, 20]], [[1, 30]]]


def test_boxes_are_never_extrapolated(run: Run) -> None:
    assert run("detection-ring.js", BOXES, [9.99, 11.01]) == [None, None]


def test_no_box_is_drawn_across_a_gap_of_half_a_second(run: Run) -> None:
    assert run("detection-ring.js", BOXES, [10.6]) == [None]


def test_what_came_late_or_twice_stands_in_its_place(run: Run) -> None:
    code = """m => { const ring = new m.DetectionRing(2);
      for (const ts of [5, 4, 5, 6, 8.5]) ring.add({ts, width: 1, height: 1, objects: []});
      return ring.messages.map(one => one.ts); }"""

    assert run("detection-ring.js", code) == [8.5]
    assert run("detection-ring.js", code.replace("8.5", "6.5")) == [5, 6, 6.5]


def test_the_frames_time_counts_from_its_fragment(run: Run) -> None:
    fragments = [
        {"start": 0, "duration": 2, "programDateTime": 1_000_000},
        {"start": 2, "duration": 2, "programDateTime": 1_060_000},
        {"start": 4, "duration": 2, "programDateTime": None},
    ]
    times = run("frame-time.js", "(m, f) => [0.5, 1.99, 2.5, 4.5].map(t => m.timeOfFrame(f, t))", fragments)  # fmt: skip

    # A break of the camera lies between the first two; the third has no clock of its own.
    assert times == pytest.approx([1000.5, 1060.0 - 0.01, 1060.5, 1062.5])
    assert run("frame-time.js", "(m, f) => m.timeOfFrame(f, 1)", []) is None
    assert run("frame-time.js", "(m, f) => [999, 1001, 1061].map(t => m.placeOfTime(f, t))", fragments) == [None, 1, 3]  # fmt: skip


def test_boxes_are_scaled_to_the_picture_not_to_the_letterbox(run: Run) -> None:
    place = run("content-box.js", "m => m.contentBox(640, 360, 800, 800)")

    assert place == {"x": 0, "y": 175, "width": 800, "height": 450}


def test_times_are_those_of_the_site_whatever_the_browsers_zone(run: Run) -> None:
    code = """m => { const seoul = new m.SiteTime('Asia/Seoul', 'en');
      return [seoul.clock(1795829473), seoul.day(1795829473), seoul.offset(1795829473), seoul.full(1795829473)]; }"""
    clock, day, offset, full = run("site-time.js", code)

    assert (clock, day, offset) == ("10:31:13", "2026-11-28", "+09:00")
    assert full.endswith("10:31:13 +09:00")


@pytest.mark.parametrize(
    ("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-11-28", 24)]
)
def test_a_day_on_which_the_clocks_change_has_its_own_length(
    run: Run, day: str, hours: int
) -> None:
    start, end = run("site-time.js", "(m, day) => new m.SiteTime('Europe/Berlin', 'en').dayWindow(day)", day)  # fmt: skip

    assert (end - start) / 3600 == hours


def test_the_doubled_hour_is_told_apart_by_its_offset(run: Run) -> None:
    code = "m => [1792888200, 1792891800].map(t => new m.SiteTime('Europe/Berlin', 'en').full(t).slice(-15))"
    first, second = run("site-time.js", code)

    assert first[:8] == second[:8]
    assert first != second


def test_an_unknown_zone_is_read_as_utc(run: Run) -> None:
    assert run("site-time.js", "m => new m.SiteTime('Mars/Olympus', 'en').offset(0)") == "+00:00"


def test_ages_are_told_by_the_servers_clock(run: Run) -> None:
    code = "m => { const clock = new m.ServerClock(() => 10_800_000); clock.hear(7); return clock.now(); }"

    assert run("clock.js", code) == 7


def test_an_older_revision_changes_nothing(run: Run) -> None:
    code = """m => [m.merged({event_id: 'a', revision: 2, severity: 'high'}, {event_id: 'a', revision: 1, severity: 'low'}).severity,
      m.merged({event_id: 'a', revision: 2, note: 'n'}, {event_id: 'a', revision: 3, severity: 'low', note: undefined})]"""

    assert run("alerts.js", code) == ["high", {"event_id": "a", "revision": 3, "note": "n", "severity": "low"}]  # fmt: skip


def test_the_newest_alert_takes_the_large_place_for_its_time(run: Run) -> None:
    code = """(m, now) => m.promoted([
      {event_id: 'a', camera: 'one', status: 'new', detected_at: 100, severity: 'critical'},
      {event_id: 'b', camera: 'two', status: 'update', detected_at: 130, severity: 'low'},
      {event_id: 'c', camera: 'three', status: 'cancel', detected_at: 150, severity: 'high'}], now, 60)"""

    assert [run("alerts.js", code, now) for now in (131, 161, 191)] == ["two", "two", None]


def test_addresses_are_relative_to_the_base(run: Run) -> None:
    code = "m => [m.hrefOf('live'), m.hrefOf('incidents', {event: '4097-1&x', camera: null}), m.routeOf(new URL('http://h/hazard/wall')).page, m.routeOf(new URL('http://h/hazard/')).page]"

    assert run("routes.js", code) == ["./", "incidents?event=4097-1%26x", "wall", "live"]


def test_recordings_that_touch_are_one_and_the_nearest_moment_is_found(run: Run) -> None:
    assert run("stretches.js", "m => m.joined([[0, 10], [10.5, 20], [40, 50]])") == [
        [0, 20],
        [40, 50],
    ]
    code = "m => [5, 28, 39, 90].map(t => m.nearestRecorded([[0, 20], [40, 50]], t))"
    assert run("stretches.js", code) == [5, 20, 40, 50]
    assert run("stretches.js", "m => m.nearestRecorded([], 5)") is None


def test_the_maps_grid_has_round_lengths(run: Run) -> None:
    assert run("ground.js", "m => [7, 49, 50, 230, 999].map(m.niceStep)") == [5, 20, 50, 200, 500]
    code = "m => m.offsetMetres(37, 127, ...m.placeAt(37, 127, 90, 250))"
    assert run("ground.js", code) == pytest.approx(250, abs=0.5)
