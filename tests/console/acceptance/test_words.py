"""What the real console says: every field as text, and every time as the site's."""

from __future__ import annotations

import csv
import io
import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from hazardcast.contract.topics import ALL
from hazardcast.media.segments import segment_path
from hazardcast.testing import SignedStation, eventually
from tests.conftest import RealBroker
from tests.console.acceptance.stand import ROOT, Stand

pytestmark = [pytest.mark.network, pytest.mark.slow]
Profile = Callable[..., Any]
PAGES = ("", "wall", "incidents", "clips", "timeline", "statistics", "map", "health", "journal")
PAYLOAD = "</script><img src=x onerror='window.pwned=1'><svg onload='window.pwned=1'>\u202e"
EXAMPLES = ROOT / "tests" / "hazardcast" / "examples"


@contextmanager
def standing(folder: Path, broker: RealBroker, **how: Any) -> Iterator[Stand]:
    stand = Stand(folder, broker, run=("console",), **how)
    try:
        stand.start()
        yield stand
    finally:
        stand.close()


def texts(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where the texts of a message stand."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()  # fmt: skip
    for key, inner in items:
        if isinstance(inner, str):
            yield (*path, key)
        else:
            yield from texts(inner, (*path, key))


def with_text(message: Any, path: tuple[Any, ...], text: str) -> Any:
    """The message with one text in place of another."""
    copy = json.loads(json.dumps(message))
    inner = copy
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = text
    return copy


def dated(value: Any, by: float) -> Any:
    """The example as of now: its times moved."""
    if isinstance(value, dict):
        return {key: dated(inner, by) for key, inner in value.items()}
    if isinstance(value, list):
        return [dated(inner, by) for inner in value]
    return value + by if isinstance(value, float) and value > 1e9 else value


def attacks() -> Iterator[tuple[str, bool, Any]]:
    """(topic, retained, message): each message of each topic with the payload in one text, or in all."""
    by = time.time() - 1737930000.0
    for topic in ALL:
        for file in EXAMPLES.glob(f"{topic.message.__name__}*.json") if topic.message else ():
            text = file.read_text("utf-8").replace("junction-north", "camera-1")
            message = dated(json.loads(text), by)
            for number, path in enumerate(texts(message)):
                changed = with_text(message, path, PAYLOAD)
                yield address(topic.template, f"{file.stem}-{number}"), topic.retain, changed


def address(template: str, name: str) -> str:
    """A topic with its parameters filled in; what names an event is another each time."""
    known = {"camera": "camera-1", "service": "clipper", "station": "4097"}
    return re.sub(r"\{(\w+)\}", lambda match: known.get(match[1], f"x{name}".replace(".", "-")), template)  # fmt: skip


def test_no_text_of_any_topic_is_markup_on_any_page(
    broker: RealBroker, profile: Profile, tmp_path: Path
) -> None:
    complaints: list[str] = []
    with standing(tmp_path, broker) as stand:
        sent = list(attacks())
        for topic, retained, message in sent:
            stand.say(topic, message, retain=retained)
        eventually(lambda: PAYLOAD[:20] in json.dumps(stand.get("api/v1/events?limit=200")), within_s=10)  # fmt: skip
        event = "xAlert-0"
        for language in ("en-GB", "ko-KR"):
            page = profile(stand.url, locale=language).new_page()
            page.on("console", lambda said: complaints.extend([said.text] * (said.type == "error")))
            page.on("pageerror", lambda error: complaints.append(f"uncaught: {error}"))
            for path in (*PAGES, f"incidents?event={event}", f"clips?clip={event}"):
                page.goto(stand.url + path)
                page.wait_for_selector("main :is(h1, h2, .wall-line):visible")
                page.wait_for_timeout(300)
                assert page.evaluate("window.pwned ?? null") is None, path
        shown = "".join(page.goto(stand.url + path) and body(page) for path in ("", "health"))
        for topic, retained, _ in sent:
            if retained:
                stand.say(topic, "", retain=True)
    assert len(sent) > 60
    assert "onerror" in shown, "some of it is shown, as text"
    assert not [one for one in complaints if "policy" in one.lower() or "uncaught" in one]


def body(page: Any) -> str:
    page.wait_for_timeout(700)
    text: str = page.inner_text("body")
    return text


def shown_times(page: Any, url: str, events: list[str], moments: list[float]) -> list[str]:
    """All times of the pages that tell of these events and moments, in order."""
    page.goto(f"{url}incidents")
    page.wait_for_selector("a.card.alert time")
    found = page.eval_on_selector_all("a.card.alert time", "all => all.map(one => one.textContent.trim())")  # fmt: skip
    for event in events:
        page.goto(f"{url}incidents?event={event}")
        found.append(page.wait_for_selector(".detail-head time").inner_text())
    for moment in moments:
        page.goto(f"{url}timeline?camera=camera-1&at={moment:.0f}")
        page.wait_for_selector(".line")
        found.append(page.get_attribute(".line", "aria-valuetext"))
        found.append(page.input_value("input[type=date]"))
        found += page.eval_on_selector_all(".ticks span", "all => all.map(one => one.textContent)")
    return [str(one) for one in found]


def exported(profile: Profile, url: str) -> list[str]:
    """The times of the table that is taken away."""
    answer = profile(url, "admin").request.get(f"{url}api/v1/events.csv?kind=alert")
    rows = csv.DictReader(io.StringIO(answer.text().lstrip("\ufeff")))
    return [row["at_iso"] for row in rows]


def autumn(zone: str) -> float:
    """When clocks went back in this zone last, epoch seconds."""
    moment = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    step = timedelta(hours=1)
    while (moment - step).astimezone(ZoneInfo(zone)).utcoffset() <= moment.astimezone(ZoneInfo(zone)).utcoffset():  # type: ignore[operator]  # fmt: skip
        moment -= step
    return moment.timestamp()


@pytest.mark.parametrize("zone", ["Asia/Seoul", "Europe/Berlin"])
def test_list_player_table_and_files_tell_one_time_the_sites(
    zone: str, broker: RealBroker, profile: Profile, tmp_path: Path
) -> None:
    """Over the change where there is one: half an hour before and half an hour after are both 02:30."""
    turn = autumn(zone) if zone == "Europe/Berlin" else time.time() // 86_400 * 86_400 - 40_000
    moments = [turn - 1800, turn + 1800]
    station = SignedStation()
    with standing(tmp_path, broker, time_zone=zone) as stand:
        events = []
        for number, moment in enumerate(moments):
            alert = station.alert(7000 + number, camera="camera-1", detection_time=moment, reference_time=moment, confirmed_at=moment, ts=moment)  # fmt: skip
            events.append(alert.event_id)
            stand.say(f"v2x/active/{alert.event_id}", alert.encode(), retain=True)
            recorded(tmp_path / "data" / "recordings", moment)
        eventually(lambda: len(stand.get("api/v1/events?kind=alert")["events"]) == 2, within_s=10)
        told = [
            shown_times(profile(stand.url, timezone_id=browsers).new_page(), stand.url, events, moments)
            for browsers in ("America/Chicago", "UTC")
        ]  # fmt: skip
        table = exported(profile, stand.url)
        files = archives(stand, moments)
        for event in events:
            stand.say(f"v2x/active/{event}", "", retain=True)

    local = [datetime.fromtimestamp(one, ZoneInfo(zone)) for one in moments]
    assert told[0] == told[1]
    assert all(any(f"{one:%H:%M:%S}" in text for text in told[0]) for one in local)
    assert sorted(table) == sorted(one.isoformat(timespec="milliseconds") for one in local)
    named = [f"archive_{one:%Y%m%d_%H%M%S}" for one in local]
    again = "_2" if named[0] == named[1] else ""
    assert files == [f"{named[0]}.mp4", f"{named[1]}{again}.mp4"]


def recorded(folder: Path, moment: float) -> None:
    """A closed file of ten seconds that begins then; of what is in it nobody asks."""
    start_ms = round(moment * 1000)
    path = segment_path(folder, "camera-1", start_ms, start_ms + 10_000)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")


def archives(stand: Stand, moments: list[float]) -> list[str]:
    told = stand.get(f"api/v1/archives/camera-1?from={min(moments) - 3600:.0f}&to={max(moments) + 3600:.0f}")  # fmt: skip
    return [one["name"] for one in sorted(told["archives"], key=lambda one: one["start"])]
