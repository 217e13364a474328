"""Everything that goes wrong at a roadside, at once, and what is left of the video.

RTSP cameras burn the wall clock into their pictures; recorders, clippers and a broker run as
processes; each fault hits a camera, a recorder, a disk or a clock for some seconds in the middle of
a clip's window. Then the burnt-in clock judges every clip: what was delivered and what was reported
missing must together be what was requested, within one group of pictures, and nothing that was
reported missing may have been recorded. `pytest -s` prints the table.
"""

from __future__ import annotations

import contextlib
import errno
import json
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from hazardcast.config.settings import environment_with
from hazardcast.contract.messages import ClipRequest
from hazardcast.contract.topics import CLIP_REQUESTS
from hazardcast.media import burnt_clock
from hazardcast.media.segments import list_segments
from hazardcast.mqtt.bus import MqttBus
from hazardcast.signing import clip_seal, trust
from hazardcast.testing import eventually

pytestmark = [pytest.mark.network, pytest.mark.slow, pytest.mark.timeout(300)]
cv2 = pytest.importorskip("cv2")

SHIFTED = Path(__file__).with_name("shifted_clock.py")
SEGMENT_S = 2.0
GROUP_S = 1.0
HOLE_S = 0.5
"""Pictures further apart than this have something missing between them."""
LOSSY_HOLE_S = 2.5
"""A key frame with a lost packet costs its whole group, sometimes two in a row."""
PRE_S, POST_S = 6.0, 24.0
FAULT_AFTER_S, FAULT_S = 3.0, 7.0
STEP_S = 60.0
KEPT_AT_A_KILL_S = 1.0
NAME_ERROR_S = 0.1


class Relay:
    """A TCP path to a camera that can die without a word: both ends stay open, nothing moves."""

    def __init__(self, url: str) -> None:
        host, _, path = url.removeprefix("rtsp://").partition("/")
        self._target = (host.split(":")[0], int(host.split(":")[1]))
        self._cut = threading.Event()
        self._closed = threading.Event()
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.settimeout(0.1)
        self.url = f"rtsp://127.0.0.1:{self._server.getsockname()[1]}/{path}"
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        self._cut.set()

    def mend(self) -> None:
        self._cut.clear()

    def close(self) -> None:
        self._closed.set()
        self._server.close()

    def _accept(self) -> None:
        while not self._closed.is_set():
            if self._cut.is_set():
                time.sleep(0.05)
                continue
            with contextlib.suppress(OSError):
                client, _ = self._server.accept()
                camera = socket.create_connection(self._target)
                for source, sink in ((client, camera), (camera, client)):
                    threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                if self._cut.is_set():
                    self._closed.wait()  # neither forwarded nor closed: half open
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)


@dataclass
class Station:
    """A recorder and a clipper over one data directory."""

    name: str
    desk: Path
    """Where its configuration, keys and logs lie: not on the disk that gets full."""
    folder: Path
    mqtt_port: int
    ffmpeg: str
    cameras: dict[str, dict[str, Any]]
    offset: Path | None = None
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def clips_dir(self) -> Path:
        return self.folder / "clips"

    @property
    def recordings_dir(self) -> Path:
        return self.folder / "recordings"

    def start(self, module: str) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        config = self.desk / f"{self.name}.yaml"
        config.write_text(yaml.safe_dump({"cameras": self.cameras}))
        runner = [str(SHIFTED), str(self.offset), module] if self.offset else ["-m", module]
        # The recorder knows no broker at all: it must not need one.
        port = self.mqtt_port if module == "clipper" else 1
        environment = environment_with(
            config=str(config), data_dir=str(self.folder), mqtt_port=str(port),
            metrics_port="0", instance=self.name, ffmpeg=self.ffmpeg, free_space_floor_gb="0",
            clip_key=str(self.desk / f"{self.name}.jwk"),
            truststore=str(self.desk / f"{self.name}.truststore"),
        )  # fmt: skip
        with (self.desk / f"{self.name}-{module}.log").open("ab") as log:
            self.processes[module] = subprocess.Popen(
                [sys.executable, *runner], env=environment, stderr=log
            )

    def kill(self, module: str) -> None:
        self.processes[module].kill()
        self.processes[module].wait(10)

    def close(self) -> None:
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()

    def segments(self, camera: str) -> list[Any]:
        return list_segments(self.recordings_dir, camera)

    def manifest(self, camera: str) -> Path | None:
        return next(iter(self.clips_dir.glob(f"accident_*_{camera}.json")), None)


