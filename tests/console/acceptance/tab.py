"""What a tab of the console shows, told by itself: ages and overlay times beside the burnt-in clock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hazardcast.testing import eventually

PROBE = Path(__file__).with_name("probe.js").read_text("utf-8")


def probed(context: Any) -> Any:
    """A tab of this browser profile whose videos can be asked what clock they show."""
    page = context.new_page()
    page.add_init_script(PROBE)
    return page


def visit(context: Any, url: str, *, tiles: int = 0, within_s: float = 30.0) -> Any:
    """Open a page of the console and wait until so many tiles play."""
    page = probed(context)
    page.goto(url)
    if tiles:
        plays(page, tiles, within_s=within_s)
    return page


def plays(page: Any, tiles: int, *, within_s: float = 30.0) -> None:
    """Wait until so many tiles show pictures."""
    eventually(
        lambda: page.evaluate("probe.playing()") >= tiles or page.wait_for_timeout(100),
        within_s=within_s,
        what=f"{tiles} tiles play",
    )


def ages_s(page: Any, seconds: float) -> list[list[float]]:
    """Of each tile the ages of the pictures shown in so long, by the clock in them."""
    page.evaluate("probe.watchAges()")
    page.wait_for_timeout(round(seconds * 1000))
    return list(page.evaluate("probe.takeAges()"))


def overlay_errors_s(page: Any, seconds: float, element: str = "hc-tile") -> list[float]:
    """Time for which boxes are drawn − burnt-in clock, of each frame shown in so long."""
    return list(page.evaluate("([name, s]) => probe.overlayErrors(name, s)", [element, seconds]))


def told_and_true_age_s(page: Any) -> tuple[float | None, float | None]:
    """(age that the first tile says, age by the clock in the picture)."""
    told, true = page.evaluate("probe.toldAndTrue()")
    return told, true


def first_picture_s(page: Any) -> float:
    """Seconds from the click that opens the live page to the first picture of its first tile."""
    page.click("nav a[href='health']")
    page.wait_for_selector(".health-row")
    taken_s: float = page.evaluate("probe.firstPicture()")
    return taken_s


@contextmanager
def devtools(page: Any) -> Iterator[Any]:
    """A CDP session of the tab."""
    session = page.context.new_cdp_session(page)
    try:
        yield session
    finally:
        session.detach()
