"""An RTSP camera with bad manners, as separate a program as a real camera is (RFC 2326, RFC 6184).

It sends the pictures of an H.264 file over and over, in decoding order, each at its own time, to any
number of viewers, over TCP or UDP, and prints `rtsp://…` once it listens. Standard library and ffmpeg only.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import hashlib
import json
import re
import socket
import ssl
import struct
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

CLOCK_HZ = 90_000
PAYLOAD_BYTES = 1400
PART_BYTES = 1380
SSRC = 0x51DE0
FIRST_STAMP = 1_234_567_890
"""RTP time of a connection's first picture: any but zero, which ffmpeg takes for none."""
SEQUENCE_SET, PICTURE_SET, KEY, DELIMITER = 7, 8, 5, 9


@dataclass(frozen=True)
class Picture:
    units: tuple[bytes, ...]
    shown_s: float
    decoded_s: float

    @property
    def is_key(self) -> bool:
        return any(unit[0] & 31 == KEY for unit in self.units)


def pictures_of(path: Path) -> list[Picture]:
    """The pictures of a file, times counted from its first."""
    stream = subprocess.run(
        ["ffmpeg", "-v", "error", "-i", str(path), "-map", "0:v:0", "-c", "copy",
         "-bsf:v", "h264_mp4toannexb,h264_metadata=aud=insert", "-f", "h264", "-"],
        capture_output=True, check=True,
    ).stdout  # fmt: skip
    told = subprocess.run(
        ["ffprobe", "-v", "error", "-select_streams", "v:0", "-of", "json",
         "-show_entries", "packet=pts_time,dts_time", str(path)],
        capture_output=True, check=True,
    ).stdout  # fmt: skip
    times = [(float(p["pts_time"]), float(p["dts_time"])) for p in json.loads(told)["packets"]]
    starts = [found.start() for found in re.finditer(rb"\x00\x00\x00\x01\x09", stream)]
    whole = [stream[a:b] for a, b in zip(starts, [*starts[1:], len(stream)], strict=True)]
    first_shown, first_decoded = min(shown for shown, _ in times), times[0][1]
    return [
        Picture(_units(data), shown - first_shown, decoded - first_decoded)
        for data, (shown, decoded) in zip(whole, times, strict=True)
    ]


def _units(picture: bytes) -> tuple[bytes, ...]:
    units = re.split(rb"\x00\x00\x00?\x01", picture)
    return tuple(unit for unit in units if unit and unit[0] & 31 != DELIMITER)