@dataclass
class Row:
    """One fault, and what is to be said of its clip."""

    fault: str
    station: Station
    camera: str
    causes: frozenset[str]
    """Of gaps that the fault may leave."""
    may_gap: bool = True
    hole_s: float = HOLE_S
    recorded_elsewhere: bool = False
    """Pictures of the gap are kept, under the wrong time that the machine's clock showed."""
    requested_s: float = 0.0
    delivered_s: float = 0.0
    gaps_s: float = 0.0
    gaps: int = 0
    true_gaps: int = 0
    problems: list[str] = field(default_factory=list)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    mount = shutil.which("mount")
    command = [str(mount), "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(folder)]
    if mount is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a small disk cannot be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=False)


@contextlib.contextmanager
def full(folder: Path) -> Iterator[None]:
    """Whatever becomes free on the disk of `folder` is taken at once."""
    ended = threading.Event()
    filler = folder / "filler"

    def fill() -> None:
        with filler.open("wb", buffering=0) as file:
            while not ended.wait(0.05):
                try:
                    for size in (65_536, 4096, 1):
                        while True:
                            file.write(bytes(size))
                except OSError as error:
                    assert error.errno == errno.ENOSPC

    thread = threading.Thread(target=fill)  # fmt: skip
    thread.start()
    yield
    ended.set()
    thread.join()
    filler.unlink()


def _has_segments(row: Row, count: int) -> bool:
    return len(row.station.segments(row.camera)) >= count


def burnt_times(path: Path) -> list[float]:
    """Epoch seconds that the clock shows in each picture; unreadable ones are left out."""
    capture = cv2.VideoCapture(str(path))
    times: list[float] = []
    while True:
        there, picture = capture.read()
        if not there:
            capture.release()
            return times
        if (shown := burnt_clock.read(picture)) is not None:
            times.append(shown / 1000)


def covered_s(times: Sequence[float], start: float, end: float, hole_s: float) -> float:
    """Seconds of [start, end] for which there are pictures."""
    return sum(
        max(0.0, min(after, end) - max(before, start))
        for before, after in pairwise(sorted(times))
        if after - before <= hole_s
    )


def inside(times: Sequence[float], gap: dict[str, Any], margin_s: float) -> list[float]:
    return [at for at in times if gap["start"] + margin_s < at < gap["end"] - margin_s]


