"""The reporters: one for each door, each says its words in order and notes what the door answers."""

from __future__ import annotations

import http.client
import json
import queue
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from benchmarks.testbed import BROKER_PORT
from tests.chaos.ledger import Account, Ledger
from tests.chaos.reports import Case, Door, Say, Script, Word, render
from tests.chaos.world import HTTP_PORT, World

PATIENCE_S = 30.0
PAUSE_S = 0.3
TAKEN_WITHIN_S = 40.0


class Reporters:
    """Gives each word to its door when it is due; a word about what was not accepted is left out."""

    def __init__(
        self, world: World, ledger: Ledger, script: Script, clock: Callable[[], float]
    ) -> None:
        self._ledger, self._script, self._clock = ledger, script, clock
        self.sent_at: dict[int, float] = {}
        """Number → monotonic clock just before it was first said."""
        self._doors = {
            "mqtt": _Mqtt(world, ledger, clock),
            "http": _Http(world, ledger, clock),
            "file": _Files(world, ledger, clock),
        }

    def run(self, began: float) -> None:
        """Say everything; `began` is the monotonic clock at the script's second 0."""
        for say in self._script.says:
            time.sleep(max(0.0, began + say.at_s - time.monotonic()))
            case = self._script.cases[say.number]
            account = self._account(case, say.word)
            if say.word == "new":
                self.sent_at[say.number] = time.monotonic()
            self._doors[case.door].put(account, say)

    def _account(self, case: Case, word: Word) -> Account:
        with self._ledger.lock:
            account = self._ledger.accounts.setdefault(case.number, Account(case))
            if word == "new":
                account.said = self._clock()
            return account

    def close(self) -> None:
        """Wait for the answers that are still due, then end."""
        for door in self._doors.values():
            door.close()


class _Queue(ABC):
    """A door that takes one word at a time."""

    name: Door

    def __init__(self, ledger: Ledger, clock: Callable[[], float]) -> None:
        self._ledger, self._clock = ledger, clock
        self._words: queue.Queue[tuple[Account, Say] | None] = queue.Queue()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def put(self, account: Account, say: Say) -> None:
        self._words.put((account, say))

    def close(self) -> None:
        self._words.put(None)
        self._thread.join()

    def _work(self) -> None:
        while item := self._words.get():
            account, say = item
            if say.word != "new" and account.accepted is None:
                continue
            if say.word == "cancel":
                account.cancel_said = self._clock()
            self._say(account, say.word)

    @abstractmethod
    def _say(self, account: Account, word: Word) -> None: ...

    def _accepted(self, account: Account, word: Word) -> None:
        at = self._clock()
        with self._ledger.lock:
            if word == "new":
                account.accepted = at
            elif word == "update":
                account.updated = at
            elif word == "witness":
                account.witnessed = at
            elif word == "cancel":
                account.cancelled = at


