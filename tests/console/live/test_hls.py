"""Playlists and bytes of a camera while it is recorded, as any player gets them."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import httpx
import pytest
from console.live.ranges import Piece
from console.live.routes import LiveRoom

from hazardcast.media import segments
from hazardcast.media.segments import Run, append_run
from hazardcast.testing import ManualClock, eventually
from tests.console.live.conftest import PART_BYTES, START, Camera, served

LIVE = "/hls/north/live.m3u8"


def test_a_playlist_tells_parts_as_ranges_of_the_file_that_grows(web: httpx.Client, camera: Camera) -> None:  # fmt: skip
    camera.begin()
    camera.grow()

    answer = web.get(LIVE)

    assert answer.headers["content-type"] == "application/vnd.apple.mpegurl"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.text.splitlines()[-2:] == [
        f'#EXT-X-PART:DURATION=0.5000,URI="0.ts",BYTERANGE="{PART_BYTES}@0",INDEPENDENT=YES',
        f'#EXT-X-PART:DURATION=0.5000,URI="0.ts",BYTERANGE="{PART_BYTES}@{PART_BYTES}"',
    ]
    part = web.get("/hls/north/0.ts", headers={"Range": f"bytes={PART_BYTES}-{2 * PART_BYTES - 1}"})
    assert (part.status_code, part.content) == (206, bytes([65, 1]) * (PART_BYTES // 2))
    assert part.headers["content-range"] == f"bytes 1880-3759/{2 * PART_BYTES}"
    assert part.headers["content-type"] == "video/mp2t"


def test_a_player_waits_for_the_part_that_it_asks_for(web: httpx.Client, camera: Camera) -> None:
    camera.begin()
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(web.get, LIVE, params={"_HLS_msn": 0, "_HLS_part": 1})
        time.sleep(0.5)
        assert not asked.done()
        camera.grow()
        assert asked.result().text.count("#EXT-X-PART:") == 2


def test_a_part_beyond_the_end_of_a_file_is_the_first_of_the_next(web: httpx.Client, camera: Camera) -> None:  # fmt: skip
    camera.begin()
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(web.get, LIVE, params={"_HLS_msn": 0, "_HLS_part": 1})
        time.sleep(0.3)
        camera.begin()
        text = asked.result().text

    assert 'URI="1.ts"' in text.splitlines()[-1]
    assert "#EXTINF:0.500,\n0.ts" in text


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("_HLS_msn=9", "_HLS_msn"), ("_HLS_part=1", "_HLS_part"), ("_HLS_msn=x", "_HLS_msn"),
        ("_HLS_msn=-1", "_HLS_msn"), ("_HLS_msm=1", "_HLS_msm"), ("from=1", "to"), ("to=1", "from"),
        ("from=2&to=1", "from"), ("from=0&to=99999999", "from"), ("from=nan&to=1", "from"),
    ],
)  # fmt: skip
def test_a_parameter_that_cannot_be_is_named(web: httpx.Client, camera: Camera, query: str, named: str) -> None:  # fmt: skip
    camera.begin()

    answer = web.get(f"{LIVE}?{query}")

    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["field"].endswith(named)


def test_a_number_stays_while_its_file_is_renamed(web: httpx.Client, camera: Camera) -> None:
    camera.begin()
    camera.grow()
    assert web.get(LIVE).status_code == 200
    camera.begin()
    before = web.get("/hls/north/0.ts").content
    camera.close(0)
    camera.file(0, ".parts").unlink()
    camera.begin()

    after = web.get("/hls/north/0.ts")

    assert (after.status_code, after.content) == (200, before)
    assert "0.ts" in web.get(LIVE).text
    assert web.get("/hls/north/north_0.ts").content == before


def test_a_file_that_grows_ends_for_players_with_its_last_part(web: httpx.Client, camera: Camera) -> None:  # fmt: skip
    camera.begin()
    with camera.file(0).open("ab") as video:
        video.write(bytes(500))

    assert len(web.get("/hls/north/0.ts").content) == PART_BYTES
    beyond = web.get("/hls/north/0.ts", headers={"Range": f"bytes={PART_BYTES}-"})
    assert beyond.status_code == 416
    assert beyond.headers["content-range"] == f"bytes */{PART_BYTES}"
    assert beyond.headers["content-type"] == "application/problem+json"


def test_what_retention_takes_while_it_is_read_is_read_to_the_end(room: LiveRoom, camera: Camera) -> None:  # fmt: skip
    camera.begin()
    camera.begin()
    assert room.live.line("north").files
    path = camera.close(0)
    camera.begin()
    size = path.stat().st_size
    room.live._watched["north"].reader.look()
    video = room.live.video("north", 0)
    assert video is not None

    path.unlink()

    assert len(video.read(Piece(0, size - 1))) == size


def test_what_retention_has_taken_is_not_there(web: httpx.Client, camera: Camera) -> None:
    for _ in range(3):
        camera.begin()
    path = camera.close(0)
    camera.file(0, ".parts").unlink()
    path.unlink()

    assert web.get("/hls/north/0.ts").status_code == 404
    assert web.get(LIVE).status_code == 200


@pytest.mark.parametrize("before", [1, 3])
def test_a_recorder_that_counts_its_files_anew_is_followed(web: httpx.Client, camera: Camera, before: int) -> None:  # fmt: skip
    for _ in range(before):
        camera.begin()
    assert f'URI="{before - 1}.ts"' in web.get(LIVE).text
    first = {"Range": f"bytes=0-{PART_BYTES - 1}"}
    old = web.get("/hls/north/0.ts", headers=first).content

    shutil.rmtree(camera.folder)
    camera.open.mkdir(parents=True)
    camera.number, camera.at, camera.prefix = -1, camera.at + 20, "18"
    camera.begin()

    eventually(lambda: _numbers(web.get(LIVE).text) == ["0"])
    eventually(lambda: web.get("/hls/north/0.ts", headers=first).content != old)
    camera.begin()
    eventually(lambda: _numbers(web.get(LIVE).text) == ["0", "1"])


def _numbers(playlist: str) -> list[str]:
    return sorted(set(re.findall(r'URI="(\d+)\.ts"', playlist)))


def test_a_console_that_starts_later_gives_the_same_numbers(web: httpx.Client, camera: Camera) -> None:  # fmt: skip
    for number in range(3):
        camera.begin()
        if number:
            camera.close(number - 1)

    text = web.get(LIVE).text

    assert re.findall(r"^\d+\.ts$", text, re.M) == ["0.ts", "1.ts"]
    assert 'URI="2.ts"' in text.splitlines()[-1]


def test_a_camera_that_is_not_recorded_now_has_no_live_playlist(web: httpx.Client, camera: Camera) -> None:  # fmt: skip
    camera.begin()
    camera.begin()
    camera.close(0)
    camera.close(1)
    for index in camera.open.glob("*.parts"):
        index.unlink()

    assert web.get(LIVE).status_code == 404


@pytest.mark.parametrize(
    "name",
    [
        "9.ts", "x.ts", "0.ts%00", "..%2f..%2fkeys", "%2e%2e/%2e%2e/keys", "%2Fetc%2Fpasswd", ".open",
        "17-000000.ts", ".open%2f17-000000.ts", ".open%2flock", "south_0.ts", "runs.jsonl", "0.ts.", "00x.ts",
        "1-2.ts", "2-1.ts", "999999999999999-999999999999999.ts", "south.m3u8", "9" * 400 + ".ts",
    ],
)  # fmt: skip
def test_every_other_name_is_answered_as_one_that_is_not_there(web: httpx.Client, camera: Camera, name: str) -> None:  # fmt: skip
    camera.begin()
    unknown = web.get("/hls/north/8.ts")

    answer = web.get(f"/hls/north/{name}")

    assert (answer.status_code, answer.content) == (404, unknown.content)


@pytest.mark.parametrize("name", ["nowhere", "..%2fnorth", ".", "NORTH", "north%00", "%2e%2e"])
def test_an_unknown_camera_is_not_told_from_a_hidden_one(web: httpx.Client, camera: Camera, name: str) -> None:  # fmt: skip
    camera.begin()

    answer = web.get(f"/hls/{name}/live.m3u8")

    assert answer.status_code == 404
    assert b"north" not in answer.content


def test_a_link_among_the_recordings_leads_nowhere(web: httpx.Client, camera: Camera) -> None:
    secret = camera.recordings.parent / "secret"
    secret.write_text("key")
    hour = camera.folder / segments.hour_name(START)
    hour.mkdir()
    (hour / "1800000000000-1800000000500.ts").symlink_to(secret)
    (camera.folder / "20270115T09").symlink_to(camera.recordings.parent)
    (camera.recordings.parent / "1800003600000-1800003600500.ts").write_text("key")

    assert web.get("/hls/north/1800000000000-1800000000500.ts").status_code == 404
    assert web.get("/hls/north/1800003600000-1800003600500.ts").status_code == 404


def test_a_pipe_among_the_recordings_holds_nobody_up(web: httpx.Client, camera: Camera) -> None:
    hour = camera.folder / segments.hour_name(START)
    hour.mkdir()
    os.mkfifo(hour / "1800000000000-1800000000500.ts")

    assert web.get("/hls/north/1800000000000-1800000000500.ts").status_code == 404


def recorded(camera: Camera, *starts: float) -> None:
    for start in starts:
        start_ms = round((START + start) * 1000)
        path = segments.segment_path(camera.recordings, "north", start_ms, start_ms + 9_933)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"G" * 376)


def test_a_window_of_recordings_is_a_playlist_with_its_gaps(web: httpx.Client, camera: Camera) -> None:  # fmt: skip
    recorded(camera, 0, 10, 20, 50, 60)
    append_run(camera.recordings, "north", Run(START + 60, None, None))

    text = web.get(LIVE, params={"from": START + 5, "to": START + 62}).text

    lines = [line for line in text.splitlines() if not line.startswith("#EXT-X-PROGRAM")]
    assert lines == [
        "#EXTM3U", "#EXT-X-VERSION:6", "#EXT-X-TARGETDURATION:10", "#EXT-X-PLAYLIST-TYPE:EVENT",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXTINF:10.000,", "1800000000000-1800000009933.ts", "#EXTINF:10.000,", "1800000010000-1800000019933.ts",
        "#EXTINF:9.973,", "1800000020000-1800000029933.ts", "#EXT-X-DISCONTINUITY",
        "#EXTINF:10.000,", "1800000050000-1800000059933.ts", "#EXT-X-DISCONTINUITY",
        "#EXTINF:9.973,", "1800000060000-1800000069933.ts",
    ]  # fmt: skip
    assert web.get("/hls/north/1800000050000-1800000059933.ts").content == b"G" * 376


def test_a_window_that_is_long_over_has_an_end(web: httpx.Client, camera: Camera) -> None:
    path = segments.segment_path(camera.recordings, "north", 1_700_000_000_000, 1_700_000_009_900)
    path.parent.mkdir()
    path.write_bytes(b"G" * 188)

    text = web.get(LIVE, params={"from": 1_700_000_000, "to": 1_700_000_010}).text

    assert text.endswith("#EXT-X-ENDLIST\n")
    assert "#EXT-X-PLAYLIST-TYPE:VOD" in text


def test_a_lease_is_held_and_given_back_and_recording_is_not_asked(web: httpx.Client, camera: Camera, room: LiveRoom) -> None:  # fmt: skip
    camera.begin()

    answer = web.post("/start-hls-stream/north")

    assert answer.status_code == 200
    assert answer.json()["playlist"] == "../hls/north/live.m3u8"
    assert answer.json()["codec"] == "h264"
    assert answer.json()["expires_s"] == 60.0
    assert room.leases.viewers("north", monotonic_s=room.clock.monotonic()) == 1
    assert web.post("/start-hls-stream/north").status_code == 200
    assert web.post("/stop-hls-stream/north").json() == {"ended": True}
    assert web.post("/stop-hls-stream/north").json() == {"ended": False}
    assert web.get(LIVE).status_code == 200


def test_a_camera_that_is_down_says_why_it_cannot_be_started(web: httpx.Client) -> None:
    answer = web.post("/start-hls-stream/south")

    assert answer.status_code == 409
    assert answer.json()["detail"] == "unreachable: no route to host"
    assert web.post("/start-hls-stream/nowhere").status_code == 404


@pytest.mark.parametrize(("why", "age_s", "told"), [
    ("stalled: no frame", 5.0, "stalled: no frame"),
    (None, 60.0, "nothing of this camera is recorded now"),
    (None, 5.0, None),
])  # fmt: skip
def test_a_camera_that_was_live_and_is_not_cannot_be_started(room: LiveRoom, camera: Camera, why: str | None, age_s: float, told: str | None) -> None:  # fmt: skip
    camera.begin()
    clock = ManualClock(START + 0.5 + age_s)
    with served(replace(room, clock=clock, why_down=lambda _: why)) as web:
        answer = web.post("/start-hls-stream/north")

    assert answer.json().get("detail") == told
    assert answer.status_code == (409 if told else 200)


def test_who_waited_in_vain_leaves_nothing_behind(room: LiveRoom, camera: Camera) -> None:
    camera.begin()

    line = asyncio.run(room.live.line_with("north", 9, 0, 0.05))

    assert line.newest is not None
    assert room.live._watched["north"].waiting == []


def test_a_hundred_who_wait_are_answered_at_once(web: httpx.Client, camera: Camera) -> None:
    camera.begin()
    limits = httpx.Limits(max_connections=50)
    url = f"{web.base_url}{LIVE.lstrip('/')}"
    with httpx.Client(limits=limits, timeout=10) as client, ThreadPoolExecutor(40) as pool:
        asked = [pool.submit(client.get, url, params={"_HLS_msn": 0, "_HLS_part": 1}) for _ in range(40)]  # fmt: skip
        time.sleep(1.0)
        camera.grow()
        began = time.monotonic()
        assert {one.result().status_code for one in asked} == {200}
        assert time.monotonic() - began < 3.0
    assert threading.active_count() < 80
