"""Many pages without a screen in a process of their own: one socket each, events, and live parts.

`python -m tests.console.acceptance.viewers URL COUNT SECONDS [CAMERA]` prints one line of JSON: of each
page when it heard of each event, and how old the newest part of the camera was when it had come.
"""

from __future__ import annotations

import asyncio
import json
import re
import struct
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from tests.console.acceptance.stand import ROOT

LINE = re.compile(r'#EXT-X-PROGRAM-DATE-TIME:(\S+)|#EXT-X-PART:DURATION=([\d.]+),URI="(\d+)\.ts",BYTERANGE="(\d+)@(\d+)"|#EXTINF:([\d.]+)')  # fmt: skip


@dataclass
class Part:
    """One part as the playlist tells it."""

    number: int
    place: int
    offset: int
    size: int
    ends_at: float
    """Wall clock of its end, epoch seconds."""


@dataclass
class Viewer:
    """One page: its socket, and what came by it."""

    url: str
    camera: str | None
    events: dict[str, float] = field(default_factory=dict)
    ages_s: list[float] = field(default_factory=list)
    bytes_came: int = 0
    asked: dict[int, asyncio.Future[bytes]] = field(default_factory=dict)
    next_id: int = 1

    async def look(self, seconds: float) -> None:
        """Look for so long."""
        address = self.url.replace("http", "ws", 1) + "api/v1/live"
        async with connect(address, max_size=None, compression=None, origin=self.url.rstrip("/")) as socket:  # type: ignore[arg-type]  # fmt: skip
            await socket.send(json.dumps({"op": "hello", "seq": None}))
            tasks = [asyncio.create_task(self._hear(socket))]
            if self.camera:
                await socket.send(json.dumps({"op": "watch", "cameras": [self.camera]}))
                tasks.append(asyncio.create_task(self._follow(socket)))
            done, _ = await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)  # fmt: skip
            for task in tasks:
                task.cancel()
            for task in done:
                task.result()

    async def _hear(self, socket: ClientConnection) -> None:
        async for data in socket:
            if isinstance(data, bytes):
                number, status = struct.unpack(">IH", data[:6])
                self.bytes_came += len(data)
                waiting = self.asked.pop(number, None)
                if waiting and not waiting.done():
                    waiting.set_result(data[6:] if status < 300 else b"")
                continue
            word = json.loads(data)
            if word["op"] == "beat":
                await socket.send('{"op":"pong"}')
            elif word["op"] == "event" and word["event"]["kind"] == "alert":
                self.events.setdefault(word["event"]["event_id"], time.time())

    async def _get(self, socket: ClientConnection, path: str, range_: tuple[int, int] | None) -> bytes:  # fmt: skip
        number, self.next_id = self.next_id, self.next_id + 1
        future = self.asked[number] = asyncio.get_running_loop().create_future()
        await socket.send(json.dumps({"op": "get", "id": number, "path": path, "range": range_}))
        return await asyncio.wait_for(future, 30)

    async def _follow(self, socket: ClientConnection) -> None:
        base = f"api/live-monitoring/hls/{self.camera}/"
        last: tuple[int, int] | None = None
        while True:
            query = f"?_HLS_msn={last[0]}&_HLS_part={last[1] + 1}" if last else ""
            parts = read((await self._get(socket, f"{base}live.m3u8{query}", None)).decode())
            if not parts:
                await asyncio.sleep(0.5)
                continue
            news = [one for one in parts if last is None or (one.number, one.place) > last]
            for one in news if last else news[-1:]:
                span = (one.offset, one.offset + one.size)
                assert len(await self._get(socket, f"{base}{one.number}.ts", span)) == one.size
                self.ages_s.append(time.time() - one.ends_at)
            last = (parts[-1].number, parts[-1].place)


def read(playlist: str) -> list[Part]:
    """The parts that a playlist tells, with the wall clock of each one's end."""
    parts: list[Part] = []
    at, places = 0.0, {}  # type: float, dict[int, int]
    for dated, length, number, size, offset, _closed in LINE.findall(playlist):
        if dated:
            at = datetime.fromisoformat(dated.replace("Z", "+00:00")).timestamp()
        elif number:
            at += float(length)
            place = places.get(int(number), 0)
            places[int(number)] = place + 1
            parts.append(Part(int(number), place, int(offset), int(size), at))
    return parts


async def _all(url: str, count: int, seconds: float, camera: str | None) -> list[Viewer]:
    viewers = [Viewer(url, camera) for _ in range(count)]
    async with asyncio.TaskGroup() as group:
        for viewer in viewers:
            group.create_task(viewer.look(seconds))
            await asyncio.sleep(0.01)
    return viewers


def main() -> None:
    url, count, seconds, *camera = sys.argv[1:]
    viewers = asyncio.run(_all(url, int(count), float(seconds), camera[0] if camera else None))
    told = [{"events": one.events, "ages_s": one.ages_s, "bytes": one.bytes_came} for one in viewers]  # fmt: skip
    print(json.dumps(told))


class Viewers:
    """So many pages as a process beside the test."""

    def __init__(self, url: str, count: int, seconds: float, camera: str | None = None) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.console.acceptance.viewers", url, str(count), str(seconds), *([camera] if camera else [])],
            cwd=ROOT, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def told(self) -> list[dict[str, Any]]:
        """Wait for the end, and hear what each has to say."""
        out, _ = self._process.communicate(timeout=600)
        assert self._process.returncode == 0, "a page without a screen failed"
        told: list[dict[str, Any]] = json.loads(out)
        return told


if __name__ == "__main__":
    main()
