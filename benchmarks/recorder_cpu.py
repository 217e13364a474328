"""CPU of the recorder for one 1080p15 camera, beside bare `ffmpeg -c copy -f segment`.

Both read the same stream (H.264, about 4 Mbit/s, paced in real time, MPEG-TS over HTTP) at once.
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
from pathlib import Path

from benchmarks.harness import Figure, free_port, running, service
from hazardcast.ffmpeg import find_ffmpeg

WARM_UP_S = 5.0
MEASURED_S = 60.0
SOURCE_S = 20


def make_source(folder: Path) -> Path:
    """A 1080p15 H.264 file with a keyframe a second."""
    path = folder / "source.ts"
    subprocess.run(
        [
            find_ffmpeg(), "-loglevel", "error",
            "-f", "lavfi", "-i", f"testsrc2=size=1920x1080:rate=15:duration={SOURCE_S}",
            "-vf", "noise=alls=12:allf=t", "-c:v", "libx264", "-preset", "ultrafast",
            "-b:v", "4M", "-maxrate", "4M", "-bufsize", "4M", "-g", "15", "-bf", "0",
            "-f", "mpegts", str(path),
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


def bare_command(url: str, folder: Path) -> list[str]:
    return [
        find_ffmpeg(), "-loglevel", "error", "-i", url, "-c", "copy", "-f", "segment",
        "-segment_time", "10", "-segment_format", "mpegts", str(folder / "bare-%d.ts"),
    ]  # fmt: skip


def run() -> list[Figure]:
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        port = stack.enter_context(camera(make_source(folder)))
        url = f"http://127.0.0.1:{port}/camera.ts"
        config = folder / "cameras.yaml"
        config.write_text(f"cameras:\n  north: {{url: '{url}', segment_s: 10}}\n")
        bare = stack.enter_context(running(*bare_command(url, folder)))
        ours = stack.enter_context(
            service(
                "recorder",
                config=str(config),
                data_dir=str(folder / "data"),
                mqtt_port=str(free_port()),
            )
        )
        time.sleep(WARM_UP_S)
        before = bare.cpu_s(), ours.cpu_s()
        time.sleep(MEASURED_S)
        bare_s, ours_s = bare.cpu_s() - before[0], ours.cpu_s() - before[1]
        segments = len(list((folder / "data" / "recordings" / "north").glob("*T*/*.ts")))
    bare_percent, ours_percent = 100 * bare_s / MEASURED_S, 100 * ours_s / MEASURED_S
    met = ours_percent <= 1.2 * bare_percent and segments > 0
    detail = {"segments": float(segments)}
    return [
        Figure("recorder CPU, one 1080p15 camera", "% of a core", ours_percent, bare_percent, "≤ 1.2 ×", met, detail)
    ]  # fmt: skip


if __name__ == "__main__":
    sys.stdout.write(f"{run()}\n")
