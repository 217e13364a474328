"""The zoo's RTSP camera (RFC 2326): any number of viewers, over TCP or UDP, each with its manners."""

from __future__ import annotations

import contextlib
import hashlib
import heapq
import re
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.zoo import rtp, tracks
from tests.zoo.film import Film
from tests.zoo.manner import Rtsp
from tests.zoo.tracks import REPORT_EVERY_S, Due, Track

Send = Callable[[bytes, bool], None]
REALM, NONCE = "cam", "5f3a9c"
LONGEST_LATE_S = 30.0


@dataclass
class Camera:
    """One film and the way it is sent; knows when the film began."""

    film: Film
    manner: Rtsp
    tell_began: Callable[[float], None]
    tracks: list[Track] = field(default_factory=list)
    began: float = 0.0
    viewers: int = 0

    def __post_init__(self) -> None:
        manner = self.manner
        self.tracks += [tracks.METADATA] if manner.metadata else []
        self.tracks.append(tracks.video_track(self.film, manner, 0x51DE0))
        if manner.second:
            self.tracks.append(tracks.video_track(manner.second, manner, 0x51DE1))
        if manner.sound:
            self.tracks.append(tracks.sound_track(manner.sound))
        list(
            tracks.video_dues(self.film, manner, 0.0, keyless=False)
        )  # all is ready before it begins
        self.began = time.time()
        if manner.join != "own":
            self.tell_began(self.began)

    def description(self) -> str:
        head = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=zoo\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\na=control:*\r\n"
        return head + "".join(one.described(number) for number, one in enumerate(self.tracks))

    def play(self, senders: dict[int, Send], over: threading.Event) -> None:
        """Send to one viewer until it has gone, or the film is over."""
        self.viewers += 1
        keyless = self.viewers <= self.manner.keyless_viewers
        began, from_s = self.began, time.time() - self.began
        if self.manner.join == "own":
            began, from_s = time.time(), 0.0
            self.tell_began(began)
        Playing(self, senders, began).run(self._dues(from_s, keyless=keyless), over)

    def _dues(self, from_s: float, *, keyless: bool) -> list[list[tuple[float, int, Due]]]:
        sources = []
        for number, track in enumerate(self.tracks):
            if track.media == "audio":
                assert self.manner.sound
                dues = tracks.sound_dues(self.manner.sound, self.manner, from_s, self.film.seconds)
            elif track.media == "application":
                dues = tracks.metadata_dues(from_s, self.film.seconds)
            else:
                is_second = track.source == 0x51DE1 and self.manner.second is not None
                film = self.manner.second if is_second else self.film
                assert film
                dues = tracks.video_dues(film, self.manner, from_s, keyless=keyless)
            sources.append([(due.at_s, number, due) for due in dues])
        return sources


class Playing:
    """What is sent to one viewer."""

    def __init__(self, camera: Camera, senders: dict[int, Send], began: float) -> None:
        self._camera, self._senders, self._began = camera, senders, began
        self._manner = camera.manner
        self._sent = dict.fromkeys(range(len(camera.tracks)), 0)
        self._reported = dict.fromkeys(range(len(camera.tracks)), float("-inf"))

    def run(self, sources: list[list[tuple[float, int, Due]]], over: threading.Event) -> None:
        for at_s, number, due in heapq.merge(*sources, key=lambda one: one[0]):
            if over.wait(max(0.0, self._began + at_s - time.time())):
                return
            if number in self._senders:
                self._report(number, at_s)
                self._send(number, due)

    def _send(self, number: int, due: Due) -> None:
        track = self._camera.tracks[number]
        self._sent[number] += 1
        packet = rtp.packet(
            due.payload, kind=track.kind, mark=due.mark, number=tracks.LEAST_NUMBER + self._sent[number],
            stamp=self._stamp(track, due.shown_s, due.at_s), source=track.source,
        )  # fmt: skip
        self._senders[number](packet, False)

    def _stamp(self, track: Track, shown_s: float, at_s: float) -> int:
        leap = self._manner.leap
        leap_s = leap[1] if leap and at_s >= leap[0] and track.media == "video" else 0.0
        return self._manner.stamp + round((shown_s * self._manner.speed + leap_s) * track.hz)

    def _report(self, number: int, at_s: float) -> None:
        if not self._manner.reports or at_s - self._reported[number] < REPORT_EVERY_S:
            return
        self._reported[number] = at_s
        wall = self._began + at_s
        if (step := self._manner.clock_set) and at_s >= step[0]:
            wall += step[1]
        track = self._camera.tracks[number]
        stamp = self._stamp(track, at_s, at_s)
        report = rtp.sender_report(wall, stamp, source=track.source, packets=self._sent[number])
        self._senders[number](report, True)