class Stream:
    """What is sent to a viewer, as RTP packets with the moment at which each is due."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.pictures = pictures_of(options.file)
        self.length_s = self.pictures[-1].decoded_s + self.pictures[1].decoded_s
        self.began = time.monotonic()
        self.viewers = 0

    def sets(self) -> list[bytes]:
        units = [unit for picture in self.pictures for unit in picture.units]
        return [
            next(unit for unit in units if unit[0] & 31 == kind)
            for kind in (SEQUENCE_SET, PICTURE_SET)
        ]

    def description(self) -> str:
        sets = ",".join(base64.b64encode(one).decode() for one in self.sets())
        sprop = "" if self.options.no_sprop else f";sprop-parameter-sets={sets}"
        return (
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=odd\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n"
            "a=control:*\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
            f"a=fmtp:96 packetization-mode=1{sprop}\r\na=control:track1\r\n"
        )

    def play(self, send: Callable[[bytes], None], over: threading.Event) -> None:
        """Send until the viewer has gone."""
        self.viewers += 1
        keyless = self.viewers <= self.options.keyless_viewers
        began, sequence = time.monotonic(), 0
        lead_s = (began - self.began) % self.length_s if self.options.relay else 0.0
        number = next(n for n, p in enumerate(self.pictures) if p.decoded_s >= lead_s)
        while not over.is_set():
            turn, place = divmod(number, len(self.pictures))
            picture = self.pictures[place]
            due_s = turn * self.length_s + picture.decoded_s - lead_s
            if over.wait(max(0.0, began + due_s - time.monotonic())):
                return
            shown_s = turn * self.length_s + picture.shown_s - lead_s + self._leap_s(due_s)
            number += 1
            if not (keyless and picture.is_key):
                for packet in packets(picture, FIRST_STAMP + round(shown_s * CLOCK_HZ), sequence):
                    send(packet)
                    sequence += 1

    def _leap_s(self, after_s: float) -> float:
        if self.options.leap is None:
            return 0.0
        from_s, by_s = map(float, self.options.leap.split(":"))
        return by_s if after_s >= from_s else 0.0


def packets(picture: Picture, stamp: int, sequence: int) -> list[bytes]:
    """RTP packets of one picture: a unit each, or FU-A fragments of it (RFC 6184 5.6, 5.8)."""
    payloads: list[bytes] = []
    for unit in picture.units:
        if len(unit) <= PAYLOAD_BYTES:
            payloads.append(unit)
            continue
        parts = [unit[at : at + PART_BYTES] for at in range(1, len(unit), PART_BYTES)]
        for place, part in enumerate(parts):
            edge = (0x80 if place == 0 else 0) | (0x40 if place == len(parts) - 1 else 0)
            payloads.append(bytes([unit[0] & 0xE0 | 28, edge | unit[0] & 31]) + part)
    marks = [0] * (len(payloads) - 1) + [0x80]
    return [
        struct.pack(">BBHII", 0x80, 96 | mark, sequence + n & 0xFFFF, stamp & 0xFFFFFFFF, SSRC)
        + payload
        for n, (payload, mark) in enumerate(zip(payloads, marks, strict=True))
    ]


class Viewer(threading.Thread):
    """One connection."""

    def __init__(self, connection: socket.socket, stream: Stream) -> None:
        super().__init__(daemon=True)
        self._connection, self._stream, self._options = connection, stream, stream.options
        self._lock, self._over = threading.Lock(), threading.Event()
        self._send: Callable[[bytes], None] = lambda packet: None

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
        verb = re.search(r"([A-Z_]+) rtsps?://", request)
        number = re.search(r"CSeq: *(\d+)", request, re.I)
        if verb is None or number is None:
            return
        answers = {"DESCRIBE": self._describe, "SETUP": self._set_up, "OPTIONS": self._list}
        status, head, body = answers.get(verb[1], self._agree)(request)
        text = f"RTSP/1.0 {status}\r\nCSeq: {number[1]}\r\n{head}"
        if body:
            text += f"Content-Length: {len(body)}\r\n"
        with self._lock:
            self._connection.sendall(f"{text}\r\n{body}".encode())
        if verb[1] == "PLAY":
            threading.Thread(target=self._play, daemon=True).start()

    def _play(self) -> None:
        with contextlib.suppress(OSError):
            self._stream.play(self._send, self._over)

    def _list(self, _request: str) -> tuple[str, str, str]:
        return "200 OK", "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n", ""

    def _agree(self, _request: str) -> tuple[str, str, str]:
        return "200 OK", "Session: 42\r\n", ""

    def _describe(self, request: str) -> tuple[str, str, str]:
        if self._options.account and not self._knows(request):
            ways = self._options.digest.split(",")
            asked = 'WWW-Authenticate: Digest realm="cam", nonce="5f3a9c", algorithm={}\r\n'
            return "401 Unauthorized", "".join(asked.format(way) for way in ways), ""
        return "200 OK", "Content-Type: application/sdp\r\n", self._stream.description()

    def _knows(self, request: str) -> bool:
        said = dict(re.findall(r'(\w+)="?([^",\r]*)"?', request))
        name = "sha256" if "SHA-256" in request else "md5"
        user, password = self._options.account.split(":", 1)

        def digest(text: str) -> str:
            return hashlib.new(name, text.encode()).hexdigest()

        secret, asked = digest(f"{user}:cam:{password}"), digest(f"DESCRIBE:{said.get('uri')}")
        is_asked_for = (name == "sha256") == ("SHA-256" in self._options.digest)
        return is_asked_for and said.get("response") == digest(f"{secret}:5f3a9c:{asked}")

    def _set_up(self, request: str) -> tuple[str, str, str]:
        transport = re.search(r"Transport: *([^\r]*)", request, re.I)
        assert transport
        if interleaved := re.search(r"interleaved=(\d+)", transport[1]):
            if self._options.transport == "udp":
                return "461 Unsupported Transport", "", ""
            if self._options.transport != "mute-tcp":
                self._send = lambda packet: self._interleave(int(interleaved[1]), packet)
            return "200 OK", f"Transport: {transport[1]}\r\nSession: 42\r\n", ""
        port = re.search(r"client_port=(\d+)", transport[1])
        assert port
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sender.bind(("127.0.0.1", 0))
        to, own = ("127.0.0.1", int(port[1])), sender.getsockname()[1]
        self._send = lambda packet: void(sender.sendto(packet, to))
        ports = f"client_port={to[1]}-{to[1] + 1};server_port={own}-{own + 1}"
        return "200 OK", f"Transport: RTP/AVP;unicast;{ports}\r\nSession: 42\r\n", ""

    def _interleave(self, channel: int, packet: bytes) -> None:
        with self._lock:
            self._connection.sendall(struct.pack(">cBH", b"$", channel, len(packet)) + packet)


def void(_: object) -> None:
    """Nothing."""


async def encrypted(plain_port: int, pem: Path) -> None:
    """Take TLS on a port of its own, and hand it on to the plain one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)

    async def hand_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", plain_port)
        await asyncio.gather(hand_on(reader, inner_writer), hand_on(inner_reader, writer))

    server = await asyncio.start_server(take, "127.0.0.1", 0, ssl=context)
    print(f"rtsps://127.0.0.1:{server.sockets[0].getsockname()[1]}/camera", flush=True)
    await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path, help="any file with H.264")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--no-sprop", action="store_true", help="no parameter sets in the SDP")
    parser.add_argument("--relay", action="store_true", help="viewers join wherever it is")
    parser.add_argument("--transport", choices=("any", "udp", "mute-tcp"), default="any")
    parser.add_argument("--leap", help="SECONDS:BY: after SECONDS its clock is set by BY seconds")
    parser.add_argument("--keyless-viewers", type=int, default=0, help="so many get no key frame")
    parser.add_argument("--account", help="user:password")
    parser.add_argument("--digest", default="MD5", help="algorithms of its challenges, in order")
    parser.add_argument("--tls", type=Path, help="RTSP over TLS, with this certificate and key")
    options = parser.parse_args()
    stream = Stream(options)
    with socket.create_server(("127.0.0.1", options.port)) as server:
        port = server.getsockname()[1]
        if options.tls:
            front = encrypted(port, options.tls)
            threading.Thread(target=asyncio.run, args=(front,), daemon=True).start()
        else:
            print(f"rtsp://127.0.0.1:{port}/camera", flush=True)
        while True:
            connection, _ = server.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            Viewer(connection, stream).start()


if __name__ == "__main__":
    main()