def judge(row: Row, ffmpeg: str) -> None:
    """Fill in what the pictures say."""
    path = row.station.manifest(row.camera)
    assert path, f"no clip of {row.fault}"
    manifest = json.loads(path.read_bytes())
    start, end = manifest["requested"]["start"], manifest["requested"]["end"]
    shown = burnt_times(path.with_suffix(".mp4"))
    gaps = manifest["gaps"]
    row.requested_s, row.gaps = end - start, len(gaps)
    row.delivered_s = covered_s(shown, start, end, row.hole_s)
    row.gaps_s = sum(gap["end"] - gap["start"] for gap in gaps)
    everything = [at for segment in row.station.segments(row.camera) for at in burnt_times(segment.path)]  # fmt: skip
    known = shown if row.recorded_elsewhere else [*shown, *everything]
    for gap in gaps:
        found = inside(known, gap, 0.2)
        row.true_gaps += not found
        if found:
            row.problems.append(f"{gap} is not true: {len(found)} pictures of it")
        starved = gap["cause"] == "no_frames" and gap["end"] - gap["start"] <= GROUP_S
        if gap["cause"] not in row.causes and not starved:
            row.problems.append(f"{gap}: cause is none of {sorted(row.causes)}")
    off_s = row.delivered_s + row.gaps_s - row.requested_s
    # At an edge too a group may be damaged, so that no picture of it shows its time.
    if abs(off_s) > max(GROUP_S, row.hole_s):
        row.problems.append(f"delivered + gaps − requested = {off_s:.2f} s")
    if row.gaps_s > GROUP_S and not row.may_gap:
        row.problems.append("nothing should be missing")
    lost = missing_from_clip(everything, shown, start, end)
    if lost and not row.recorded_elsewhere:
        row.problems.append(f"{lost} recorded pictures are not in the clip")
    seal = trust.load_truststore(row.station.desk / f"{row.station.name}.truststore")
    row.problems += clip_seal.verify(path, seal).problems


def missing_from_clip(
    recorded: Sequence[float], shown: Sequence[float], start: float, end: float
) -> int:
    """Pictures of the window that are recorded and not in the clip; a damaged one may read as none."""
    there = {round(at, 3) for at in shown}
    wanted = [at for at in recorded if start + GROUP_S < at < end - GROUP_S]
    lost = sum(round(at, 3) not in there for at in wanted)
    return lost if lost > len(wanted) // 50 else 0


def table(rows: Sequence[Row]) -> str:
    lines = [
        f"\n{'fault':34} {'requested':>9} {'delivered':>9} {'gaps':>12} {'true':>5}  invariant"
    ]
    for row in rows:
        gaps = f"{row.gaps} ({row.gaps_s:.2f} s)"
        verdict = "held" if not row.problems else f"BROKEN: {'; '.join(row.problems)}"
        lines.append(
            f"{row.fault:34} {row.requested_s:8.2f}s {row.delivered_s:8.2f}s {gaps:>12} "
            f"{row.true_gaps:>5}  {verdict}"
        )
    return "\n".join(lines)


@pytest.fixture
def stations(
    tmp_path: Path, mosquitto: Any, ffmpeg: str, small_disk: Path
) -> Iterator[Callable[..., Station]]:
    made: list[Station] = []

    def make(name: str, cameras: dict[str, dict[str, Any]], **more: Any) -> Station:
        folder = more.pop("folder", tmp_path / name)
        entries = {camera: {"segment_s": SEGMENT_S, **entry} for camera, entry in cameras.items()}
        made.append(Station(name, tmp_path, folder, mosquitto.port, ffmpeg, entries, **more))
        return made[-1]

    yield make
    for station in made:
        station.close()


