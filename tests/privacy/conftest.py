"""Small recordings with a head that walks, and looks that know where it is."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from privacy.claiming import Slot
from privacy.cover import Planes
from privacy.covering import Recipe
from privacy.folders import Folders
from privacy.regions import Found, Kind, make
from privacy.workbench import Tools, Workbench

from hazardcast.testing import ManualClock

WIDTH, HEIGHT = 320, 192
HEAD = (40, 40, 104, 104)
"""Where all pictures of `recording` have detail that nobody may see."""
Record = Callable[..., Path]


@pytest.fixture(scope="session")
def record(ffmpeg: str, tmp_path_factory: pytest.TempPathFactory) -> Record:
    """`record(seconds=1.2, fps="15")`: a transport stream full of detail, made once for all."""
    folder = tmp_path_factory.mktemp("recordings")

    def make_one(
        *output: str, seconds: float = 1.2, fps: str = "15", inputs: tuple[str, ...] = (),
        size: tuple[int, int] = (WIDTH, HEIGHT),
    ) -> Path:  # fmt: skip
        key = f"{abs(hash((output, seconds, fps, inputs, size)))}.ts"
        path = folder / key
        if not path.exists():
            source = f"testsrc2=s={size[0]}x{size[1]}:r={fps}:d={seconds}"
            noise = "noise=alls=60:allf=t"
            subprocess.run(
                [ffmpeg, "-v", "error", "-y", "-f", "lavfi", "-i", source, *inputs, "-vf", noise,
                 "-c:v", "libx264", "-preset", "ultrafast", "-g", "15", *output, "-f", "mpegts",
                 str(path)],
                check=True,
            )  # fmt: skip
        return path

    return make_one


def sees_head(planes: Planes, t: float, index: int) -> Found:
    """A detector that never errs."""
    return make([(np.array(HEAD, np.float32), 0.9, Kind.HEAD)])


def sees_nothing(planes: Planes, t: float, index: int) -> Found:
    """A detector that is dead."""
    return make([])


class Queue:
    """A queue with one slot, in this process."""

    def __init__(self, root: Path, program: str, clock: ManualClock) -> None:
        self.folders = Folders(root)
        self.folders.make()
        self.program, self.clock = program, clock
        self.slot = Slot(self.folders, 1, clock=clock)

    def bench(self, look: object = sees_head, **more: object) -> Workbench:
        tools = Tools(self.program, Recipe(), lambda camera: look, settings="as set")  # type: ignore[return-value,arg-type]
        return Workbench(self.folders, self.slot, tools, clock=self.clock, **more)  # type: ignore[arg-type]

    def add(self, source: Path, camera: str = "north", start_ms: int = 1_800_000_000_000) -> str:
        name = f"{start_ms}-{start_ms + 2000}.ts"
        target = self.folders.inbox / camera / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source.read_bytes())
        return name

    def files(self, folder: str) -> list[str]:
        """Of a folder, as `camera/file`, without what is written about them."""
        root = self.folders.root / folder
        return sorted(f"{path.parent.name}/{path.name}" for path in root.rglob("*.ts"))


@pytest.fixture
def queue(tmp_path: Path, ffmpeg: str, clock: ManualClock) -> Iterator[Queue]:
    made = Queue(tmp_path / "privacy", ffmpeg, clock)
    yield made
    made.slot.close()