class Viewer(threading.Thread):
    """One connection."""

    def __init__(self, connection: socket.socket, camera: Camera) -> None:
        super().__init__(daemon=True)
        self._connection, self._camera, self._manner = connection, camera, camera.manner
        self._lock, self._over = threading.Lock(), threading.Event()
        self._senders: dict[int, Send] = {}

    def run(self) -> None:
        with contextlib.suppress(OSError), self._connection:
            waiting = b""
            while data := self._connection.recv(65_536):
                waiting += data
                while b"\r\n\r\n" in waiting:
                    request, waiting = waiting.split(b"\r\n\r\n", 1)
                    self._answer(request.decode("latin-1"))
        self._over.set()

    def _answer(self, request: str) -> None:
        verb = re.search(r"([A-Z_]+) (rtsp://\S*)", request)
        number = re.search(r"CSeq: *(\d+)", request, re.I)
        if verb is None or number is None:
            return
        answers = {"DESCRIBE": self._describe, "SETUP": self._set_up, "OPTIONS": self._list}
        status, head, body = answers.get(verb[1], self._agree)(request, verb[2])
        text = f"RTSP/1.0 {status}\r\nCSeq: {number[1]}\r\n{head}"
        if body:
            text += f"Content-Length: {len(body)}\r\n"
        with self._lock:
            self._connection.sendall(f"{text}\r\n{body}".encode())
        if verb[1] == "PLAY":
            threading.Thread(target=self._play, daemon=True).start()

    def _play(self) -> None:
        with contextlib.suppress(OSError):
            self._camera.play(self._senders, self._over)

    def _list(self, _request: str, _url: str) -> tuple[str, str, str]:
        return "200 OK", "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n", ""

    def _agree(self, _request: str, _url: str) -> tuple[str, str, str]:
        return "200 OK", "Session: 42\r\n", ""

    def _describe(self, request: str, url: str) -> tuple[str, str, str]:
        if self._manner.account and not self._knows(request):
            asked = 'WWW-Authenticate: Digest realm="{}", nonce="{}", algorithm={}\r\n'
            ways = "".join(asked.format(REALM, NONCE, way) for way in self._manner.digest)
            return "401 Unauthorized", ways, ""
        if self._manner.redirect and "/moved" not in url:
            return "302 Moved Temporarily", f"Location: {url.rstrip('/')}/moved\r\n", ""
        return "200 OK", "Content-Type: application/sdp\r\n", self._camera.description()

    def _knows(self, request: str) -> bool:
        said = dict(re.findall(r'(\w+)="?([^",\r]*)"?', request))
        name = "sha256" if "SHA-256" in request else "md5"
        user, password = (self._manner.account or ":").split(":", 1)

        def digest(text: str) -> str:
            return hashlib.new(name, text.encode()).hexdigest()

        secret, asked = digest(f"{user}:{REALM}:{password}"), digest(f"DESCRIBE:{said.get('uri')}")
        is_asked_for = (name == "sha256") == ("SHA-256" in self._manner.digest)
        return is_asked_for and said.get("response") == digest(f"{secret}:{NONCE}:{asked}")

    def _set_up(self, request: str, url: str) -> tuple[str, str, str]:
        transport = re.search(r"Transport: *([^\r]*)", request, re.I)
        named = re.search(r"track(\d+)", url)
        assert transport
        number = int(named[1]) if named else 0
        if interleaved := re.search(r"interleaved=(\d+)", transport[1]):
            if self._manner.transport == "udp":
                return "461 Unsupported Transport", "", ""
            if self._manner.transport != "mute-tcp":
                channel = int(interleaved[1])
                self._senders[number] = lambda packet, report: self._interleave(
                    channel + report, packet
                )
            return "200 OK", f"Transport: {transport[1]}\r\nSession: 42;timeout=60\r\n", ""
        asked = re.search(r"client_port=(\d+)", transport[1])
        assert asked
        return self._set_up_udp(number, int(asked[1]))

    def _set_up_udp(self, number: int, port: int) -> tuple[str, str, str]:
        media, control = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        for one in (media, control):
            one.bind(("127.0.0.1", 0))

        def send(packet: bytes, report: bool) -> None:
            (control if report else media).sendto(packet, ("127.0.0.1", port + report))

        self._senders[number] = send
        own, other = media.getsockname()[1], control.getsockname()[1]
        ports = f"client_port={port}-{port + 1};server_port={own}-{other}"
        return "200 OK", f"Transport: RTP/AVP;unicast;{ports}\r\nSession: 42;timeout=60\r\n", ""

    def _interleave(self, channel: int, packet: bytes) -> None:
        with self._lock:
            self._connection.sendall(struct.pack(">cBH", b"$", channel, len(packet)) + packet)


def serve(film: Film, manner: Rtsp, tell: Callable[[str], None]) -> None:
    """Print the address and, whenever a film begins, `began` and the wall clock."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        camera = Camera(film, manner, lambda wall: tell(f"began {wall:.6f}"))
        tell(f"rtsp://127.0.0.1:{server.getsockname()[1]}/camera")
        while True:
            connection, _ = server.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            Viewer(connection, camera).start()