def test_whatever_goes_wrong_the_clip_holds_what_was_recorded_and_tells_what_was_not(
    stations: Callable[..., Station], rtsp_camera: Any, mosquitto: Any, small_disk: Path,
    tmp_path: Path, ffmpeg: str,
) -> None:  # fmt: skip
    def camera(*options: str) -> Any:
        return rtsp_camera("--clock", *options)

    killed, frozen, silent, changed = camera(), camera(), camera(), camera()
    relay = Relay(silent.url)
    offset = tmp_path / "offset"
    offset.write_text("0")
    street = stations(
        "street",
        {
            "healthy": {"url": camera().url},
            "killed": {"url": killed.url},
            "frozen": {"url": frozen.url},
            "silent": {"url": relay.url},
            "lossy": {"url": camera("--noise", "--loss", "0.05").url, "rtsp_transport": "udp"},
            "changed": {"url": changed.url},
        },
    )
    crashing = stations("crashing", {"crashed": {"url": camera().url}})
    full_up = stations("full", {"cramped": {"url": camera().url}}, folder=small_disk / "data")
    stepping = stations("stepping", {"stepped": {"url": camera().url}}, offset=offset)
    down = frozenset({"camera_down", "stalled"})
    rows = [
        Row("none, broker away throughout", street, "healthy", frozenset(), may_gap=False),
        Row("camera killed", street, "killed", down),
        Row("camera frozen, connection open", street, "frozen", down),
        Row("half-open TCP", street, "silent", down),
        Row("5 % packet loss over UDP", street, "lossy", down, hole_s=LOSSY_HOLE_S),
        Row("camera back with other resolution", street, "changed", down | {"format_changed"}),
        Row("recorder kill -9", crashing, "crashed", frozenset({"recorder_killed"})),
        Row("disk full", full_up, "cramped", frozenset({"disk_full"})),
        Row("clock set +60 s, then −60 s", stepping, "stepped", frozenset({"clock_stepped"}),
            recorded_elsewhere=True),
    ]  # fmt: skip
    everyone = (street, crashing, full_up, stepping)
    for station in everyone:
        station.start("recorder")
    for station in everyone:
        station.start("clipper")
    asker = MqttBus(mosquitto.settings(), client_id="asker")
    asker.start()
    assert asker.wait_connected(5)
    for row in rows:
        eventually(partial(_has_segments, row, 4), within_s=60, what=row.fault)
    moment = time.time()
    for row in rows:
        request = ClipRequest(
            event_id=f"4097-{row.camera}", camera=row.camera, ts=moment, pre_s=PRE_S, post_s=POST_S
        )
        asker.publish(CLIP_REQUESTS, request)
    assert asker.flush(5)
    for row in rows:
        job = row.station.clips_dir / ".jobs" / f"4097-{row.camera}"
        eventually(job.is_dir, within_s=10, what=f"the job of {row.camera}")
    asker.close()
    mosquitto.stop()

    time.sleep(max(0.0, moment + FAULT_AFTER_S - time.time()))
    with full(small_disk):
        killed.kill()
        frozen.freeze()
        relay.cut()
        changed.kill()
        changed.options = ("--clock", "--size", "480x270")
        changed.start()
        killed_at = time.time()
        crashing.kill("recorder")
        crashing.start("recorder")
        offset.write_text(str(STEP_S))
        time.sleep(FAULT_S)
        offset.write_text("0")
        killed.start()
        frozen.thaw()
        relay.mend()

    try:
        for row in rows:
            eventually(partial(row.station.manifest, row.camera), within_s=60, what=row.fault)
    finally:
        mosquitto.start()
        relay.close()
    for row in rows:
        judge(row, ffmpeg)
    print(table(rows))
    assert not [row.fault for row in rows if row.problems], table(rows)
    before = [
        at for s in crashing.segments("crashed") for at in burnt_times(s.path) if at < killed_at
    ]
    assert killed_at - max(before) <= KEPT_AT_A_KILL_S
    clean = [row for row in rows if row.hole_s == HOLE_S and not row.recorded_elsewhere]
    errors = sorted(abs(e) for row in clean for e in name_errors_s(row.station, row.camera))
    worst_of_99 = errors[len(errors) * 99 // 100]
    print(
        f"wall clock of {len(errors)} names: median {errors[len(errors) // 2] * 1000:.0f} ms, "
        f"p99 {worst_of_99 * 1000:.0f} ms, worst {errors[-1] * 1000:.0f} ms"
    )
    assert worst_of_99 <= NAME_ERROR_S
    heights = {picture_height(segment.path) for segment in street.segments("changed")}
    assert heights == {180, 270}


def name_errors_s(station: Station, camera: str) -> list[float]:
    """How far the names of a camera's segments lie from the clock in their pictures."""
    errors = []
    for segment in station.segments(camera):
        if times := burnt_times(segment.path):
            errors += [segment.start - times[0], segment.end - times[-1]]
    return errors


def picture_height(path: Path) -> int:
    capture = cv2.VideoCapture(str(path))
    height = int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
    capture.release()
    return height
