"""A console that is drawn: the contract's answers with invented events and a drawn junction.

Run from the root of the repository: `python -m tests.console.page.fake_console --port 8099`. What
tests want to happen they post to `/fake/…`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import struct
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import uvicorn
from console.http import pages
from console.http.headers import Headed
from fastapi import FastAPI, Request, WebSocket, WebSocketDisconnect
from fastapi.responses import FileResponse, JSONResponse, Response

from tests.console.page.drawn_video import DrawnVideo
from tests.console.page.invented import Invented

DETECTIONS_EVERY_S = 0.125
BEAT_S = 2.0


class FakeConsole:
    """All that the fake knows, and the sockets that listen."""

    def __init__(self, video: DrawnVideo, cameras: int) -> None:
        self.video = video
        self.world = Invented(time.time(), cameras)
        self.sockets: dict[WebSocket, set[str]] = {}
        self.frozen = False
        self.silent = False

    async def tell(self, word: dict[str, Any]) -> None:
        """Say it on every socket."""
        for socket in list(self.sockets):
            with contextlib.suppress(WebSocketDisconnect):  # its page was closed just now
                await socket.send_text(json.dumps(word))

    async def event(self, **told: Any) -> dict[str, Any]:
        """Something happened."""
        event = self.world.event(time.time(), **told)
        await self.tell({"op": "event", "event": event})
        return event

    async def state(self, topic: str, key: str, value: Any) -> None:
        """A retained topic changed."""
        await self.tell({"op": "state", "topic": topic, "key": key, "value": value})

    def media(self, path: str) -> tuple[int, bytes]:
        """What lies under an address of the live video."""
        name = urlsplit(path).path.rsplit("/", 1)[-1]
        if name == "live.m3u8":
            recorded = "from=" in path
            text = self.video.recorded() if recorded else self.video.playlist()
            return 200, text.encode()
        file = self.video.folder / name
        return (200, file.read_bytes()) if file.suffix == ".ts" and file.exists() else (404, b"")


def application(fake: FakeConsole) -> FastAPI:
    """Its HTTP interface."""
    app = FastAPI()
    app.add_middleware(Headed)
    _files(app, fake)
    _answers(app, fake)
    _deciding(app, fake)
    _accounts(app, fake)
    _levers(app, fake)
    _socket(app, fake)
    app.include_router(pages.router(pages.load()))
    return app


def _answers(app: FastAPI, fake: FakeConsole) -> None:
    @app.get("/api/v1/{path:path}/picture.jpg")
    async def picture(path: str) -> Response:
        return Response(fake.video.still, media_type="image/jpeg")

    @app.get("/api/v1/tracks/{camera}")
    async def tracks(camera: str, request: Request) -> Any:
        start, end = (float(request.query_params[name]) for name in ("from", "to"))
        end = min(end, time.time())
        count = max(0, int((end - start) / DETECTIONS_EVERY_S))
        return {"detections": [fake.video.detections(start + n * DETECTIONS_EVERY_S, camera)
                               for n in range(count)]}  # fmt: skip

    @app.get("/api/v1/archives/{camera}")
    async def archives(camera: str, request: Request) -> Any:
        return {"archives": fake.world.archives(float(request.query_params["from"])), "next": None}

    @app.get("/api/v1/segment-analyses/{camera}")
    async def analyses(camera: str, request: Request) -> Any:
        start = float(request.query_params["from"])
        return {"segment_analyses": fake.world.analyses(camera, start), "next": None}

    @app.get("/api/v1/timeline/{camera}")
    async def timeline(camera: str, request: Request) -> Any:
        began = fake.video.began
        return fake.world.timeline(float(request.query_params["from"]), began, time.time())

    for name in ("session", "cameras", "alerts", "pending", "events", "clips", "report", "journal", "health", "map.geojson"):  # fmt: skip

        @app.get(f"/api/v1/{name}")
        async def answer(request: Request, name: str = name) -> Any:
            told = fake.world.answer(name, dict(request.query_params), time.time())
            return told if told is not None else JSONResponse({"title": "log in"}, 401)

    @app.get("/api/v1/stats/{camera}")
    async def stats(camera: str, request: Request) -> Any:
        start, end, bucket = (float(request.query_params[one]) for one in ("from", "to", "bucket"))
        return fake.world.stats(camera, start, end, bucket)

    @app.get("/api/v1/{kind}/{key}")
    async def one(kind: str, key: str) -> Any:
        found = fake.world.one(kind, key)
        return found if found else JSONResponse({"title": "not found"}, 404)


def _files(app: FastAPI, fake: FakeConsole) -> None:
    @app.get("/api/v1/evidence/{name}")
    async def evidence(name: str) -> Response:
        return Response(fake.video.still, media_type="image/jpeg")

    @app.get("/api/v1/clips/{key}/video.mp4")
    async def video(key: str) -> Response:
        return FileResponse(fake.video.folder / "clip.mp4", media_type="video/mp4")

    @app.get("/api/v1/clips/{key}/manifest.json")
    async def manifest(key: str) -> Any:
        return fake.world.one("clips", key)


def _deciding(app: FastAPI, fake: FakeConsole) -> None:
    @app.post("/api/v1/login")
    async def login(told: dict[str, str]) -> Response:
        if told["password"] != "right":
            return JSONResponse({"title": "name or password is wrong"}, 401)
        fake.world.name = told["name"]
        return Response(status_code=204)

    @app.post("/api/v1/logout")
    async def logout() -> Response:
        fake.world.name = None
        return Response(status_code=204)

    @app.post("/api/v1/alerts/{key}/decision")
    async def decide(key: str, request: Request, told: dict[str, str]) -> Response:
        if fake.world.first_by:
            return JSONResponse(
                {"title": "too late", "by": fake.world.first_by, "revision": 9}, 412
            )
        if not fake.world.broker:
            return JSONResponse({"title": "broker away"}, 503)
        alert = fake.world.decide(key, told, request.headers["if-match"], time.time())
        await fake.event(kind="decision", event_id=key, camera=alert["camera"],
                         type=alert["type"], status=told["action"])  # fmt: skip
        await fake.state("active", key, None if alert["status"] in ("cancel", "negate") else alert)
        return JSONResponse({"event_id": key}, 202)

    @app.post("/api/v1/incidents")
    async def raise_incident(told: dict[str, Any]) -> Response:
        fake.world.raised.append(told)
        return JSONResponse({}, 202)

    @app.post("/api/v1/clips/{key}/hold")
    async def hold(key: str) -> Response:
        fake.world.clips[key]["held"] = True
        return JSONResponse({}, 202)


def _accounts(app: FastAPI, fake: FakeConsole) -> None:
    accounts, tokens = fake.world.accounts, fake.world.tokens

    @app.get("/api/v1/accounts")
    async def listed() -> Any:
        return [accounts[name] for name in sorted(accounts)]

    @app.put("/api/v1/accounts/{name}")
    async def put(name: str, told: dict[str, Any]) -> Any:
        fake.world.account(name, told, time.time())
        return accounts[name]

    @app.delete("/api/v1/accounts/{name}")
    async def remove(name: str) -> Response:
        if name == "admin":
            return JSONResponse({"title": "Conflict", "detail": "somebody must be left"}, 409)
        del accounts[name]
        return Response(status_code=204)

    @app.post("/api/v1/password")
    async def password(told: dict[str, str]) -> Response:
        return Response(status_code=204 if told["old"] == "right" else 401)

    @app.get("/api/v1/tokens")
    async def all_tokens() -> Any:
        return list(tokens.values())

    @app.post("/api/v1/tokens")
    async def token(told: dict[str, Any]) -> Any:
        made = {**told, "id": f"t{len(tokens)}", "cameras": None, "made_at": time.time()}
        tokens[made["id"]] = made
        return JSONResponse({**made, "secret": "told-this-once"}, 201)

    @app.delete("/api/v1/tokens/{key}")
    async def withdraw(key: str) -> Response:
        del tokens[key]
        return Response(status_code=204)


def _levers(app: FastAPI, fake: FakeConsole) -> None:
    @app.post("/fake/alert")
    async def alert(told: dict[str, Any]) -> Any:
        made = fake.world.raise_alert(time.time(), **told)
        await fake.state("active", made["event_id"], made)
        return await fake.event(
            kind="alert", event_id=made["event_id"], camera=made["camera"], type=made["type"],
            severity=made["severity"], status="new", revision=0, level="danger", body=made,
        )  # fmt: skip

    @app.post("/fake/account")
    async def account(told: dict[str, Any]) -> Any:
        fake.world.account(told["name"], told, time.time())

    @app.post("/fake/camera")
    async def camera(told: dict[str, Any]) -> Any:
        fake.world.camera(told["id"]).update(told)
        words = [{"camera": one["id"], "state": one["state"], "detail": one.get("detail"),
                  "last_frame_at": one["last_frame_at"]} for one in fake.world.cameras]  # fmt: skip
        await fake.state("status", "recorder/main", {"service": "recorder", "instance": "main",
                         "state": "online", "ts": time.time(), "cameras": words})  # fmt: skip

    @app.post("/fake/set")
    async def lever(told: dict[str, Any]) -> Any:
        for name, value in told.items():
            setattr(fake if hasattr(fake, name) else fake.world, name, value)
        if told.get("drop"):
            for socket in list(fake.sockets):
                await socket.close(1012)

    @app.get("/fake/seen")
    async def seen() -> Any:
        return {"decisions": fake.world.decisions, "raised": fake.world.raised,
                "accounts": fake.world.accounts, "tokens": fake.world.tokens,
                "watched": [sorted(one) for one in fake.sockets.values()]}  # fmt: skip


def _socket(app: FastAPI, fake: FakeConsole) -> None:
    @app.websocket("/api/v1/live")
    async def live(socket: WebSocket) -> None:
        await socket.accept()
        fake.sockets[socket] = set()
        speaker = asyncio.create_task(_speak(fake, socket))
        try:
            while True:
                await _hear(fake, socket, json.loads(await socket.receive_text()))
        except (WebSocketDisconnect, RuntimeError):
            pass
        finally:
            fake.sockets.pop(socket, None)
            speaker.cancel()


async def _hear(fake: FakeConsole, socket: WebSocket, word: dict[str, Any]) -> None:
    if word["op"] == "hello":
        newest = fake.world.seq
        missed = [] if word["seq"] is None else fake.world.events_after(word["seq"])
        await socket.send_text(json.dumps({"op": "welcome", "now": time.time(), "seq": newest,
                                           "broker": fake.world.broker}))  # fmt: skip
        for event in missed:
            await socket.send_text(json.dumps({"op": "event", "event": event}))
    elif word["op"] == "watch":
        fake.sockets[socket] = set(word["cameras"])
    elif word["op"] == "get" and not fake.frozen:
        status, content = fake.media(word["path"])
        await socket.send_bytes(struct.pack("!IH", word["id"], status) + content)


async def _speak(fake: FakeConsole, socket: WebSocket) -> None:
    beat_at = 0.0
    while True:
        await asyncio.sleep(DETECTIONS_EVERY_S)
        now = time.time()
        if now - beat_at >= BEAT_S:
            beat_at = now
            await socket.send_text(
                json.dumps({"op": "beat", "now": now, "broker": fake.world.broker})
            )
        if fake.silent:
            continue
        for camera in fake.sockets.get(socket, ()):
            word = {
                "op": "detections",
                "camera": camera,
                "message": fake.video.detections(now, camera),
            }
            await socket.send_text(json.dumps(word))


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--cameras", type=int, default=4)
    parser.add_argument("--scene", default="collision")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        video = DrawnVideo(Path(folder), options.scene)
        video.start(scene_s=36.0)
        try:
            fake = FakeConsole(video, options.cameras)
            video.clip(fake.world.clips["4097-1"]["first_frame_at"])
            uvicorn.run(
                application(fake),
                port=options.port,
                log_level="warning",
                timeout_graceful_shutdown=1,
            )
        finally:
            video.stop()


if __name__ == "__main__":
    main()