class _Http(_Queue):
    def __init__(self, world: World, ledger: Ledger, clock: Callable[[], float]) -> None:
        super().__init__(ledger, clock)
        self._token = world.token()
        world.station.inside(self._thread.start)

    def _say(self, account: Account, word: Word) -> None:
        """Tried again while nobody answers, as any reporter would."""
        body, until = render(account.case, word, time.time()), time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            status, answer = self._post(body)
            if status == 202:
                self._accepted(account, word)
                if word == "new":
                    account.event_id = json.loads(answer)["event_id"]
                return
            if status is not None and 400 <= status < 500:
                self._refused(account, word, f"{status} {answer.decode(errors='replace')[:200]}")
                return
            time.sleep(PAUSE_S)

    def _post(self, body: bytes) -> tuple[int | None, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", HTTP_PORT, timeout=3)
        try:
            connection.request("POST", "/alert", body, {"Authorization": f"Bearer {self._token}"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            return None, b""
        finally:
            connection.close()

    def _refused(self, account: Account, word: Word, why: str) -> None:
        if word == "new":
            account.refused = why
        elif word == "cancel":
            account.cancel_said = None  # the door knows nothing of it: it was not said


class _Mqtt(_Queue):
    """Acknowledgements are noted as they come; words that wait for theirs hold up no other."""

    def __init__(self, world: World, ledger: Ledger, clock: Callable[[], float]) -> None:
        super().__init__(ledger, clock)
        self._owed: dict[int, tuple[Account, Word]] = {}
        self._early: set[int] = set()
        """Acknowledged before `publish` had returned."""
        self._lock = threading.Lock()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="chaos-reporter")
        self._client.reconnect_delay_set(1, 2)
        self._client.on_publish = self._acknowledged

        def connect() -> None:
            self._client.connect("127.0.0.1", BROKER_PORT)
            self._client.loop_start()
            self._thread.start()

        world.station.inside(connect)

    def _work(self) -> None:
        while item := self._words.get():
            account, say = item
            if say.word == "cancel":
                account.cancel_said = self._clock()
            self._say(account, say.word)

    def _say(self, account: Account, word: Word) -> None:
        retained = word == "old cancel" or (word == "new" and account.case.retained)
        body = render(account.case, word, time.time())
        number = self._client.publish("v2x/alert", body, qos=1, retain=retained).mid
        with self._lock:  # never while publishing: paho holds locks of its own in its callbacks
            early = number in self._early
            self._early.discard(number)
            if not early:
                self._owed[number] = (account, word)
        if early:
            self._accepted(account, word)

    def _acknowledged(self, _client: object, _data: object, mid: int, *_: object) -> None:
        with self._lock:
            found = self._owed.pop(mid, None)
            if found is None:
                self._early.add(mid)
        if found:
            self._accepted(*found)

    def close(self) -> None:
        super().close()
        deadline = time.monotonic() + PATIENCE_S
        while self._owed and time.monotonic() < deadline:
            time.sleep(0.1)
        self._client.disconnect()
        self._client.loop_stop()


class _Files(_Queue):
    """Writes a file under another name, renames it, and looks where it goes."""

    def __init__(self, world: World, ledger: Ledger, clock: Callable[[], float]) -> None:
        super().__init__(ledger, clock)
        self._folder = world.folder / "station" / "events"
        self._thread.start()

    def _say(self, account: Account, word: Word) -> None:
        name = f"{account.case.number}-{word.replace(' ', '-')}.json"
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until and not self._drop(name, account.case, word):
            time.sleep(PAUSE_S)
        threading.Thread(target=self._look, args=(name, account, word), daemon=True).start()
        if word == "new":
            self._wait(account)

    def _drop(self, name: str, case: Case, word: Word) -> bool:
        hidden = self._folder / f".{name}.part"
        try:
            hidden.write_bytes(render(case, word, time.time()))
            hidden.rename(self._folder / name)
        except OSError:
            return False
        return True

    def _wait(self, account: Account) -> None:
        """Files are taken one after the other, so that a later word finds what it is about."""
        until = time.monotonic() + 2.0
        while account.accepted is None and account.refused is None and time.monotonic() < until:
            time.sleep(0.05)

    def _look(self, name: str, account: Account, word: Word) -> None:
        until = time.monotonic() + TAKEN_WITHIN_S
        done, rejected = (self._folder / place / name for place in ("done", "rejected"))
        while time.monotonic() < until:
            if done.exists():
                self._accepted(account, word)
                return
            if rejected.exists():
                self._rejected(rejected, account, word)
                return
            time.sleep(0.05)
        if (self._folder / name).exists():
            self._ledger.note(f"{name} was not taken from events/ within {TAKEN_WITHIN_S:g} s")

    def _rejected(self, path: Path, account: Account, word: Word) -> None:
        time.sleep(0.1)
        reason = path.with_name(f"{path.name}.reason.txt")
        why = reason.read_text().strip() if reason.exists() else "no reason given"
        if word == "new":
            account.refused = why
        elif word == "cancel":
            account.cancel_said = None
