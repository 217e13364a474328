"""The real recorder, the detector's real source of frames and the real clipper over one camera."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from clipper import wiring
from recorder.service import RecorderService

from hazardcast.config import site
from hazardcast.config.settings import Settings
from hazardcast.contract.messages import ClipRequest, ClipState
from hazardcast.contract.topics import CLIPS
from hazardcast.machine.clock import SystemClock
from hazardcast.media import burnt_clock
from hazardcast.media.ffmpeg import find_ffmpeg
from hazardcast.media.segments import Run, Segment, list_segments, read_runs
from hazardcast.testing import MemoryBroker
from hazardcast.vision.pixels.sources import LiveFrames
from tests.zoo.film import levels, made
from tests.zoo.row import Row
from tests.zoo.standing import CREDENTIALS, Standing, standing

CAMERA = "north"
POLL_S = 0.1
DETECTOR_FPS = 240.0
"""More than any camera sends: every picture is taken."""
CLIP_PATIENCE_S = 40.0
SHOWN_PX = 640
COARSE = "non monotonically increasing dts to muxer"
"""Of the decoded pictures, whose times ffmpeg rounds to the usual rate: says nothing of the clip."""
TURNED_DEG = 90
BEFORE_END_S = 0.5
AFTER_START_S = 1.0


@dataclass(frozen=True)
class Shown:
    """A picture as somebody sees it."""

    clock_ms: int | None
    at: float
    """Seconds: wall clock as the detector has it, else from the file's beginning."""
    size: tuple[int, int]
    levels: tuple[float, ...]


@dataclass(frozen=True)
class Kept:
    """A file of the recording."""

    start: float
    end: float
    shown: list[Shown]


@dataclass
class Clip:
    """What the clipper made of it."""

    state: ClipState | None = None
    manifest: dict[str, Any] = field(default_factory=dict)
    shown: list[Shown] = field(default_factory=list)
    complaints: str = ""
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass
class Watched:
    """Everything that came of one camera."""

    began: list[float]
    states: list[tuple[float, str, str]] = field(default_factory=list)
    """(seconds, state, detail) of the recorder as they changed."""
    kept: list[Kept] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    film_facts: dict[str, Any] = field(default_factory=dict)
    seen: list[Shown] = field(default_factory=list)
    """By the detector."""
    detector_state: str = ""
    clip: Clip = field(default_factory=Clip)
    seconds: float = 0.0


