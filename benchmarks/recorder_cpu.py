"""CPU of the recorder for 4 × 1080p15 and 16 × 720p15 cameras, beside bare `ffmpeg -c copy`.

Every camera is an RTSP server of its own (GStreamer; where it is missing, MPEG-TS over HTTP), playing
H.264 at real time. Recorder and bare ffmpegs read the same cameras at once. CPU is what the scheduler
counted: of the ffmpegs, and apart from it of the recorder's own Python. A gap fails the figure.
"""

from __future__ import annotations

import http.server
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.harness import Child, Figure, free_port, running, service
from hazardcast.media import coverage, segments
from hazardcast.media.ffmpeg import find_ffmpeg

WARM_UP_S = 20.0
MEASURED_S = 60.0
SOURCE_S = 20
AIM_RATIO = 1.15
SYSTEM_PYTHON = "/usr/bin/python3"
RTSP_SERVER = Path(__file__).resolve().parents[1] / "tests" / "rtsp_server.py"


def make_source(
    folder: Path, *, size: str = "1920x1080", bitrate: str = "4M", container: str = "ts"
) -> Path:
    """An H.264 file at 15 fps with a keyframe a second; `h264` has access unit delimiters."""
    path = folder / f"source-{size}.{container}"
    form = (
        ["-f", "mpegts"]
        if container == "ts"
        else ["-bsf:v", "h264_metadata=aud=insert", "-f", "h264"]
    )
    subprocess.run(
        [
            find_ffmpeg(), "-loglevel", "error",
            "-f", "lavfi", "-i", f"testsrc2=size={size}:rate=15:duration={SOURCE_S}",
            "-vf", "noise=alls=12:allf=t", "-c:v", "libx264", "-preset", "ultrafast",
            "-b:v", bitrate, "-maxrate", bitrate, "-bufsize", bitrate, "-g", "15", "-bf", "0",
            *form, str(path),
        ],
        check=True,
    )  # fmt: skip
    return path


class _Camera(http.server.BaseHTTPRequestHandler):
    source: Path

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "video/mp2t")
        self.end_headers()
        command = [find_ffmpeg(), "-loglevel", "error", "-re", "-stream_loop", "-1",
                   "-i", str(self.source), "-c", "copy", "-f", "mpegts", "-flush_packets", "1", "pipe:1"]  # fmt: skip
        with subprocess.Popen(command, stdout=subprocess.PIPE) as player:
            assert player.stdout is not None
            try:
                while block := player.stdout.read1(65_536):  # type: ignore[attr-defined]
                    self.wfile.write(block)
            except OSError:
                pass
            finally:
                player.kill()

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@contextmanager
def camera(source: Path) -> Iterator[int]:
    """Serves the stream to anyone; its CPU counts for nobody."""
    handler = type("Camera", (_Camera,), {"source": source})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()


@contextmanager
def cameras(count: int, folder: Path, size: str, bitrate: str) -> Iterator[list[str]]:
    """The URLs of `count` cameras."""
    needed = "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import GstRtspServer"
    has_rtsp = Path(SYSTEM_PYTHON).exists() and not subprocess.run(
        [SYSTEM_PYTHON, "-c", needed], stderr=subprocess.DEVNULL, check=False
    ).returncode  # fmt: skip
    with ExitStack() as stack:
        if not has_rtsp:
            port = stack.enter_context(camera(make_source(folder, size=size, bitrate=bitrate)))
            yield [f"http://127.0.0.1:{port}/camera.ts"] * count
            return
        source = make_source(folder, size=size, bitrate=bitrate, container="h264")
        servers = [
            stack.enter_context(
                running(SYSTEM_PYTHON, str(RTSP_SERVER), "--play", str(source), "--size", size)
            )
            for _ in range(count)
        ]
        yield [_url_of(server) for server in servers]


def _url_of(server: Child, within_s: float = 30.0) -> str:
    deadline = time.monotonic() + within_s
    while not server.lines and time.monotonic() < deadline:
        time.sleep(0.05)
    return server.lines[0][1].strip()


