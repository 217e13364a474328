"""`hazardcast push` against the doors themselves."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from camera.push.__main__ import main
from camera.push.client import Client, Wanted
from camera.push.quality import BEST, LEAST, Quality

from hazardcast.contract.errors import ConfigError
from hazardcast.contract.messages import Detections
from hazardcast.contract.topics import DETECTIONS
from hazardcast.machine.clock import SystemClock
from hazardcast.testing import eventually
from tests.camera.house import OTHER, TOKEN, House

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guide" / "clients" / "push_tcp.py"
pytestmark = pytest.mark.network


@pytest.fixture(scope="module")
def film(ffmpeg: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    source = ["-f", "lavfi", "-i", "testsrc2=s=640x360:r=20:d=2"]
    subprocess.run([ffmpeg, "-v", "error", *source, path], check=True, timeout=30)
    return path


class Running:
    """A client on a thread of its own."""

    def __init__(self, house: House, film: Path, *, token: str = TOKEN, once: bool = False) -> None:
        url = f"ws://127.0.0.1:{house.port}/push/gate"
        wanted = Wanted(str(film), url, token, fps=10, most_width=320, once=once)
        self.told: list[dict[str, Any]] = []
        self.stop = threading.Event()
        client = Client(wanted, SystemClock(), self.told.append)
        self.thread = threading.Thread(target=client.run, args=(self.stop,))
        self.thread.start()

    def states(self) -> list[str]:
        return [one["state"] for one in self.told if "state" in one]


@pytest.fixture
def running(house: House, film: Path) -> Iterator[Running]:
    client = Running(house, film)
    yield client
    client.stop.set()
    client.thread.join(10)
    assert not client.thread.is_alive()
    house.gone()


def test_a_file_is_pushed_in_real_time_once_and_that_is_all(house: House, film: Path) -> None:
    client = Running(house, film, once=True)
    eventually(lambda: house.cameras["gate"].publisher, what="it came")
    publisher = house.cameras["gate"].publisher
    client.thread.join(15)
    house.gone()

    assert not client.thread.is_alive()
    assert publisher is not None
    assert 10 <= publisher.frames <= 21, "two seconds at ten pictures a second"
    assert publisher.refused == 0
    eventually(lambda: client.states() == ["connected"])


def test_what_is_seen_comes_back_and_a_file_goes_on_from_its_start(
    house: House, running: Running
) -> None:
    detector = house.broker.bus()
    empty = Detections.model_validate({"camera": "gate", "ts": 1.5, "frame_id": 1, "width": 320, "height": 180, "objects": [], "model": "m", "inference_ms": 1})  # fmt: skip
    eventually(lambda: wants(house), what="it asked")
    detector.publish(DETECTIONS, empty, camera="gate")

    eventually(lambda: [one for one in running.told if one.get("counts") == {}], what="told")
    eventually(lambda: frames(house) > 25, within_s=10, what="more than the file has")
    facts = house.cameras["gate"].facts()
    assert facts["size"] == (320, 180), "at most as wide as was asked"
    assert abs(facts["delay_s"]) < 1.0
    assert running.states() == ["connected"]


def wants(house: House) -> bool:
    publisher = house.cameras["gate"].publisher
    return publisher is not None and publisher.wants_results


def frames(house: House) -> int:
    return int(house.cameras["gate"].facts().get("frames", 0))


def test_a_client_that_is_let_go_comes_again(house: House, running: Running) -> None:
    eventually(lambda: house.cameras["gate"].publisher, what="it came")
    first = house.cameras["gate"].publisher
    assert first is not None
    first.end("for a test")

    eventually(lambda: house.cameras["gate"].publisher not in (None, first), within_s=10)
    eventually(lambda: running.states() == ["connected", "away", "connected"], what="it is told")
    assert "for a test" in [one.get("why") for one in running.told]


def test_the_guides_client_over_plain_tcp_pushes_a_file(
    house: House, film: Path, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text(TOKEN)
    arguments = ["127.0.0.1", str(house.port), "gate", str(tmp_path / "token"), str(film)]
    done = subprocess.run(
        [sys.executable, str(GUIDE), *arguments], capture_output=True, text=True, timeout=30, check=True,
    )  # fmt: skip
    house.gone()

    assert done.stdout.strip() == "HTTP/1.1 200 OK"
    assert len(GUIDE.read_text().partition("capture =")[2].splitlines()) <= 10
    assert "pickle" not in GUIDE.read_text()


def test_a_wrong_token_and_a_source_that_is_not_there_are_told_and_end_it(
    house: House, film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"ws://127.0.0.1:{house.port}/push/gate"
    (tmp_path / "token").write_text(OTHER + "\n")
    token = ["--token-file", str(tmp_path / "token")]

    assert main(["--source", str(film), "--to", url, *token]) == 2
    assert "--to: no such camera, or not its token" in capsys.readouterr().err
    assert main(["--source", str(tmp_path / "none.mp4"), "--to", url, *token]) == 2
    assert "--source: it cannot be opened" in capsys.readouterr().err
    assert main(["--source", str(film), "--to", url, "--token-file", str(tmp_path / "no")]) == 2
    assert "no token there" in capsys.readouterr().err
    with pytest.raises(ConfigError, match="not an address"):
        Client(Wanted(str(film), "gate", TOKEN, 5, 320, once=True), SystemClock(), print).run(
            threading.Event()
        )


def test_quality_gives_way_before_size_and_comes_back_when_it_is_calm() -> None:
    quality, now_s = Quality(), 0.0
    for number in range(100):
        now_s += 0.1
        quality.sent(0.2 if number % 10 == 0 else 0.01, period_s=0.1, now_s=now_s)
    assert (quality.quality, quality.share) == (BEST, 1.0), "a hiccup a second is none"
    for _ in range(60):
        now_s += 0.1
        quality.sent(0.09, period_s=0.1, now_s=now_s)
    assert (quality.quality, quality.share) == (LEAST, 0.35)

    worst_s = now_s
    while quality.share < 1.0 or quality.quality < BEST:
        now_s += 0.1
        quality.sent(0.01, period_s=0.1, now_s=now_s)
    assert 30 < now_s - worst_s < 60, "a step every five seconds"
