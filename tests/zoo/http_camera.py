"""The zoo's HTTP camera: JPEG after JPEG, or a file that grows as time goes by."""

from __future__ import annotations

import base64
import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.zoo import coded
from tests.zoo.film import Film, made
from tests.zoo.manner import Http, Jpegs

TS_BYTES = 188
STAMP_RANGE = 1 << 33
TABLES = frozenset({0, 0x11, 0x1000})
VIDEO_PID = 0x100


@dataclass(frozen=True)
class Part:
    """Bytes that go out at a moment of the film."""

    at_s: float
    data: bytes
    key: bool


def jpegs(film: Film, manner: Jpegs) -> list[Part]:
    parts = []
    for packet in coded.video(film):
        length = f"Content-Length: {len(packet.data)}\r\n" if manner.lengths else ""
        head = f"--next\r\nContent-Type: image/jpeg\r\n{length}\r\n"
        parts.append(Part(packet.shown_s, head.encode() + packet.data + b"\r\n", key=True))
    return parts


def transport_stream(film: Film, manner: Http) -> list[Part]:
    """The film's packets, cut before each picture."""
    data = made(film).read_bytes()
    parts: list[tuple[tuple[int, int], bytearray, bool]] = []
    pending = bytearray()
    for at in range(0, len(data), TS_BYTES):
        packet = data[at : at + TS_BYTES]
        pid = struct.unpack(">H", packet[1:3])[0] & 0x1FFF
        starts = bool(packet[1] & 0x40)
        if pid == VIDEO_PID and starts:
            shown, decoded = _stamps(packet)
            parts.append(((shown, decoded), pending + packet, _is_random_access(packet)))
            pending = bytearray()
        elif pid in TABLES or not parts:
            pending += packet
        else:
            parts[-1][1].extend(packet)
    first = parts[0][0][1]
    first_shown = min(_ticks(shown, first) for (shown, _), _, _ in parts[:8])
    delay = max(_ticks(shown, decoded) for (shown, decoded), _, _ in parts)
    moments = [
        (_ticks(decoded, first) - first_shown + delay) / 90_000 for (_, decoded), _, _ in parts
    ]
    return [
        Part(
            at_s, _without_tables(bytes(body)) if at_s < manner.tables_after_s else bytes(body), key
        )
        for at_s, (_, body, key) in zip(moments, parts, strict=True)
    ]


