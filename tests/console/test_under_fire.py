"""Console and broker are killed while a station tells much: all that is in its journal is stored, once."""

from __future__ import annotations

import contextlib
import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from alerter.journal.journal import Journal
from alerter.journal.replay import Replayer
from console.store.database import StoreUnavailableError
from console.store.store import Store
from console.store.tables import RealtimeEvent
from sqlalchemy import select

from hazardcast.config.settings import environment_with
from hazardcast.contract.messages import ServiceStatus
from hazardcast.contract.topics import ACTIVE, JOURNAL, REPLAY_REQUESTS, STATUS
from hazardcast.machine.clock import SystemClock
from hazardcast.mqtt.bus import MqttBus
from hazardcast.testing import SignedStation, eventually

LASTS_S = float(os.environ.get("HAZARDCAST_TEST_UNDER_FIRE_S", "8"))
PER_S = 200


class AtOnce:
    """Work in turn, where nothing else is to be done."""

    def also(self, work: Callable[[], None]) -> bool:
        work()
        return True


class Station:
    """What an alerter says of its alerts, with its own journal; 200 versions a second."""

    def __init__(self, broker: Any, folder: Path) -> None:
        self.clock = SystemClock()
        self.bus = MqttBus(broker.settings(), client_id="station", persistent=True)
        self.journal = Journal(
            folder, station=4097, epoch=7, turn=AtOnce(), clock=self.clock, say=self._say, most_bytes=1e9, most_age_s=1e6
        )  # fmt: skip
        self.replayer = Replayer(self.journal, self.bus, has_room=lambda: True, clock=self.clock)
        self.bus.subscribe(REPLAY_REQUESTS, self.replayer.hear)
        self.stop = threading.Event()
        self.threads = [
            threading.Thread(target=run)
            for run in (lambda: self.replayer.run(self.stop), self._tell)
        ]

    def _say(self, entry: Any) -> None:
        if self.bus.connected:
            self.bus.publish(JOURNAL, entry, station="4097")

    def start(self) -> None:
        self.bus.start()
        for thread in self.threads:
            thread.start()

    def _tell(self) -> None:
        station, number, quiet = SignedStation(), 0, threading.Event()
        until = time.monotonic() + LASTS_S
        while not self.stop.is_set():
            if number % 50 == 0:
                self._tell_status()
            if time.monotonic() < until:
                number += 1
                alert = station.alert(number // 4, revision=number % 4, camera="north")
                self.journal.alert(alert, confidence=0.9, reporter="camera:north")
                self.journal.tell()
                if self.bus.connected and number % 5 == 0:
                    self.bus.publish(ACTIVE, alert, event_id=alert.event_id)
                quiet.wait(1 / PER_S)
            else:
                self.journal.sync()
                self._tell_status()
                quiet.wait(1.0)

    def _tell_status(self) -> None:
        stands = {"station": 4097, "journal": {"epoch": 7, "sequence": self.journal.newest}}
        word = ServiceStatus.parse({"service": "alerter", "instance": "a", "state": "online", "version": "1", "ts": self.clock.now(), "detail": stands})  # fmt: skip
        self.bus.publish(STATUS, word, service="alerter", instance="a")

    def close(self) -> None:
        self.stop.set()
        for thread in self.threads:
            thread.join(10)
        self.bus.close()


class ConsoleProcess:
    """`python -m console`, to be killed."""

    def __init__(self, broker: Any, folder: Path, url: str) -> None:
        config = folder / "cameras.yaml"
        config.write_text(json.dumps({"site": {"station_id": 4097}, "cameras": {"north": {"url": "demo://normal"}}}))  # fmt: skip
        self.environment = environment_with(
            config=str(config), data_dir=str(folder / "data"), mqtt_port=str(broker.port), metrics_port="0",
            console_port="0", instance="fire", database_url=url,
        )  # fmt: skip
        self.log = (folder / "console.log").open("w")
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen([sys.executable, "-m", "console"], env=self.environment, stderr=self.log)  # fmt: skip

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(15)
        self.log.close()


def stored(url: str) -> list[tuple[str, int]]:
    store = Store(url, site="4097")
    with contextlib.suppress(StoreUnavailableError), store.reading() as connection:
        rows = connection.execute(select(RealtimeEvent.event_id, RealtimeEvent.revision).where(RealtimeEvent.kind == "alert")).all()  # fmt: skip
        store.close()
        return sorted((str(row[0]), int(row[1] or 0)) for row in rows)
    return []  # the console that was killed left the file to be put in order


@pytest.mark.alone
@pytest.mark.network
@pytest.mark.slow
def test_all_that_stands_in_the_journal_is_stored_once(
    mosquitto: Any, tmp_path: Path, sqlite_url: str
) -> None:
    chance = random.Random(3)
    station = Station(mosquitto, tmp_path / "journal")
    console = ConsoleProcess(mosquitto, tmp_path, sqlite_url)
    station.start()
    end = time.monotonic() + LASTS_S
    while time.monotonic() < end:
        time.sleep(chance.uniform(1.0, 2.5))
        if chance.random() < 0.5:
            console.kill()
            console.start()
        else:
            mosquitto.kill()
            mosquitto.start()
    try:
        wanted = sorted(
            (f"4097-{number // 4}", number % 4) for number in range(1, station.journal.newest + 1)
        )
        eventually(
            lambda: len(stored(sqlite_url)) >= len(wanted), within_s=150, what="all is stored"
        )
        assert len(wanted) > 40 * LASTS_S
        assert stored(sqlite_url) == wanted
    finally:
        station.close()
        console.close()
