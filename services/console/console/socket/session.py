"""One socket from its beginning to its end.

A task reads what the page says, one sends what waits, one looks after rights and signs of life;
each media request is a task that ends with its answer. Whatever ends first ends the socket.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus

from starlette.websockets import WebSocket, WebSocketDisconnect

from console.doors.viewer import Viewer
from console.live.answers import Answer
from console.live.routes import LiveRoom
from console.problems import RefusedError
from console.socket import words
from console.socket.hub import EventsAfter, Hub, Listener, said
from console.socket.outbox import MOST_EVENT_BYTES
from console.socket.words import Drop, Get, Hello, Watch
from hazardcast.machine.clock import Clock
from hazardcast.machine.refusals import in_words

log = logging.getLogger(__name__)
BEAT_S = 10.0
SILENCE_S = 25.0
LOOK_S = 2.0
"""How often rights are looked up anew: a socket lives longer than a right."""
MOST_ASKED = 24
"""Media requests under way at once: nine tiles ask for two or three each at most."""
MOST_MISSED = 1000
"""Events told to a page that was away; of more it asks the lists anew."""
MOST_MISSED_BYTES = MOST_EVENT_BYTES // 2
"""The other half is for what happens meanwhile."""
Told = tuple[int, str | None, str]
"""An event's number, its camera, and its text."""
SEND_WITHIN_S = 60.0
GOING_AWAY, BAD_WORD, POLICY, TRY_LATER = 1001, 1007, 1008, 1013


@dataclass(frozen=True)
class SocketRoom:
    """What sockets need."""

    hub: Hub
    live: LiveRoom
    events: EventsAfter | None
    clock: Clock
    broker: Callable[[], bool]
    """Whether the broker is there."""


class _Ended(Exception):  # noqa: N818 - no error: a socket ends somehow
    def __init__(self, code: int) -> None:
        self.code = code
        super().__init__(code)