def watch(row: Row, folder: Path) -> Watched:
    """Record, detect and clip the camera of `row`; files lie in `folder`."""
    begun = time.monotonic()
    with standing(row) as camera:
        if camera.account:
            os.environ[CREDENTIALS] = camera.account
        (folder / "cameras.yaml").write_text(yaml.safe_dump({"cameras": {CAMERA: camera.settings}}))
        settings = Settings(data_dir=folder, config=folder / "cameras.yaml")
        watched = Watched(camera.began)
        seen = Seeing(settings)
        Recording(row, camera, settings, watched, begun).run()
        watched.seen, watched.detector_state = seen.close()
    segments = list_segments(settings.recordings_dir, CAMERA)
    watched.kept = kept_of(segments, leans=row.leans)
    watched.runs = read_runs(settings.recordings_dir, CAMERA)
    if watched.kept and row.refused is None:
        watched.film_facts = facts(made(row.film))
        if getattr(row.manner, "turned", False):
            watched.film_facts["rotation"] = TURNED_DEG
        watched.facts = facts(segments[len(segments) // 2].path)
        watched.clip = clip(settings, watched.kept)
    watched.seconds = time.monotonic() - begun
    return watched


class Seeing:
    """The detector's frames, each kept by what its clock shows."""

    def __init__(self, settings: Settings) -> None:
        camera = site.load(settings.config).cameras[CAMERA]
        self._frames = LiveFrames(
            lambda: site.stream_url(CAMERA, camera, camera_server="", detect=True),
            camera=CAMERA, fps=DETECTOR_FPS, clock=SystemClock(), transport=camera.rtsp_transport,
        )  # fmt: skip
        self._seen: list[Shown] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._take, daemon=True)
        self._frames.start()
        self._thread.start()

    def _take(self) -> None:
        while not self._over.is_set():
            if frame := self._frames.take(0.2):
                self._seen.append(_shown(frame.image, frame.t))

    def close(self) -> tuple[list[Shown], str]:
        state = f"{self._frames.state} {self._frames.trouble or ''}".strip()
        self._over.set()
        self._thread.join(5)
        self._frames.close()
        return self._seen, state


class Recording:
    """The recorder's service on a thread, until enough is recorded or refused in words."""

    def __init__(self, row: Row, camera: Standing, settings: Settings, watched: Watched, begun: float) -> None:  # fmt: skip
        self._row, self._camera, self._settings = row, camera, settings
        self._watched, self._begun = watched, begun
        self._stop = threading.Event()
        self._service = RecorderService(
            settings, site.load(settings.config).cameras, program=find_ffmpeg(settings.ffmpeg),
            bus=MemoryBroker().bus(), clock=SystemClock(), stop=self._stop,
        )  # fmt: skip

    def run(self) -> None:
        thread = threading.Thread(target=self._service.run, daemon=True)
        thread.start()
        deadline = time.monotonic() + self._row.patience_s
        while time.monotonic() < deadline and not self._enough():
            time.sleep(POLL_S)
        self._stop.set()
        thread.join(10)

    def _enough(self) -> bool:
        report = self._service.recorders[CAMERA].report
        now = (report.state, report.detail or "")
        if not self._watched.states or self._watched.states[-1][1:] != now:
            self._watched.states.append((time.monotonic() - self._begun, *now))
        refused = self._row.refused
        if refused is not None:
            return now[0] == refused.state and refused.detail in now[1]
        kept = list_segments(self._settings.recordings_dir, CAMERA)
        length_s = sum(one.end - one.start for one in kept)
        began = max(self._camera.began, default=0.0)
        return length_s >= self._row.record_s and kept[-1].end - began >= self._row.after_s


def kept_of(segments: list[Segment], *, leans: bool) -> list[Kept]:
    """The files with their pictures; where they lean on the file before, decoded behind it."""
    found: list[Kept] = []
    for place, one in enumerate(segments):
        pictures = shown(one.path)
        if leans and place:
            with tempfile.NamedTemporaryFile(suffix=".ts") as joined:
                before = segments[place - 1].path
                joined.write(before.read_bytes() + one.path.read_bytes())
                joined.flush()
                latest = found[-1].shown[-1].clock_ms or 0
                pictures = [p for p in shown(Path(joined.name)) if (p.clock_ms or latest) > latest]
        found.append(Kept(one.start, one.end, pictures))
    return found


def shown(path: Path) -> list[Shown]:
    """Every picture of a file as a player shows it, in grey."""
    done = subprocess.run(
        ["ffmpeg", "-hide_banner", "-nostdin", "-copyts", "-noautorotate", "-i", str(path), "-map", "0:v:0", "-vf",
         f"showinfo,scale=w='min(iw,{SHOWN_PX})':h=-2:flags=area,format=gray", "-fps_mode",
         "passthrough", "-f", "rawvideo", "-"],
        capture_output=True, check=False,
    )  # fmt: skip
    said = done.stderr.decode(errors="replace")
    moments = [float(one) for one in re.findall(r"showinfo.*? pts_time:(\S+)", said)]
    if not moments:
        return []
    size = re.findall(r"rawvideo \([^)]*\), gray.*?, (\d+)x(\d+)", said)[-1]
    width, height = int(size[0]), int(size[1])
    pictures = np.frombuffer(done.stdout, np.uint8).reshape(-1, height, width)
    return [_shown(picture, at) for picture, at in zip(pictures, moments, strict=False)]


def _shown(picture: Any, at: float) -> Shown:
    size = (int(picture.shape[1]), int(picture.shape[0]))
    return Shown(burnt_clock.read(picture), at, size, levels(picture))


def probed(path: Path, *asked: str) -> dict[str, Any]:
    """What ffprobe tells of a file."""
    told = subprocess.run(
        ["ffprobe", "-v", "error", "-of", "json", *asked, str(path)],
        capture_output=True,
        check=True,
    ).stdout
    found: dict[str, Any] = json.loads(told)
    return found


def facts(path: Path) -> dict[str, Any]:
    """What stands beside the pictures of a file."""
    streams = probed(path, "-show_streams")["streams"]
    video = next(one for one in streams if one["codec_type"] == "video")
    first = ("-show_frames", "-select_streams", "v:0", "-read_intervals", "%+#1")
    frame: dict[str, Any] = next(iter(probed(path, *first)["frames"]), {})
    sides = [*frame.get("side_data_list", ()), *video.get("side_data_list", ())]
    keys = ("codec_name", "width", "height", "sample_aspect_ratio", "color_range", "pix_fmt")
    told_facts: dict[str, Any] = {key: video.get(key) for key in keys}
    told_facts["interlaced"] = bool(frame.get("interlaced_frame"))
    told_facts["rotation"] = next((one["rotation"] for one in sides if "rotation" in one), 0)
    told_facts["sound"] = next(
        (s["codec_name"] for s in streams if s["codec_type"] == "audio"), None
    )
    return told_facts


def clip(settings: Settings, kept: list[Kept]) -> Clip:
    """A clip of almost everything that was recorded, by the real clipper."""
    start, end = kept[0].start + AFTER_START_S, kept[-1].end - BEFORE_END_S
    moment = (start + end) / 2
    request = ClipRequest(
        event_id="4097-1", camera=CAMERA, ts=moment, pre_s=moment - start, post_s=end - moment
    )
    found = Clip(_clipped(settings, request))
    if found.state is None or found.state.path is None:
        return found
    path = settings.clips_dir / found.state.path
    found.manifest = json.loads(path.with_suffix(".json").read_text())
    found.shown, found.facts = shown(path), facts(path)
    found.complaints = complaints(path, sound=bool(found.facts["sound"]))
    return found


def complaints(path: Path, *, sound: bool) -> str:
    """What ffmpeg says while it decodes a whole file."""
    heard = ("-map", "0:a", "-f", "s16le", "/dev/null") if sound else ()
    command = [
        "ffmpeg",
        "-v",
        "warning",
        "-y",
        "-i",
        str(path),
        "-map",
        "0:v",
        "-fps_mode",
        "passthrough",
        "-f",
        "rawvideo",
    ]
    said = subprocess.run(
        [*command, "/dev/null", *heard], capture_output=True, text=True, check=False
    ).stderr
    lines = [line for line in said.splitlines() if "Last message repeated" not in line]
    return "\n".join(line for line in lines if COARSE not in line)


def _clipped(settings: Settings, request: ClipRequest) -> ClipState | None:
    broker, stop, clock = MemoryBroker(), threading.Event(), SystemClock()
    bus = broker.bus()
    with ThreadPoolExecutor(1) as executor:
        clipper, _, store = wiring.assemble(settings, bus, clock, executor, stop)
        clipper.accept(request, None)  # type: ignore[arg-type]
        deadline = time.monotonic() + CLIP_PATIENCE_S
        state = None
        while time.monotonic() < deadline:
            clipper.tick()
            state = next(iter(broker.messages(CLIPS)[::-1]), None)
            if state and state.state in {"ready", "partial", "failed"}:
                break
            time.sleep(POLL_S)
        stop.set()
    store.close()
    return state
