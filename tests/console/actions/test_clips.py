"""Clips that are asked for, and clips that stay."""

from __future__ import annotations

from hazardcast.contract import topics
from hazardcast.contract.messages import (
    ClipState,
    Window,
)
from tests.console.actions.conftest import Console


def test_a_clip_of_any_window_of_ones_cameras(console: Console) -> None:
    wanted = {"camera": "north", "ts": 1_800_000_000.0, "pre_s": 10, "post_s": 20}
    answer = console.by("nora").post("clip-requests", json=wanted)
    (request,) = console.broker.messages(topics.CLIP_REQUESTS)
    assert answer.json()["event_id"] == request.event_id
    assert (request.pre_s, request.post_s) == (10, 20)
    assert (
        console.by("nora").post("clip-requests", json={**wanted, "camera": "south"}).status_code
        == 404
    )


def test_a_clip_that_stays_is_the_one_that_was_asked_for(console: Console) -> None:
    window = Window(start=1_799_999_700.0, end=1_800_000_300.0)
    clip = ClipState(
        event_id="4097-5", camera="south", state="ready", requested=window, updated_at=1.0
    )
    console.alerter.bus.publish(topics.CLIPS, clip, event_id="4097-5")

    assert console.by("olivia").post("clips/4097-5/hold").status_code == 202
    (request,) = console.broker.messages(topics.CLIP_REQUESTS)
    assert request.hold is True
    assert (request.ts - request.pre_s, request.ts + request.post_s) == (window.start, window.end)
    assert console.by("nora").post("clips/4097-5/hold").status_code == 404