class Session:
    """Serves one accepted socket."""

    def __init__(
        self,
        socket: WebSocket,
        viewer: Viewer,
        room: SocketRoom,
        *,
        still_looking: Callable[[], Viewer | None],
    ) -> None:
        self._socket = socket
        self._room = room
        self._still_looking = still_looking
        self._ready = asyncio.Event()
        self._listener = Listener(viewer, self._ready.set)
        self._gets: dict[int, asyncio.Task[None]] = {}
        self._heard_s = room.clock.monotonic()
        self._greeted = False

    async def run(self) -> None:
        """Serve it until it ends, for whatever reason."""
        tasks = [
            asyncio.create_task(work()) for work in (self._listen, self._speak, self._look_after)
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            await self._end(next(iter(done)).exception())
        finally:
            self._room.hub.detach(self._listener)
            for task in (*tasks, *self._gets.values()):
                task.cancel()
            await asyncio.gather(*tasks, *self._gets.values(), return_exceptions=True)

    async def _end(self, error: BaseException | None) -> None:
        code = error.code if isinstance(error, _Ended) else GOING_AWAY
        if isinstance(error, WebSocketDisconnect):
            return
        with contextlib.suppress(Exception):
            await asyncio.wait_for(self._socket.close(code), 1.0)
        if error is not None and not isinstance(error, _Ended | RuntimeError | OSError):
            raise error

    async def _listen(self) -> None:
        while True:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(message.get("code", GOING_AWAY))
            self._heard_s = self._room.clock.monotonic()
            word = words.read(message.get("text") or "")
            if word is None:
                raise _Ended(BAD_WORD)
            await self._take(word)

    async def _take(self, word: words.Word) -> None:
        if isinstance(word, Hello):
            await self._greet(word)
        elif isinstance(word, Watch):
            cameras = frozenset(word.cameras) & self._room.live.cameras.keys()
            self._room.hub.watch(self._listener, cameras)
        elif isinstance(word, Get):
            self._get(word)
        elif isinstance(word, Drop):
            self._drop(word.id)

    async def _greet(self, hello: Hello) -> None:
        if self._greeted:
            return
        self._greeted = True
        listener, hub = self._listener, self._room.hub
        listener.held = []
        hub.attach(listener)
        welcome = {"now": self._room.clock.now(), "seq": hub.newest_seq}
        listener.word(said("welcome", **welcome, broker=self._room.broker()))
        if hello.seq is not None:
            await self._tell_missed(hello.seq)
        listener.release()

    async def _tell_missed(self, seq: int) -> None:
        """What happened since the page was there; too much of it is asked for anew."""
        listener = self._listener
        newest = self._room.hub.newest_seq
        missed = None
        if seq <= newest:  # otherwise of another database
            missed = await asyncio.to_thread(self._missed, seq, listener.viewer.cameras)
        if missed is None:
            listener.word(said("resync", seq=newest))
            return
        held, listener.held = listener.held, None
        for number, camera, text in missed:
            listener.event(number, camera, text)
        listener.held = held

    def _missed(self, seq: int, cameras: frozenset[str] | None) -> list[Told] | None:
        """None where nobody can tell, or it is too much to be told."""
        if self._room.events is None:
            return [] if seq >= self._room.hub.newest_seq else None
        try:
            rows = self._room.events.events(seq, MOST_MISSED + 1, cameras)
        except Exception:  # noqa: BLE001 - whatever the store's trouble is, the page asks anew
            return None
        told = [(int(row["seq"]), row.get("camera"), said("event", event=row)) for row in rows]
        is_short = sum(len(text) for _, _, text in told) <= MOST_MISSED_BYTES
        return told if len(told) <= MOST_MISSED and is_short else None

    def _get(self, get: Get) -> None:
        if get.id in self._gets or len(self._gets) >= MOST_ASKED:
            self._listener.media(get.id, _head(get.id, HTTPStatus.TOO_MANY_REQUESTS))
            return
        task = asyncio.create_task(self._fetch(get))
        self._gets[get.id] = task

    def _drop(self, number: int) -> None:
        """The answer is wanted no more, ready or not; the number may be given again."""
        if task := self._gets.pop(number, None):
            task.cancel()
            self._listener.outbox.drop(number)

    async def _fetch(self, get: Get) -> None:
        try:
            answer = await self._answer(get)
        except RefusedError as error:
            self._refuse(get.id, HTTPStatus(error.status))
            return
        except Exception:
            log.exception("what a page asked for could not be fetched")
            self._refuse(get.id, HTTPStatus.INTERNAL_SERVER_ERROR)
            return
        sent = asyncio.Event()
        self._listener.media(get.id, (get.id, answer, sent))
        await sent.wait()  # so long it counts among those asked for
        self._gets.pop(get.id, None)

    def _refuse(self, number: int, status: HTTPStatus) -> None:
        self._gets.pop(number, None)
        self._listener.media(number, _head(number, status))

    async def _answer(self, get: Get) -> Answer:
        wanted = words.wanted(get.path)
        if wanted is None:
            raise RefusedError(HTTPStatus.NOT_FOUND, "no such path")
        self._room.live.check(wanted.camera, self._listener.viewer)
        byte_range = f"bytes={get.range[0]}-{get.range[1] - 1}" if get.range else None
        return await self._room.live.hls.answer(
            wanted.camera, wanted.name, wanted.asked, byte_range
        )

    async def _speak(self) -> None:
        outbox = self._listener.outbox
        while True:
            await self._ready.wait()
            self._ready.clear()
            while (item := outbox.next()) is not None:
                if outbox.overflowed:
                    raise _Ended(TRY_LATER)
                try:
                    await asyncio.wait_for(self._send(item), SEND_WITHIN_S)
                except TimeoutError:
                    raise _Ended(TRY_LATER) from None

    async def _send(self, item: object) -> None:
        if isinstance(item, str):
            await self._socket.send_text(item)
        elif isinstance(item, bytes):
            await self._socket.send_bytes(item)
        else:
            assert isinstance(item, tuple)
            await self._send_media(*item)

    async def _send_media(self, number: int, answer: Answer, sent: asyncio.Event) -> None:
        """Read when it is its turn: of one socket one file at most is in memory."""
        try:
            task = self._gets.get(number)
            if task is None or task.cancelled():
                return
            blocks = answer.blocks
            data = blocks if isinstance(blocks, bytes) else await asyncio.to_thread(_read, blocks)
            if self._gets.get(number) is not task:
                return  # dropped meanwhile, and the number perhaps given again
            status = answer.status if data is not None else HTTPStatus.INTERNAL_SERVER_ERROR
            await self._socket.send_bytes(_head(number, status) + (data or b""))
        finally:
            sent.set()

    async def _look_after(self) -> None:
        next_beat_s = self._room.clock.monotonic() + BEAT_S
        while True:
            await asyncio.sleep(LOOK_S)
            now_s = self._room.clock.monotonic()
            if self._listener.outbox.overflowed:
                raise _Ended(TRY_LATER)
            if now_s - self._heard_s > SILENCE_S:
                raise _Ended(GOING_AWAY)
            self._look_up_rights()
            if now_s >= next_beat_s:
                next_beat_s = now_s + BEAT_S
                beat = said("beat", now=self._room.clock.now(), broker=self._room.broker())
                self._listener.word(beat)

    def _look_up_rights(self) -> None:
        """A right that is gone, or another than before, ends the socket: the page comes anew."""
        if self._still_looking() != self._listener.viewer:
            raise _Ended(POLICY)


def _read(blocks: Iterator[bytes]) -> bytes | None:
    """A file's bytes, None where the disk does not give them."""
    try:
        return b"".join(blocks)
    except OSError as error:
        log.warning("what a page asked for cannot be read", extra={"reason": in_words(error)})
        return None


def _head(number: int, status: HTTPStatus) -> bytes:
    return struct.pack(">IH", number, status)
