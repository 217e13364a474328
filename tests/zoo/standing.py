"""A row's camera, up and sending: `with standing(row) as camera: … camera.url`."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from hazardcast.testing import eventually
from tests.zoo.film import made
from tests.zoo.manner import Rtsp
from tests.zoo.row import Row

ROOT = Path(__file__).resolve().parents[2]
CREDENTIALS = "CAM_ZOO"
"""The environment variable that holds an account, where the camera wants one."""


@dataclass
class Standing:
    """A camera that can be asked."""

    row: Row
    url: str = ""
    account: str | None = None
    """`user:password` that it wants."""
    began: list[float] = field(default_factory=list)
    """Wall clocks at which the film began: one, or one for each viewer."""

    @property
    def settings(self) -> dict[str, object]:
        """What `cameras.yaml` says of it."""
        login = {"credentials": CREDENTIALS} if self.account else {}
        return {"url": self.url, "segment_s": self.row.segment_s, **login}

    def read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout
        for line in process.stdout:
            word, _, rest = line.strip().partition(" ")
            if word == "began":
                self.began.append(float(rest))
            else:
                self.url = word


@contextmanager
def standing(row: Row) -> Iterator[Standing]:
    """The camera of `row`, as separate a program as a real camera is."""
    make_films(row)
    camera = Standing(row, account=getattr(row.manner, "account", None))
    with subprocess.Popen(
        [sys.executable, "-m", "tests.zoo", "camera", row.name],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        reader = threading.Thread(target=camera.read, args=(process,), daemon=True)
        reader.start()
        try:
            eventually(lambda: camera.url or process.poll() is not None, within_s=60)
            assert camera.url, f"the camera {row.name} does not come up"
            yield camera
        finally:
            process.kill()
            process.wait(10)
            reader.join(5)


def make_films(row: Row) -> None:
    """Film everything before the camera goes up: others wait for its first picture."""
    made(row.film)
    if isinstance(row.manner, Rtsp):
        if row.manner.second:
            made(row.manner.second)
        if row.manner.then:
            made(row.manner.then[1])
