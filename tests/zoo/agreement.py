"""`python -m tests.zoo.agreement [ROW…]`: does `hazardcast check` say what the recorder does?

Both look at the same camera at the same time: the recorder's service, and `check` as people run it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from recorder import child
from recorder.service import RecorderService

from hazardcast.config import settings as settings_module
from hazardcast.config import site
from hazardcast.config.settings import Settings
from hazardcast.machine.clock import SystemClock
from hazardcast.media.ffmpeg import find_ffmpeg
from hazardcast.media.segments import list_segments
from hazardcast.testing import MemoryBroker
from tests.zoo.row import Row
from tests.zoo.rows import ROWS
from tests.zoo.standing import CREDENTIALS, Standing, standing

CAMERA = "north"
BESIDE = 3
CHECK_S = 240.0
MORE_PATIENCE_S = 20.0
ODD_SIZES = 2
"""What is encoded again has even sides."""


@dataclass
class Agreement:
    """What both say of a row."""

    row: str
    by_check: tuple[object, ...] = ()
    by_recorder: tuple[object, ...] = ()
    finding: dict[str, Any] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        return bool(self.by_check) and self.by_check == self.by_recorder

    def line(self) -> str:
        same = "same" if self.holds else "OTHER"
        return f"{self.row:22} {same}  check {self.by_check}" + (
            "" if self.holds else f"  recorder {self.by_recorder}"
        )


def agreement(row: Row) -> Agreement:
    """Have both look at the camera of `row`."""
    with tempfile.TemporaryDirectory(prefix="zoo-") as folder, standing(row) as camera:
        if camera.account:
            os.environ[CREDENTIALS] = camera.account
        return _compared(row, camera, Path(folder))


def _compared(row: Row, camera: Standing, folder: Path) -> Agreement:
    config = folder / "cameras.yaml"
    config.write_text(yaml.safe_dump({"cameras": {CAMERA: camera.settings}}))
    settings = Settings(data_dir=folder / "recorded", config=config)
    stop = threading.Event()
    service = RecorderService(
        settings, site.load(config).cameras, program=find_ffmpeg(settings.ffmpeg),
        bus=MemoryBroker().bus(), clock=SystemClock(), stop=stop,
    )  # fmt: skip
    thread = threading.Thread(target=service.run, daemon=True)
    thread.start()
    try:
        finding = _checked(config, folder / "checked")
        is_recorded = finding["facts"]["recording"]["recorded"]
        by_recorder = _recorders_word(row, service, settings, is_recorded=is_recorded)
    finally:
        stop.set()
        thread.join(10)
    return Agreement(row.name, _checks_word(finding), by_recorder, finding)


def _checked(config: Path, data: Path) -> dict[str, Any]:
    told = subprocess.run(
        [sys.executable, "-m", "hazardcast_tools", "check", "--json"],
        env=settings_module.environment_with(
            config=str(config), data_dir=str(data), mqtt_port="1", free_space_floor_gb="0",
            multicast_interface="127.0.0.1",
        ),
        capture_output=True, text=True, check=False, timeout=CHECK_S,
    )  # fmt: skip
    findings = json.loads(told.stdout)["findings"]
    return next(one for one in findings if one["what"] == f"camera {CAMERA}")


def _checks_word(finding: dict[str, Any]) -> tuple[object, ...]:
    trial = finding["facts"]["recording"]
    if not trial["recorded"]:
        return trial["state"], trial["detail"]
    is_copied = trial["video_plan"] == "copy"
    codec, size = (trial["video"], trial["size"]) if is_copied else ("h264", _even(trial["size"]))
    return "recorded", codec, size, trial["audio_plan"], trial["transport"]


def _even(size: str) -> str:
    return "x".join(str(int(side) // ODD_SIZES * ODD_SIZES) for side in size.split("x"))


def _recorders_word(
    row: Row, service: RecorderService, settings: Settings, *, is_recorded: bool
) -> tuple[object, ...]:
    """As soon as it has come as far as `check` says, else what it is after its patience."""
    recorder = service.recorders[CAMERA]
    deadline = time.monotonic() + row.patience_s + MORE_PATIENCE_S
    while time.monotonic() < deadline:
        if recorder.report.state == "live" and list_segments(settings.recordings_dir, CAMERA):
            break
        if not is_recorded and recorder.report.state in {"unauthorised", "unusable"}:
            break
        time.sleep(0.2)
    segments = list_segments(settings.recordings_dir, CAMERA)
    if not segments:
        return str(recorder.report.state), recorder.report.detail
    pid = child.working_in((settings.recordings_dir / CAMERA / ".open").resolve())
    uses_udp = child.uses_udp(pid) if pid else None
    is_rtsp = recorder._source.url.startswith("rtsp:")
    transport = None if uses_udp is None or not is_rtsp else "udp" if uses_udp else "tcp"
    codec, size = _probed(segments[0].path)  # when `check` looked
    return "recorded", codec, size, recorder._approach.plan.audio, transport


def _probed(path: Path) -> tuple[str, str]:
    told = subprocess.run(
        ["ffprobe", "-v", "error", "-of", "json", "-select_streams", "v:0", "-show_streams",
         str(path)],
        capture_output=True, check=True,
    ).stdout  # fmt: skip
    video = json.loads(told)["streams"][0]
    return video["codec_name"], f"{video['width']}x{video['height']}"


def main() -> None:
    rows = [row for row in ROWS if not sys.argv[1:] or row.name in sys.argv[1:]]
    others = []
    with ThreadPoolExecutor(BESIDE) as pool:
        for one in pool.map(agreement, rows):
            print(one.line(), flush=True)
            others += [] if one.holds else [one.row]
    print(f"{len(rows)} rows, {len(others)} told otherwise: {' '.join(others)}")
    sys.exit(1 if others else 0)


if __name__ == "__main__":
    main()