def bare_command(url: str, pattern: str) -> list[str]:
    transport = ["-rtsp_transport", "tcp"] if url.startswith("rtsp") else []
    return [
        find_ffmpeg(), "-loglevel", "error", *transport, "-i", url, "-c", "copy", "-f", "segment",
        "-segment_time", "10", "-segment_format", "mpegts", pattern,
    ]  # fmt: skip


def cpu_s(process: psutil.Process) -> float:
    """CPU time of all its threads; to the nanosecond where the scheduler tells (Linux)."""
    tasks = list(Path(f"/proc/{process.pid}/task").glob("*/schedstat"))
    if not tasks:
        times = process.cpu_times()
        return float(times.user + times.system)
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


@dataclass(frozen=True)
class _Spent:
    bare: float
    ffmpegs: float
    python: float

    def since(self, before: _Spent) -> _Spent:
        return _Spent(
            self.bare - before.bare, self.ffmpegs - before.ffmpegs, self.python - before.python
        )


def spent(bares: list[Child], ours: Child) -> _Spent:
    root, *ffmpegs = ours.tree()
    return _Spent(
        sum(cpu_s(psutil.Process(bare.process.pid)) for bare in bares),
        sum(cpu_s(process) for process in ffmpegs),
        cpu_s(root),
    )


def measure(count: int, size: str, bitrate: str) -> list[Figure]:
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        urls = stack.enter_context(cameras(count, folder, size, bitrate))
        config = folder / "cameras.yaml"
        entries = "".join(
            f"  c{n}: {{url: '{url}', segment_s: 10}}\n" for n, url in enumerate(urls)
        )
        config.write_text(f"cameras:\n{entries}")
        bares = [
            stack.enter_context(running(*bare_command(url, str(folder / f"bare{n}-%d.ts"))))
            for n, url in enumerate(urls)
        ]
        ours = stack.enter_context(
            service(
                "recorder", config=str(config), data_dir=str(folder / "data"),
                mqtt_port=str(free_port()), free_space_floor_gb="0",
            )
        )  # fmt: skip
        time.sleep(WARM_UP_S)
        before = spent(bares, ours)
        time.sleep(MEASURED_S)
        cost = spent(bares, ours).since(before)
        recordings = folder / "data" / "recordings"
        kept = [segments.list_segments(recordings, f"c{n}") for n in range(count)]
    return figures(f"{count} × {size}", count, cost, kept)


def figures(
    what: str, count: int, cost: _Spent, kept: list[list[segments.Segment]]
) -> list[Figure]:
    gaps = sum(len(coverage.gaps(one)) for one in kept)
    whole = gaps == 0 and all(len(one) >= (MEASURED_S - WARM_UP_S) // 10 - 1 for one in kept)
    share = 100 / MEASURED_S / count
    bare, ffmpegs, python = cost.bare * share, cost.ffmpegs * share, cost.python * share
    everything = (ffmpegs + python) / bare
    detail = {
        "gaps": float(gaps),
        "segments": float(sum(map(len, kept))),
        "with_python": everything,
    }
    unit = "% of a core"
    return [
        Figure(
            f"recorder, {what} at 15 fps: ffmpeg, a camera", unit, ffmpegs, bare,
            f"≤ {AIM_RATIO} ×, no gap", whole and ffmpegs <= AIM_RATIO * bare, detail,
        ),
        Figure(
            f"recorder, {what} at 15 fps: Python, a camera", unit, python, None,
            "< 1 %", python < 1.0, detail,
        ),
    ]  # fmt: skip


def run() -> list[Figure]:
    return [
        figure
        for count, size, bitrate in ((4, "1920x1080", "4M"), (16, "1280x720", "2M"))
        for figure in measure(count, size, bitrate)
    ]


if __name__ == "__main__":
    sys.stdout.write(f"{run()}\n")