def _ticks(later: int, earlier: int) -> int:
    return (later - earlier + STAMP_RANGE // 2) % STAMP_RANGE - STAMP_RANGE // 2


def _is_random_access(packet: bytes) -> bool:
    return bool(packet[3] & 0x20 and packet[4] and packet[5] & 0x40)


def _stamps(packet: bytes) -> tuple[int, int]:
    at = 4 + (1 + packet[4] if packet[3] & 0x20 else 0)
    flags = packet[at + 7] >> 6
    shown = _stamp(packet[at + 9 : at + 14])
    return shown, _stamp(packet[at + 14 : at + 19]) if flags == 3 else shown


def _stamp(five: bytes) -> int:
    high, middle, low = five[0] >> 1 & 7, struct.unpack(">H", five[1:3])[0] >> 1, struct.unpack(">H", five[3:5])[0] >> 1  # fmt: skip
    return high << 30 | middle << 15 | low


def _without_tables(data: bytes) -> bytes:
    packets = (data[at : at + TS_BYTES] for at in range(0, len(data), TS_BYTES))
    return b"".join(p for p in packets if struct.unpack(">H", p[1:3])[0] & 0x1FFF not in TABLES)


def flash_video(film: Film) -> tuple[bytes, list[Part]]:
    """FLV: what every viewer gets first, and the tags."""
    data, at, parts, head = made(film).read_bytes(), 13, [], [made(film).read_bytes()[:13]]
    while at + 11 <= len(data):
        kind, size = data[at], int.from_bytes(data[at + 1 : at + 4], "big")
        stamp_ms = int.from_bytes(data[at + 4 : at + 7], "big") | data[at + 7] << 24
        tag = data[at : at + 15 + size]
        is_header = kind == 18 or (kind == 9 and data[at + 12] == 0) or (kind == 8 and data[at + 12] == 0 and data[at + 11] >> 4 == 10)  # fmt: skip
        if is_header:
            head.append(tag)
        else:
            parts.append(Part(stamp_ms / 1000, tag, key=kind == 9 and data[at + 11] >> 4 == 1))
        at += 15 + size
    return b"".join(head), parts


def fragments(film: Film) -> tuple[bytes, list[Part]]:
    """Fragmented MP4: the initialization, and each fragment when its last picture is taken."""
    data, at, boxes = made(film).read_bytes(), 0, []
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        boxes.append((data[at + 4 : at + 8], data[at : at + size]))
        at += size
    head = b"".join(body for kind, body in boxes if kind in {b"ftyp", b"moov"})
    pairs = [body for kind, body in boxes if kind in {b"moof", b"mdat"}]
    whole = [pairs[n] + pairs[n + 1] for n in range(0, len(pairs) - 1, 2)]
    length_s = film.seconds / len(whole)
    return head, [Part((n + 1) * length_s, one, key=True) for n, one in enumerate(whole)]


@dataclass
class Camera:
    """A film over HTTP; every viewer sees what is now."""

    film: Film
    manner: Jpegs | Http

    def __post_init__(self) -> None:
        self.head, kind = b"", "multipart/x-mixed-replace; boundary=next"
        if isinstance(self.manner, Jpegs):
            self.parts = jpegs(self.film, self.manner)
        elif self.film.kind == "flv":
            (self.head, self.parts), kind = flash_video(self.film), "video/x-flv"
        elif self.film.kind == "mp4":
            (self.head, self.parts), kind = fragments(self.film), "video/mp4"
        else:
            self.parts, kind = transport_stream(self.film, self.manner), "video/mp2t"
        self.kind = kind
        self.began = time.time()

    def answer(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            request = connection.recv(8192).decode("latin-1")
            if refusal := self._refusal(request):
                connection.sendall(
                    f"{refusal}Content-Length: 0\r\nConnection: close\r\n\r\n".encode()
                )
                return
            chunked = isinstance(self.manner, Http) and self.manner.chunked
            form = "Transfer-Encoding: chunked\r\n" if chunked else ""
            version = "1.1" if chunked else "1.0"
            connection.sendall(
                f"HTTP/{version} 200 OK\r\nContent-Type: {self.kind}\r\n{form}\r\n".encode()
            )
            for data in self._coming():
                connection.sendall(b"%x\r\n%s\r\n" % (len(data), data) if chunked else data)
            time.sleep(60)

    def _refusal(self, request: str) -> str | None:
        if not isinstance(self.manner, Jpegs):
            return None
        if self.manner.redirect and "/moved" not in request:
            return "HTTP/1.1 302 Found\r\nLocation: /camera/moved\r\n"
        if self.manner.account:
            word = base64.b64encode(self.manner.account.encode()).decode()
            if f"Basic {word}" not in request:
                return 'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm="cam"\r\n'
        return None

    def _coming(self) -> Iterator[bytes]:
        from_s = time.time() - self.began
        if self.head:
            yield self.head
        began = isinstance(self.manner, Http) and self.manner.middle
        for part in self.parts:
            if part.at_s < from_s:
                continue
            began = began or part.key
            if began:
                time.sleep(max(0.0, self.began + part.at_s - time.time()))
                yield part.data


def serve(film: Film, manner: Jpegs | Http, tell: Callable[[str], None]) -> None:
    """Print the address and `began` with the wall clock of the film's beginning."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        camera = Camera(film, manner)
        tell(f"began {camera.began:.6f}")
        tell(f"http://127.0.0.1:{server.getsockname()[1]}/camera")
        while True:
            connection, _ = server.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=camera.answer, args=(connection,), daemon=True).start()
