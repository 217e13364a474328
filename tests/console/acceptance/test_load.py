"""What many pages, and long ones, cost the real console and the browser."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from benchmarks.harness import percentile
from hazardcast.testing import eventually
from tests.console.acceptance.conftest import ONE
from tests.console.acceptance.stand import Stand
from tests.console.acceptance.tab import devtools, plays, visit
from tests.console.acceptance.viewers import Viewers

pytestmark = [pytest.mark.network, pytest.mark.slow, pytest.mark.timeout(2400)]
Profile = Callable[..., Any]
Figure = Callable[..., None]


@contextmanager
def cores_used(stand: Stand) -> Iterator[list[float]]:
    """Of the console, in cores, once it is over."""
    told: list[float] = []
    before_s, began = stand.console.cpu_s(), time.monotonic()
    yield told
    told.append((stand.console.cpu_s() - before_s) / (time.monotonic() - began))


def test_a_console_that_nobody_looks_at_rests(
    stand: Stand, figure: Figure, slack: float, full_length: bool
) -> None:
    time.sleep(35 if full_length else 0)  # nobody has looked for so long that no camera is followed
    with cores_used(stand) as cores:
        time.sleep(60 if full_length else 3)

    figure("at rest, nine cameras: console", cores[0] * 100, "% of a core", "≤ 5 %")
    figure("at rest, nine cameras: memory", stand.console.rss_mb(), "MB", "≤ 150 MB")
    if full_length:
        assert cores[0] <= 0.05
    assert stand.console.rss_mb() <= 150 * slack


def test_an_alert_is_in_a_hundred_tabs_at_once(
    stand: Stand, profile: Profile, figure: Figure, slack: float, full_length: bool
) -> None:
    count, rounds = (99, 40) if full_length else (30, 3)
    page = visit(profile(stand.url, ONE), stand.url, tiles=1)
    page.evaluate("probe.watchRows()")
    known = {event for event, _ in page.evaluate("probe.newRows([])")}
    viewers = Viewers(stand.url, count, 4 + rounds)
    page.wait_for_timeout(3000)
    said = [said_at for number in range(rounds) if (said_at := report(stand, page, number))]
    told = viewers.told()

    shown = [(event, at) for event, at in page.evaluate("probe.newRows([])") if event not in known]
    assert len(shown) == rounds, "each has its row in the real tab"
    began = dict(zip([event for event, _ in sorted(shown, key=lambda one: one[1])], said, strict=True))  # fmt: skip
    delays = [at - began[event] for event, at in shown]
    delays += [at - began[event] for one in told for event, at in one["events"].items() if event in began]  # fmt: skip
    figure(f"an alert in {count + 1} tabs: p99 of {len(delays)} (p50 {percentile(delays, 50) * 1000:.0f} ms)", percentile(delays, 99) * 1000, "ms", "≤ 300 ms")  # fmt: skip
    assert len(delays) == rounds * (count + 1)
    assert percentile(delays, 99) <= 0.3 * slack


def report(stand: Stand, page: Any, number: int) -> float:
    """An alert at a place of its own; returns when it was said."""
    at = stand.report(type="blockage", lat=36.0 + number * 0.02, lon=126.5)
    page.wait_for_timeout(700)
    return at


def test_a_hundred_who_look_at_one_camera_cost_a_bounded_amount(
    stand: Stand, figure: Figure, slack: float, full_length: bool
) -> None:
    count, seconds = (100, 60.0) if full_length else (20, 6.0)
    viewers = Viewers(stand.url, count, seconds, "camera-1")
    time.sleep(2)
    with cores_used(stand) as cores:
        time.sleep(seconds - 3)
    memory_mb = stand.console.rss_mb()
    told = viewers.told()

    ages = [age for one in told for age in one["ages_s"]]
    rate = sum(one["bytes"] for one in told) * 8 / seconds / count / 1000
    figure(f"{count} viewers of one camera ({rate:.0f} kbit/s each): console", cores[0], "cores", "≤ 1.5")  # fmt: skip
    figure(f"{count} viewers of one camera: memory", memory_mb, "MB", "≤ 300 MB")
    figure(f"{count} viewers of one camera: age of the newest part p99 (p50 {percentile(ages, 50):.2f} s)", percentile(ages, 99), "s", "none > 5 s")  # fmt: skip
    assert all(len(one["ages_s"]) > seconds / 2 for one in told)
    assert cores[0] <= 1.5
    assert memory_mb <= 300
    assert max(ages) <= 5.0 * slack


COUNTED = """(() => {
  globalThis.counted = { sources: new Set(), workers: 0 };
  const Source = MediaSource;
  globalThis.MediaSource = class extends Source {
    constructor() { super(); counted.sources.add(new WeakRef(this)); }
  };
  const Thread = Worker;
  globalThis.Worker = class extends Thread {
    constructor(...all) { super(...all); counted.workers += 1; }
    terminate() { counted.workers -= 1; super.terminate(); }
  };
  globalThis.ManagedMediaSource = undefined;
  counted.open = () => [...counted.sources].filter((one) => one.deref()?.readyState === "open").length;
})()"""


def heap_mb(page: Any) -> float:
    """What the page holds once all is collected."""
    with devtools(page) as tools:
        for _ in range(3):
            tools.send("HeapProfiler.collectGarbage")
        return float(tools.send("Runtime.getHeapUsage")["usedSize"]) / 1e6


def test_nine_tiles_that_come_and_go_leave_nothing_behind(
    stand: Stand, profile: Profile, figure: Figure, full_length: bool
) -> None:
    """Tiles open and close every ten seconds, with an alert a minute, for twenty minutes."""
    lasts_s, settled_s, turn_s = (1200.0, 300.0, 10.0) if full_length else (16.0, 8.0, 2.0)
    context = profile(stand.url)
    context.add_init_script(COUNTED)
    page = visit(context, stand.url, tiles=9, within_s=60)
    settled_mb = None
    began = time.monotonic()
    while (passed_s := time.monotonic() - began) < lasts_s:
        go_and_come_back(page, turn_s)
        if int(passed_s) % 60 < 2 * turn_s:
            stand.report(type="blockage", lat=35 + passed_s / 1000, lon=126.0)
        if settled_mb is None and passed_s > settled_s:
            settled_mb = heap_mb(page)
    plays(page, 9, within_s=60)
    end_mb = heap_mb(page)
    assert settled_mb is not None

    figure(f"nine tiles, {lasts_s / 60:.1f} minutes: heap at the end (then {settled_mb:.1f} MB)", end_mb / settled_mb * 100, "% of minute five", "≤ 110 %")  # fmt: skip
    eventually(lambda: page.evaluate("counted.open()") == 9 or page.wait_for_timeout(100), within_s=10)  # fmt: skip
    assert page.evaluate("counted.workers") == 9
    assert page.evaluate("async () => (await import('./parts/player.js')).players.size") == 9
    assert end_mb <= settled_mb * (1.1 if full_length else 1.3)


def go_and_come_back(page: Any, turn_s: float) -> None:
    """Leave the live page and open it again."""
    page.click("nav a[href='health']")
    page.wait_for_selector(".health-row")
    page.wait_for_timeout(turn_s * 300)
    page.click("nav a[href='./']")
    plays(page, 9, within_s=60)
    page.wait_for_timeout(turn_s * 700)
