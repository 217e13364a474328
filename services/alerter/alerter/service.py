"""The alerter process: three doors in, the air and the broker out."""

from __future__ import annotations

import gc
import logging
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from typing import Literal

from alerter import metrics
from alerter.air import heartbeat, station, unicast
from alerter.air.datagrams import Fitting, room_for_alert
from alerter.air.epochs import Epochs
from alerter.air.group import Air
from alerter.air.on_air import OnAir
from alerter.air.self_test import SelfTester
from alerter.air.transmitter import Totals, Transmitter
from alerter.air.unicast import UnicastList
from alerter.alerter import Alerter
from alerter.doors.drop_folder import DropFolder
from alerter.doors.http_server import TICK_S, HttpServer
from alerter.doors.webhook import Doors, application
from alerter.exports import subscribers
from alerter.exports.exports import Exports
from alerter.exports.subscribers import Subscriber
from alerter.journal.journal import Journal
from alerter.journal.replay import Replayer
from alerter.kpi.receipts import Receipts
from alerter.lifecycle import numbers
from alerter.lifecycle.keeper import PATIENCE_S, UNHURRIED_S, Keeper
from alerter.lifecycle.numbering import Numbering
from alerter.lifecycle.register import Register
from alerter.lifecycle.sequence import Sequence
from alerter.lifecycle.store import Store
from hazardcast.config import site
from hazardcast.config.settings import Settings
from hazardcast.contract.messages import AlerterDetail, Heartbeat, JournalEntry
from hazardcast.contract.messages.detail import JournalPlace
from hazardcast.contract.topics import BROADCAST, JOURNAL, REPLAY_REQUESTS
from hazardcast.machine.clock import Clock, SystemClock
from hazardcast.machine.steady import Steady
from hazardcast.mqtt.bus import MqttBus
from hazardcast.mqtt.presence import Name, Presence, Word
from hazardcast.net.multicast import Group
from hazardcast.service import lifecycle
from hazardcast.service.metrics import Health, MetricsServer
from hazardcast.service.watchdog import LIMIT_S, Watchdog

log = logging.getLogger(__name__)
SERVICE = "alerter"
TIDY_EVERY_S = 0.25
FLUSH_WITHIN_S = 2.0
LATE_S = 5.0
"""A timer that far behind hangs, or the machine is lost."""
SECOND_PATH_BACKLOG, JOURNAL_BACKLOG, REPLAY_BACKLOG = 400, 200, 20
"""Messages that the broker has still to acknowledge: beyond, nothing is added. The journal, and its
entries said again all the more, leave room to the second path, and hardly a datagram waits."""

THREAD_SWITCH_S = 0.000_5
"""Python's default of 5 ms would let the ticks of other alerts hold up a new one."""


def serve(settings: Settings, stop: threading.Event) -> None:
    """Run the alerter until `stop`."""
    sys.setswitchinterval(THREAD_SWITCH_S)
    with ExitStack() as stack:
        Service(settings, stop, stack).run()


