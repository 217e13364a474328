"""Ten minutes as one file, the newest picture, and the line of a day, by HTTP."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC
from pathlib import Path

import httpx
import pytest
from console.archives.builder import MOST_KEPT, Builder
from console.archives.listing import Shelf
from console.archives.routes import ArchiveRoom, router
from console.archives.still import Stills
from console.doors.accounts import Book
from console.doors.guard import FreeView, Guard
from console.doors.sessions import Sessions
from console.http.app import application
from console.http.server import HttpServer
from console.live.routes import LiveRoom

from hazardcast.media import segments
from hazardcast.media.archives import Archive
from hazardcast.media.parts import Head, Part
from hazardcast.media.segments import Segment
from hazardcast.service.metrics import Health
from hazardcast.testing import ManualClock, eventually
from tests.console.live.conftest import START, Camera, camera, room

__all__ = ["camera", "room"]


@pytest.fixture(scope="module")
def pieces(ffmpeg: str, tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """Three files of two seconds, one stream."""
    folder: Path = tmp_path_factory.mktemp("pieces")
    subprocess.run(
        [ffmpeg, "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=160x96:r=10", "-f", "lavfi", "-i", "sine",
         "-t", "6", "-c:v", "libx264", "-preset", "ultrafast", "-g", "20", "-bf", "0", "-c:a", "aac",
         "-f", "segment", "-segment_format", "mpegts", "-segment_time", "2", "-individual_header_trailer", "0",
         str(folder / "%d.ts")],
        check=True,
    )  # fmt: skip
    return [(folder / f"{n}.ts").read_bytes() for n in range(3)]


def record(camera: Camera, pieces: list[bytes], start: float = START) -> list[Path]:
    paths = []
    for place, data in enumerate(pieces):
        start_ms = round((start + 2 * place) * 1000)
        path = segments.segment_path(camera.recordings, "north", start_ms, start_ms + 1900)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        paths.append(path)
    return paths


@contextmanager
def served(room: LiveRoom, camera: Camera, ffmpeg: str, builder: Builder) -> Iterator[httpx.Client]:
    clock = ManualClock(START + 100)
    room = replace(room, clock=clock)
    guard = Guard(FreeView(published_locally=True, allowed=True), lambda: Book({}, {}), Sessions(clock, [], lambda _: None), clock)  # fmt: skip
    archives = ArchiveRoom(
        room, camera.recordings, Shelf(camera.recordings, UTC), builder,
        Stills(room.live, camera.recordings, program=ffmpeg),
        lambda name, start, end: [{"camera": name}],
    )  # fmt: skip
    server = HttpServer(application(guard, Health(), [router(archives)]), host="127.0.0.1", port=0)
    with httpx.Client(base_url=f"http://127.0.0.1:{server.port}/api/v1", timeout=20.0) as client:
        yield client
    server.close()


@pytest.fixture
def web(room: LiveRoom, camera: Camera, ffmpeg: str, tmp_path: Path) -> Iterator[httpx.Client]:
    with served(room, camera, ffmpeg, Builder(tmp_path / "built", program=ffmpeg)) as client:
        yield client


WINDOW = {"from": START - 100, "to": START + 100}
NAME = "archive_20270115_080000.mp4"


def streams(ffmpeg: str, data: bytes, tmp_path: Path) -> dict[str, object]:
    path = tmp_path / "a.mp4"
    path.write_bytes(data)
    probe = ffmpeg.replace("ffmpeg", "ffprobe")
    said = subprocess.run([probe, "-v", "error", "-show_entries", "stream=codec_name", "-show_entries", "format=duration", "-of", "json", str(path)], capture_output=True, check=True).stdout  # fmt: skip
    found = json.loads(said)
    assert isinstance(found, dict)
    return found


def test_an_archive_is_listed_made_once_and_given_in_pieces(web: httpx.Client, camera: Camera, pieces: list[bytes], ffmpeg: str, tmp_path: Path) -> None:  # fmt: skip
    record(camera, pieces)

    (row,) = web.get("/archives/north", params=WINDOW).json()["archives"]
    assert (row["name"], row["start_iso"], row["segments"]) == (NAME, "2027-01-15T08:00:00.000+00:00", 3)  # fmt: skip
    whole = web.get(f"/archives/north/{NAME}")
    assert whole.headers["content-type"] == "video/mp4"
    assert "attachment" in whole.headers["content-disposition"]
    piece = web.get(f"/archives/north/{NAME}", headers={"Range": "bytes=4-7"})
    assert (piece.status_code, piece.content) == (206, b"ftyp")
    assert [one["codec_name"] for one in streams(ffmpeg, whole.content, tmp_path)["streams"]] == ["h264", "aac"]  # type: ignore[attr-defined]  # fmt: skip
    assert float(streams(ffmpeg, whole.content, tmp_path)["format"]["duration"]) == pytest.approx(6.0, abs=0.1)  # type: ignore[index]  # fmt: skip


@pytest.mark.parametrize("name", ["archive_20270115_080000_2.mp4", "archive_20270115_081000.mp4", "..%2f..%2fx", "x.mp4", "archive_20270115_080000.mp4%00"])  # fmt: skip
def test_what_is_no_archive_is_not_there(web: httpx.Client, camera: Camera, pieces: list[bytes], name: str) -> None:  # fmt: skip
    record(camera, pieces)

    assert web.get(f"/archives/north/{name}").status_code == 404
    assert web.get(f"/archives/nowhere/{NAME}").status_code == 404


def test_a_list_goes_on_where_it_ended(web: httpx.Client, camera: Camera, pieces: list[bytes]) -> None:  # fmt: skip
    for place in range(5):
        record(camera, pieces[:1], START + 600 * place)
    window = {"from": START, "to": START + 9000, "limit": 2}

    names, cursor = [], None
    while True:
        answer = web.get("/archives/north", params={**window, **({"cursor": cursor} if cursor else {})}).json()  # fmt: skip
        names += [row["name"][17:23] for row in answer["archives"]]
        cursor = answer["next"]
        if cursor is None:
            break

    assert names == ["084000", "083000", "082000", "081000", "080000"]


def test_a_segment_that_has_gone_is_no_archive(web: httpx.Client, camera: Camera, pieces: list[bytes]) -> None:  # fmt: skip
    for path in record(camera, pieces):
        path.unlink()

    assert web.get(f"/archives/north/{NAME}").status_code == 404


def test_a_failing_ffmpeg_leaves_nothing_and_is_told(tmp_path: Path) -> None:
    source = tmp_path / "1.ts"
    source.write_bytes(b"G" * 188)
    archive = Archive((Segment(1000, 2000, source),))
    builder = Builder(tmp_path / "built", program="ffmpeg", run=lambda _, __: (1, b"", "a\nbad data"))  # fmt: skip

    with pytest.raises(Exception, match="bad data"):
        builder.built("north", archive)

    assert list((tmp_path / "built").rglob("*.*")) == []


def test_the_oldest_made_go_and_what_is_there_is_not_made_again(tmp_path: Path) -> None:
    made = []

    def run(command: tuple[str, ...], _timeout_s: float) -> tuple[int, bytes, str]:
        made.append(command[-1])
        Path(command[-1]).write_bytes(b"x")
        return 0, b"", ""

    source = tmp_path / "1.ts"
    source.write_bytes(b"G")
    builder = Builder(tmp_path / "built", program="ffmpeg", run=run)
    one = Archive((Segment(1, 2, source),))
    for _ in range(2):
        builder.built("north", one)
    assert len(made) == 1

    for number in range(MOST_KEPT + 3):
        builder.built("north", Archive((Segment(number + 10, number + 11, source),)))
    assert len(list((tmp_path / "built").rglob("*.mp4"))) == MOST_KEPT


class Slow:
    """An ffmpeg that ends when it may."""

    def __init__(self) -> None:
        self.may_end = threading.Event()
        self.cameras: list[str] = []

    def __call__(self, command: tuple[str, ...], _timeout_s: float) -> tuple[int, bytes, str]:
        self.cameras.append(Path(command[-1]).parent.name)
        assert self.may_end.wait(20)
        Path(command[-1]).write_bytes(b"made")
        return 0, b"", ""


def test_while_archives_are_made_all_else_is_answered(room: LiveRoom, camera: Camera, pieces: list[bytes], ffmpeg: str, tmp_path: Path) -> None:  # fmt: skip
    slow = Slow()
    with served(room, camera, ffmpeg, Builder(tmp_path / "built", program=ffmpeg, run=slow)) as web, ThreadPoolExecutor(30) as people:  # fmt: skip
        record(camera, pieces[:1], START - 600)
        record(camera, pieces[1:])
        asked = people.submit(web.get, f"/archives/north/{NAME}")
        eventually(lambda: bool(slow.cameras))
        many = [people.submit(web.get, f"/archives/north/{name}") for name in [NAME, "archive_20270115_075000.mp4"] * 8]  # fmt: skip

        refused = [one.result() for one in many]
        assert {one.status_code for one in refused} == {503}
        assert {one.headers["retry-after"] for one in refused} == {"5"}
        assert web.get("/cameras/north/picture.jpg").status_code == 200

        slow.may_end.set()
        assert asked.result().content == b"made"
        slow.may_end.clear()
        asked = people.submit(web.get, "/archives/north/archive_20270115_075000.mp4")
        eventually(lambda: len(slow.cameras) == 2)
        assert web.get(f"/archives/north/{NAME}").content == b"made"
        slow.may_end.set()
        assert asked.result().status_code == 200


def test_a_link_out_of_the_cameras_folder_leads_to_no_archive_and_no_picture(web: httpx.Client, camera: Camera, pieces: list[bytes], tmp_path: Path) -> None:  # fmt: skip
    (path,) = record(camera, pieces[:1])
    outside = tmp_path / "outside.ts"
    path.rename(outside)
    path.symlink_to(outside)

    assert web.get(f"/archives/north/{NAME}").status_code == 404
    assert web.get("/cameras/north/picture.jpg").status_code == 404


def test_a_picture_is_the_newest_key_frame_and_tells_its_time(web: httpx.Client, camera: Camera, pieces: list[bytes]) -> None:  # fmt: skip
    camera.file(0).write_bytes(pieces[0])
    parts = [Part(0, len(pieces[0]), 0.5, START + 0.25, True)]
    text = Head(0, True, "h264").encode() + "".join(part.encode() for part in parts)
    camera.file(0, ".parts").write_text(text)

    answer = web.get("/cameras/north/picture.jpg")

    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.content[:3] == b"\xff\xd8\xff"
    assert answer.headers["x-captured-at"] == "1800000000.250"
    assert answer.headers["last-modified"] == "Fri, 15 Jan 2027 08:00:00 GMT"
    again = web.get("/cameras/north/picture.jpg", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_camera_that_is_away_shows_its_last_picture_under_its_time(web: httpx.Client, camera: Camera, pieces: list[bytes]) -> None:  # fmt: skip
    record(camera, pieces[:1])

    answer = web.get("/cameras/north/picture.jpg")

    assert answer.status_code == 200
    assert answer.headers["x-captured-at"] == f"{START:.3f}"


def test_where_there_is_no_picture_there_is_none(web: httpx.Client, camera: Camera) -> None:
    assert web.get("/cameras/north/picture.jpg").status_code == 404
    record(camera, [bytes(188 * 9)])
    assert web.get("/cameras/north/picture.jpg").status_code == 404
    assert web.get("/cameras/nowhere/picture.jpg").status_code == 404


def test_a_line_tells_recordings_gaps_and_incidents(web: httpx.Client, camera: Camera, pieces: list[bytes]) -> None:  # fmt: skip
    record(camera, pieces)

    told = web.get("/timeline/north", params={"from": START - 1, "to": START + 5}).json()

    assert told["segments"] == [[START, START + 5]]
    assert told["gaps"][0][:2] == [START - 1, START]
    assert told["incidents"] == [{"camera": "north"}]


@pytest.mark.parametrize("query", ["from=5&to=1", "from=x", "to=nan", "from=0&to=9999999999", "since=1", "limit=0"])  # fmt: skip
def test_a_window_that_cannot_be_is_refused(web: httpx.Client, query: str) -> None:
    for path in ("/timeline/north", "/archives/north"):
        assert web.get(f"{path}?{query}").status_code == 400
