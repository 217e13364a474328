"""Clients that bring pictures, over real sockets into real encoders."""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import struct
import subprocess
import threading
import time
from functools import partial
from pathlib import Path
from socket import create_connection, socket
from typing import Any

import cv2
import numpy as np
import psutil
import pytest
from prometheus_client import REGISTRY
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection

from hazardcast.contract.messages import Detections
from hazardcast.contract.topics import DETECTIONS
from hazardcast.testing import eventually
from tests.camera.house import OTHER, TOKEN, House

pytestmark = pytest.mark.network
VISITS = int(os.environ.get("PUSH_VISITS", "45"))
"""`make long-push` has a thousand."""


def jpeg(width: int = 320, height: int = 180, *, bright: int = 200, quality: int = 80) -> bytes:
    picture = np.full((height, width, 3), bright, np.uint8)
    picture[: height // 2] //= 2
    return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def counted(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"hazardcast_camera_{name}_total", labels) or 0.0


def sizes(house: House, camera: str, frames: int) -> set[tuple[int, int]]:
    capture = cv2.VideoCapture(f"http://127.0.0.1:{house.streams_port}/{camera}.ts")
    try:
        shapes = {capture.read()[1].shape[:2] for _ in range(frames)}
        return {(width, height) for height, width in shapes}
    finally:
        capture.release()


class Steady:
    """A client that brings pictures until it is told to stop."""

    def __init__(self, client: ClientConnection, pictures: list[bytes], fps: float = 15) -> None:
        self._client, self._pictures, self._fps = client, pictures, fps
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Steady:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(5)

    def _run(self) -> None:
        number = 0
        while not self._stop.wait(1 / self._fps):
            self._client.send(self._pictures[number % len(self._pictures)])
            number += 1


def test_pictures_of_a_socket_are_one_stream_of_one_size_and_all_is_given_back(
    house: House,
) -> None:
    kinds = [jpeg(320, 180), jpeg(640, 480), jpeg(180, 320)]
    with house.socket() as client, Steady(client, kinds):
        house.live()
        assert house.cameras["gate"].facts()["runs"] == 1
        assert len(sizes(house, "gate", 20)) == 1, "also where the client changes its mind"
    house.gone()
    eventually(lambda: house.cameras["gate"].state == "ended", what="it waits again")
    assert "waits for a client" in (house.cameras["gate"].detail or "")


def test_who_waits_for_a_pushed_camera_sees_its_first_pictures(house: House) -> None:
    found: list[set[tuple[int, int]]] = []
    waiting = threading.Thread(target=lambda: found.append(sizes(house, "bridge", 3)))
    waiting.start()
    eventually(lambda: house.cameras["bridge"].channel._clients, what="somebody waits")
    with house.socket("bridge", OTHER) as client, Steady(client, [jpeg(640, 360)]):
        waiting.join(10)
    house.gone("bridge")

    assert found == [{(640, 360)}]


def test_the_next_client_is_a_run_of_its_own_with_its_own_size(house: House) -> None:
    runs = house.cameras["gate"].facts()["runs"]
    for width in (320, 480):
        with house.socket() as client, Steady(client, [jpeg(width, 240)]):
            house.live()
            assert sizes(house, "gate", 3) == {(width, 240)}
        house.gone()

    assert house.cameras["gate"].facts()["runs"] == runs + 2


@pytest.mark.parametrize(
    "part", [b"", b"--x\r\nContent-Type: image/jpeg\r\nContent-Length: 7\r\n\r\n"]
)
def test_a_post_of_mjpeg_with_or_without_parts_is_counted(house: House, part: bytes) -> None:
    status, told = house.post((part + jpeg() + b"\r\n") * 3)

    assert status == 200
    assert (told["frames"], told["dropped"]) == (3, 0)
    house.gone()


def test_a_post_that_ends_within_a_picture_is_told(house: House) -> None:
    status, told = house.post(jpeg() + jpeg()[:-40])
    house.gone()
    assert (status, told["frames"], "cut short" in told["last_refusal"]) == (200, 1, True)

    status, told = house.post(jpeg()[:-40])
    house.gone()
    assert (status, told["frames"], "cut short" in told["error"]) == (415, 0, True)
    assert house.post(b"")[0] == 200
    house.gone()


@pytest.mark.parametrize("manner", ["curl", "ffmpeg"])
def test_the_programs_that_people_have_push(
    house: House, manner: str, ffmpeg: str, tmp_path: Path
) -> None:
    url, header = f"http://127.0.0.1:{house.port}/push/gate", f"Authorization: Bearer {TOKEN}"
    film = tmp_path / "film.mjpeg"
    subprocess.run([ffmpeg, "-v", "error", "-f", "lavfi", "-i", "testsrc=s=320x180:r=10:d=2", "-f", "mjpeg", film], check=True, timeout=30)  # fmt: skip
    before = counted("frames_sent", camera="gate")
    if manner == "curl":
        command = ["curl", "-sS", "-H", header, "-H", "Content-Type: video/x-motion-jpeg", "-T", str(film), "-X", "POST", url]  # fmt: skip
    else:
        command = [ffmpeg, "-v", "error", "-re", "-i", str(film), "-c", "copy", "-f", "mpjpeg", "-headers", header + "\r\n", url]  # fmt: skip
    subprocess.run(command, check=True, timeout=30, capture_output=True)
    house.gone()

    sent = counted("frames_sent", camera="gate") - before
    # What reaches an encoder that is still starting may get one and the same time, and be one frame.
    assert sent >= (17 if manner == "curl" else 4), "a file waits for the encoder"


def test_the_token_may_be_the_first_message(house: House) -> None:
    with house.socket(token=None) as client:
        client.send(json.dumps({"token": TOKEN}))
        with Steady(client, [jpeg()]):
            house.live()
    house.gone()


@pytest.mark.parametrize(
    ("camera", "token"), [("gate", "wrong"), ("gate", OTHER), ("nobody", TOKEN), ("", TOKEN)]
)
def test_a_wrong_token_and_a_camera_that_is_not_there_are_one_answer(
    house: House, camera: str, token: str
) -> None:
    before = counted("push_turned_away", reason="token")
    with pytest.raises(InvalidStatus) as refused, house.socket(camera, token):
        pass
    assert refused.value.response.status_code == 401
    assert b"not its token" in refused.value.response.body
    assert house.post(jpeg(), camera, token)[0] == 401
    assert counted("push_turned_away", reason="token") == before + 2


def closed(client: ClientConnection) -> tuple[int | None, str, list[Any]]:
    """How it was closed, and what was said before."""
    words = []
    try:
        while True:
            words.append(json.loads(client.recv(timeout=10)))
    except ConnectionClosed as end:
        received = end.rcvd
    return (received.code, received.reason, words) if received else (None, "", words)


def test_a_wrong_first_message_is_told(house: House) -> None:
    for first in ('{"token": "no"}', "hello", "[1]", jpeg()):
        with house.socket(token=None) as client:
            client.send(first)
            code, reason, _ = closed(client)
        assert (code, "not its token" in reason) == (1008, True)


def test_a_token_in_the_address_is_refused_in_words(house: House) -> None:
    code, told = house.post(jpeg(), f"gate?token={TOKEN}")

    assert code == 400
    assert "never stands in an address" in told["error"]


def seen(camera: str, *labels: str) -> Detections:
    objects = [{"track_id": 7, "label": one, "score": 0.9, "box": (1, 2, 3, 4)} for one in labels]
    return Detections.model_validate({"camera": camera, "ts": 1_800_000_000.5, "frame_id": 1, "width": 320, "height": 180, "objects": objects, "model": "m", "inference_ms": 1})  # fmt: skip


def test_a_client_that_asks_is_told_what_is_seen_in_its_pictures_and_nobody_elses(
    house: House,
) -> None:
    detector = house.broker.bus()
    with house.socket() as client, house.socket("bridge", OTHER) as other:
        eventually(lambda: all(camera.publisher for camera in house.cameras.values()))
        detector.publish(DETECTIONS, seen("gate", "dog"), camera="gate")
        client.send('{"results": true}')
        eventually(partial(wants_results, house))
        detector.publish(DETECTIONS, seen("bridge", "bus"), camera="bridge")
        detector.publish(DETECTIONS, seen("gate", "car", "car", "person"), camera="gate")
        told = json.loads(client.recv(timeout=5))
        client.send('{"results": "yes"}')
        assert "binary" in json.loads(client.recv(timeout=5))["error"]
        with pytest.raises(TimeoutError):
            other.recv(timeout=0.1)

    assert (told["ts"], told["width"], told["height"]) == (1_800_000_000.5, 320, 180)
    assert told["counts"] == {"car": 2, "person": 1}
    assert told["objects"][2] == {"track_id": 7, "label": "person", "score": 0.9, "box": [1, 2, 3, 4]}  # fmt: skip
    house.gone()
    house.gone("bridge")


def wants_results(house: House) -> bool:
    publisher = house.cameras["gate"].publisher
    return publisher is not None and publisher.wants_results


def test_a_second_client_is_told_that_there_is_one(house: House) -> None:
    with house.socket() as first, Steady(first, [jpeg()]):
        house.live()
        with house.socket() as second:
            code, reason, _ = closed(second)
        assert (code, reason) == (1008, "gate has a client already, and takes one at a time")
        status, told = house.post(jpeg())
        assert (status, "gate has a client already" in told["error"]) == (409, True)
        assert house.cameras["gate"].state == "live", "the first goes on"
    house.gone()


GREY = cv2.imencode(".jpg", np.full((90, 160), 99, np.uint8))[1].tobytes()
PROGRESSIVE = cv2.imencode(".jpg", np.full((90, 160, 3), 99, np.uint8), [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()  # fmt: skip
TURNED = b"\xff\xd8\xff\xe1" + struct.pack(">H", 34) + b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0" + jpeg(320, 180)[2:]  # fmt: skip


@pytest.mark.parametrize(
    ("picture", "size"), [(GREY, (160, 90)), (PROGRESSIVE, (160, 90)), (TURNED, (180, 320))]
)
def test_grey_progressive_and_turned_pictures_are_shown_as_they_are_meant(
    house: House, picture: bytes, size: tuple[int, int]
) -> None:
    with house.socket() as client, Steady(client, [picture]):
        house.live()
        assert sizes(house, "gate", 2) == {size}
    house.gone()


def changed(marker: bytes, at: int, value: bytes) -> bytes:
    """A JPEG with other bytes in its frame header."""
    picture = bytearray(jpeg())
    start = picture.index(marker) + at
    picture[start : start + len(value)] = value
    return bytes(picture)


SOF = b"\xff\xc0\x00\x11"
PASSING = {
    "truncated": (jpeg()[:-40], "cut short"),
    "bits": (changed(SOF, 4, b"\x10"), "16 bits a sample: send 8"),
    "colours": (changed(SOF, 9, b"\x04"), "4 colours (CMYK?): send grey or YCbCr"),
    "coding": (changed(SOF, 1, b"\xc3"), "lossless or arithmetic"),
    "dimensions": (changed(SOF, 5, struct.pack(">HH", 4097, 320)), "at most 4096 × 4096"),
}
FATAL = {
    "png": (
        cv2.imencode(".png", np.zeros((9, 9, 3), np.uint8))[1].tobytes(),
        "this is PNG: send JPEG",
    ),
    "text": (b"hello, here is my camera, please take it", "this is text: send JPEG"),
    "no_jpeg": (bytes(range(128, 256)), "does not begin with FF D8"),
    "pickle": (pickle.dumps(jpeg()), "pickled data is never read here"),
}


class Bomb:
    """What runs where somebody unpickles it."""

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("/tmp/unpickled-by-hazardcast"),)


@pytest.mark.parametrize("reason", PASSING)
def test_a_picture_that_cannot_be_used_is_told_and_counted_and_the_next_is_taken(
    house: House, reason: str
) -> None:
    picture, words = PASSING[reason]
    before = counted("push_refused", camera="gate", reason=reason)
    with house.socket() as client:
        client.send(picture)
        told = json.loads(client.recv(timeout=5))
        with Steady(client, [jpeg()]):
            house.live()
    house.gone()

    assert words in told["error"]
    assert counted("push_refused", camera="gate", reason=reason) == before + 1


@pytest.mark.parametrize("reason", FATAL)
def test_what_is_no_jpeg_ends_the_connection_with_a_word(house: House, reason: str) -> None:
    data, words = FATAL[reason]
    before = counted("push_refused", camera="gate", reason=reason)
    with house.socket() as client:
        client.send(data)
        code, said, _ = closed(client)
    house.gone()
    status, told = house.post(data)

    assert (code, words in said) == (1003, True)
    assert counted("push_refused", camera="gate", reason=reason) >= before + 1
    assert status == 415
    assert words in told["error"]
    house.gone()


def test_pickled_data_is_refused_in_words_and_never_unpickled(house: House) -> None:
    """As the ten lines that people have send it: a length, then a pickle, by plain TCP."""
    trap = Path("/tmp/unpickled-by-hazardcast")
    trap.unlink(missing_ok=True)
    data = pickle.dumps(Bomb())
    with create_connection(("127.0.0.1", house.port), 5) as client:
        client.sendall(struct.pack("Q", len(data)) + data + b"\n")
        answer = b""
        while block := client.recv(4096):
            answer += block
    status, _ = house.post(struct.pack("Q", len(data)) + data)

    assert b"pickled data is never read here" in answer
    assert status == 415
    assert not trap.exists()


def test_fifty_megabytes_are_no_picture(house: House) -> None:
    with house.socket() as client:
        with contextlib.suppress(ConnectionClosed):  # it may be closed while it is being sent
            client.send(jpeg()[:200] + bytes(3_000_000))
        code, _, _ = closed(client)
    house.gone()
    status, told = house.post(jpeg()[: jpeg().index(b"\xff\xda") + 12] + b"\xff\x00" * 25_000_000)

    assert code == 1009
    assert (status, "2,000,000 bytes" in told["error"]) == (413, True)
    house.gone()


def is_delayed(house: House, told: Any) -> bool:
    return bool(house.cameras["gate"].facts()["delay_s"] == told)


def test_the_moment_that_a_client_tells_shows_how_long_a_picture_is_under_way(house: House) -> None:
    def sent_at(at: float) -> bytes:
        return round(at * 1e6).to_bytes(8) + jpeg()

    with house.socket(timed=True) as client:
        for ago_s, told in ((0.5, pytest.approx(0.5, abs=0.3)), (3.0, None), (-1.0, pytest.approx(-1.0, abs=0.3)), (9e12, None)):  # fmt: skip
            client.send(sent_at(max(0.0, time.time() - ago_s)))
            eventually(partial(is_delayed, house, told), within_s=3, what=f"{ago_s}")
        client.send(b"\x01")
        assert closed(client)[:2] == (1003, "this is no JPEG: it does not begin with FF D8")
    house.gone()


def test_a_thousand_frames_a_second_are_thirty(house: House) -> None:
    before = counted("push_dropped", camera="gate", reason="rate")
    with house.socket() as client:
        picture = jpeg(160, 90)
        for _ in range(1000):
            client.send(picture)
        eventually(lambda: house.cameras["gate"].facts().get("frames") == 1000, within_s=10)
        assert house.cameras["gate"].facts()["dropped"] > 500
    house.gone()
    assert counted("push_dropped", camera="gate", reason="rate") > before + 500


@pytest.mark.slow
def test_half_a_frame_and_then_silence_is_let_go_with_a_word(house: House) -> None:
    with (
        house.socket("bridge", OTHER) as quiet,
        create_connection(("127.0.0.1", house.port), 15) as half,
    ):
        head = f"POST /push/gate HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: 9999999\r\n\r\n"
        half.sendall(head.encode() + jpeg()[:300])
        started = time.monotonic()
        code, reason, _ = closed(quiet)
        answer = b""
        while block := half.recv(4096):
            answer += block
        took_s = time.monotonic() - started

    assert (code, reason) == (1008, "no picture for 5 s")
    assert b" 408 " in answer.split(b"\r\n")[0]
    assert took_s < 7
    house.gone("gate")
    house.gone("bridge")


def held() -> tuple[int, int, int]:
    process = psutil.Process()
    return process.num_fds(), process.num_threads(), len(process.children(recursive=True))


def no_more_than(before: tuple[int, int, int]) -> bool:
    return all(now <= then for now, then in zip(held(), before, strict=True))


@pytest.mark.slow
def test_clients_that_come_and_go_leave_nothing(house: House) -> None:
    """Politely, cut off in the middle of a picture, and without a word; with and without a token."""

    def visit(number: int) -> None:
        manner = number % 3
        if manner == 0:
            with house.socket() as client:
                if number % 15 == 0:
                    client.send(jpeg(160, 90))
        elif manner == 1:
            raw = socket()
            raw.connect(("127.0.0.1", house.port))
            raw.sendall(b"POST /push/bridge HTTP/1.1\r\nAuthorization: Bearer " + OTHER.encode() + b"\r\nContent-Length: 99999\r\n\r\n" + jpeg()[:500])  # fmt: skip
            raw.setsockopt(1, 13, struct.pack("ii", 1, 0))  # SO_LINGER: a reset, as of a cut client
            raw.close()
        else:
            create_connection(("127.0.0.1", house.port)).close()
        for camera in ("gate", "bridge"):
            house.gone(camera)

    for number in range(6):
        visit(number)
    time.sleep(0.3)
    before, size = held(), psutil.Process().memory_info().rss
    for number in range(VISITS):
        visit(number)

    eventually(lambda: no_more_than(before), within_s=2.0, what=f"as before: {before}")
    assert psutil.Process().memory_info().rss - size < 20 << 20


def test_five_hundred_idle_sockets_keep_nobody_out(house: House) -> None:
    before = held()
    crowd = [create_connection(("127.0.0.1", house.port)) for _ in range(500)]
    with house.socket() as client, Steady(client, [jpeg()]):
        house.live()
    for one in crowd:
        one.close()
    house.gone()
    eventually(lambda: held()[1] <= before[1] + 1, within_s=5, what="threads given back")