class Service:
    """Everything that one alerter process holds."""

    def __init__(self, settings: Settings, stop: threading.Event, stack: ExitStack) -> None:
        self._settings = settings
        self._stop = stop
        self._stack = stack
        self._clock: Clock = SystemClock()
        self._watchdog = Watchdog(self._clock)
        self._tidying = self._watchdog.turn("tidying")
        self._steady = Steady(self._clock)
        self._config = site.load(settings.config)
        self._station = self._config.site.station_id
        self._withholding = {mode: self._config.withholding(mode) for mode in ("confirm", "shadow")}
        self._withheld = heartbeat.withholding(**self._withholding)
        self._vehicles = unicast.parse(settings.unicast)
        self._stopping = False
        self._read_state()
        self._open_air()
        self._open_bus()
        self._join()

    def _read_state(self) -> None:
        """Raises OSError where the state may not be kept; a disk that is full is no reason."""
        self._signer = station.load_signer(self._settings.keys_dir, station=self._station)
        self._store = Store(self._settings.state_dir / SERVICE, self._clock, self._steady)
        self._keeper = Keeper(self._store, self._clock)
        self._stack.callback(self._keeper.close)
        self._events = self._store.load()
        first = numbers.first_free(
            kept=self._store.next_number,
            held=[event.alert.event_id for event in self._events],
            station=self._station,
            now=self._clock.now(),
        )
        self._sequence = Sequence(first, self._keeper.reserve_number)
        self._stack.callback(self._sequence.close)
        self._numbering = Numbering(
            self._sequence, station=self._station, steady=self._steady, clock=self._clock
        )
        self._epochs = Epochs(
            self._store.next_epoch(self._clock.now()),
            keep=self._keeper.keep_epoch,
            steady=self._steady,
            clock=self._clock,
        )

    def _open_air(self) -> None:
        settings = self._settings
        group = Group(
            settings.multicast_group,
            settings.multicast_port,
            settings.multicast_interface,
            settings.multicast_ttl,
        )
        self._transmitter = Transmitter(
            group,
            self._signer,
            station=self._station,
            epoch=self._epochs.current,
            clock=self._clock,
        )
        self._stack.callback(self._transmitter.close)
        self._unicast = UnicastList(
            self._vehicles, self._transmitter.also_send_to, clock=self._clock
        )
        self._air = Air(group, self._transmitter, clock=self._clock, beat=self._beat)
        self._stack.callback(self._air.close)
        self._keys = station.KeyWatch(
            settings.keys_dir, station=self._station, transmitter=self._transmitter
        )

    def _open_bus(self) -> None:
        instance = self._settings.instance
        name = Name(SERVICE, instance)
        self._bus = MqttBus(
            self._settings,
            client_id=f"hazardcast-alerter-{instance}",
            persistent=True,
            will=name.last_will(self._clock.now()),
            clock=self._clock,
        )
        self._bus.turn = self._watchdog.turn("mqtt")
        self._stack.callback(self._bus.close)
        self._presence = Presence(name, self._bus, self._clock)
        self._self_test = SelfTester(
            self._air, self._bus, instance=instance, clock=self._clock, changed=self._beat
        )

    def _join(self) -> None:
        """Put the parts together; what was on air goes on."""
        fitting = Fitting(room_for_alert(kid=self._signer.kid, alg=self._signer.alg))
        self._register = Register(
            station=self._station,
            next_number=self._sequence.take,
            events=self._events,
            finish=fitting.fit,
        )
        self._on_air = OnAir(
            self._transmitter,
            clock=self._clock,
            second_path=self._second_path,
            compose_heartbeat=self._compose_heartbeat,
            turn=self._watchdog.turn("on_air"),
        )
        self._open_exports()
        self._open_journal()
        self._receipts = Receipts(station=self._station, epoch=self._epochs.current)
        self._alerter = Alerter(
            config=self._config,
            settings=self._settings,
            register=self._register,
            store=self._keeper,
            on_air=self._on_air,
            text=fitting.text,
            receipts=self._receipts,
            exports=self._exports,
            journal=self._journal,
            waiting_dir=self._settings.state_dir / SERVICE / "waiting",
            bus=self._bus,
            clock=self._clock,
            steady=self._steady,
        )
        self._keeper.after_sync(self._alerter.withholding.items.sync)

    def _open_journal(self) -> None:
        self._journal = Journal(
            self._settings.state_dir / SERVICE / "journal",
            station=self._station,
            epoch=self._epochs.current,
            turn=self._keeper,
            clock=self._clock,
            say=self._say_entry,
            most_bytes=self._settings.journal_mb * 1e6,
            most_age_s=self._settings.journal_days * 86_400,
        )
        self._keeper.at_close(self._journal.close)
        self._replayer = Replayer(
            self._journal,
            self._bus,
            has_room=lambda: self._has_room(REPLAY_BACKLOG),
            clock=self._clock,
        )

    def _has_room(self, most: int) -> bool:
        """Whether the broker is there and has fewer messages than that to acknowledge."""
        return self._bus.connected and self._bus.backlog < most

    def _say_entry(self, entry: JournalEntry) -> None:
        """Stores that miss one ask for it: nothing of this waits in the outbox of alerts."""
        if self._has_room(JOURNAL_BACKLOG):
            self._bus.publish(JOURNAL, entry, station=str(self._station))

    def _open_exports(self) -> None:
        """Other systems that want to know; a subscriber that hangs holds up nobody else."""
        found = subscribers.parse(self._settings.subscribers)
        tellers = [Subscriber(one, clock=self._clock, stop=self._stop) for one in found]
        self._exports = Exports(
            self._bus, clock=self._clock, with_denm=self._settings.denm, subscribers=tellers
        )
        for teller in tellers:
            self._thread("subscriber", teller.run)

    def run(self) -> None:
        """Go on air, open the doors, tidy up until stopped, say goodbye."""
        self._watchdog.start(self._stop)
        self._keeper.patience_s = PATIENCE_S
        self._air.open()
        for task in self._unicast.tasks:
            self._thread("unicast names", task)
        self._alerter.listen()
        self._self_test.listen()
        self._bus.subscribe(REPLAY_REQUESTS, self._replayer.hear)
        self._thread("journal said again", self._replayer.run)
        self._alerter.resume()
        self._bus.on_connect(self._numbering.ask)
        timer = self._thread("on air", self._on_air.run)
        health = Health(alive=lambda: _alive(timer), ready=lambda: self._ready(timer))
        doors = self._open_doors(health)
        _leave_to_itself_what_stays()
        self._bus.start()
        self._thread("self-test", self._self_test.run)
        self._thread("numbers", lambda stop: self._numbering.census(self._census_bus, stop))
        log.info("alerter runs", extra={"station": self._station, "epoch": self._epochs.current})
        lifecycle.repeat(
            self._tidy_until_stopped, what="tidying", stop=self._stop, clock=self._clock
        )
        for thread in (timer, doors):
            thread.join(FLUSH_WITHIN_S)
        self._say_goodbye()

    def _open_doors(self, health: Health) -> threading.Thread:
        settings = self._settings
        server = MetricsServer(settings.metrics_host, settings.metrics_port, health)
        self._stack.callback(server.close)
        doors = Doors(
            accept=self._alerter.accept,
            alerts=self._alerter.alerts,
            health=health,
            token=station.http_token(settings),
        )
        turn = self._watchdog.turn("http", limit_s=TICK_S + LIMIT_S)
        http = HttpServer(
            application(doors), host=settings.http_host, port=settings.http_port, turn=turn
        )
        self._stack.callback(http.close)
        self._folder = DropFolder(settings.events_dir, self._alerter.accept, self._clock)
        return self._thread("dropped files", self._folder.run)

    def _thread(self, name: str, run: Callable[[threading.Event], None]) -> threading.Thread:
        """Start a loop that outlives its own failures."""

        def keep_running() -> None:
            lifecycle.repeat(
                lambda: run(self._stop), what=name, stop=self._stop, clock=self._clock,
                first_s=0.05, most_s=1.0,
            )  # fmt: skip

        thread = threading.Thread(target=keep_running, name=name, daemon=True)
        thread.start()
        return thread

    def _tidy_until_stopped(self) -> None:
        while not self._clock.wait(self._stop, TIDY_EVERY_S):
            self._tidying.begin()
            try:
                self._tidy()
            finally:
                self._tidying.end()

    def _tidy(self) -> None:
        if epoch := self._epochs.renewed():
            self._receipts.begin_epoch(epoch)
            self._transmitter.begin_epoch(epoch)
        self._alerter.expire()
        self._exports.repeat(self._alerter.alerts())
        self._keeper.sync(also=self._look_at_files)
        self._on_air.set_copies(self._receipts.settle(self._clock.monotonic()))
        self._presence.look(Word(detail=self._facts()))

    def _look_at_files(self) -> None:
        """What may have to wait for a disk."""
        self._numbering.tidy()
        self._journal.sync()
        if self._keys.changed():
            self._beat()

    def _beat(self) -> None:
        if not self._stopping:
            self._on_air.beat()

    def _census_bus(self) -> MqttBus:
        name = f"hazardcast-alerter-{self._settings.instance}-numbers"
        return MqttBus(self._settings, client_id=name, clock=self._clock)

    def _second_path(self, text: str) -> None:
        """A datagram in the outbox would be too old when it leaves: say it now or not at all."""
        if not self._bus.connected:
            return
        if self._has_room(SECOND_PATH_BACKLOG):
            self._bus.publish_text(BROADCAST, text)
        else:
            metrics.SECOND_PATH_SKIPPED.inc()

    def _compose_heartbeat(self, totals: Totals) -> Heartbeat:
        return heartbeat.compose(
            totals, self._alerter.alerts(), state=self._state(), withheld=self._withheld
        )

    def _state(self) -> Literal["ok", "degraded", "stopping"]:
        if self._stopping:
            return "stopping"
        return "degraded" if self._problem() else "ok"

    def _problem(self) -> str | None:
        """Why an alert might not go out now."""
        if self._on_air.late_s > LATE_S:
            return "what is due is not being sent"
        return self._self_test.problem

    def _facts(self) -> AlerterDetail:
        return AlerterDetail(
            station=self._station,
            epoch=self._epochs.current,
            kid=self._transmitter.signer.kid,
            alerts=len(self._alerter.alerts()),
            waiting=len(self._alerter.withholding.items.open),
            alerting={mode: tuple(names) for mode, names in self._withholding.items() if names},
            journal=JournalPlace(epoch=self._journal.epoch, sequence=self._journal.newest),
            on_air="failing" if self._air.problem else "ok",
            vehicle_names_given_twice=self._receipts.names_given_twice,
            dropped_files=self._folder.problem or "ok",
        )

    def _ready(self, timer: threading.Thread) -> tuple[bool, str]:
        if not timer.is_alive():
            return _alive(timer)
        problem = self._problem()
        return (False, problem) if problem else (True, "ready")

    def _say_goodbye(self) -> None:
        self._stopping = True
        self._keeper.patience_s = UNHURRIED_S
        self._on_air.beat()
        self._presence.stopped()
        self._bus.flush(FLUSH_WITHIN_S)


def _leave_to_itself_what_stays() -> None:
    """Else the collector looks through every module now and then, while an alert waits."""
    gc.collect()
    gc.freeze()


def _alive(timer: threading.Thread) -> tuple[bool, str]:
    return (True, "alive") if timer.is_alive() else (False, "nothing is being sent")
