"""The demo from beginning to end."""

from __future__ import annotations

import threading
from pathlib import Path

from hazardcast.config.settings import Settings
from hazardcast.config.site import Camera
from hazardcast.contract.errors import HazardcastError
from hazardcast.contract.messages import Incident
from hazardcast.contract.service_names import SERVICES, VEHICLE_AGENT
from hazardcast.contract.topics import INCIDENTS
from hazardcast.contract.vocabulary import CameraState
from hazardcast.machine.clock import Clock, SystemClock
from hazardcast.media import coverage, segments
from hazardcast.media.ffmpeg import find_ffmpeg
from hazardcast.mqtt.bus import MqttBus
from hazardcast.service.processes import Process
from hazardcast_tools.demo import closing, house, truth
from hazardcast_tools.demo.facts import Facts
from hazardcast_tools.demo.house import House
from hazardcast_tools.demo.listening import Listening
from hazardcast_tools.demo.logbook import Logbook
from hazardcast_tools.demo.scene import CAMERA, DemoScene
from hazardcast_tools.demo.screen import Screen
from hazardcast_tools.demo.stages import PRE_ROLL, Stage, quiet_s, stages, too_slow
from hazardcast_tools.stack import deployment
from hazardcast_tools.stack.broker import BrokerChoice
from hazardcast_tools.stack.local_stack import Machine
from hazardcast_tools.stack.presence_board import Expected, RollCall

VEHICLES = ("vehicle-1", "vehicle-2")
DETECTOR = "detector"
UNREADABLE = "unreadable"
TURN_S = 0.1
CANCEL_WITHIN_S = 5.0


class StageFailedError(HazardcastError):
    """A stage did not hold; the message says which, why it may be, and what to do."""

    def __init__(self, message: str, log_of: str) -> None:
        self.log_of = log_of
        super().__init__(message)


class InterruptedDemoError(HazardcastError):
    """Someone pressed Ctrl-C."""


class Demo:
    """One run: call `play` once, then `close`."""

    def __init__(
        self,
        settings: Settings,
        scene: DemoScene,
        screen: Screen,
        stop: threading.Event,
        choice: BrokerChoice = "auto",
    ) -> None:
        self._clock: Clock = SystemClock()
        self._settings = settings
        self._scene = scene
        self._screen = screen
        self._stop = stop
        self.house: House = house.furnish(
            settings,
            scene,
            choice,
            now=self._clock.now(),
            processes=len(SERVICES) + len(VEHICLES),
        )
        self.logs = Logbook(self.house.folder / "logs")
        self._roll = RollCall(_expected(detector=scene.is_drawn), since=self._clock.now())
        self.facts = Facts(
            vehicles=VEHICLES, expected_type=scene.expected_type, missing=self._roll.missing
        )
        self._listening = Listening(self.facts, self._roll, screen, self.logs, self._clock)
        self._machine = Machine(sink=self._listening.line, clock=self._clock, restart=False)
        place = self.house.place
        self._bus = MqttBus(
            settings.model_copy(
                update={"mqtt_host": place.mqtt_host, "mqtt_port": place.mqtt_port}
            ),
            client_id="hazardcast-demo",
        )

    def close(self) -> None:
        """End everything that was started."""
        self._bus.close()
        self._machine.stop()
        self.logs.close()

    def play(self) -> list[closing.Check]:
        """Run all stages and draw up the figures.

        Raises:
            StageFailedError: a stage did not hold in its time, or a process ended.
            InterruptedDemoError: `stop` was set.
        """
        find_ffmpeg(self._settings.ffmpeg)
        table = self._start()
        for stage in stages(self._scene):
            self._await(stage)
            self._screen.say(f"{stage.name}: {self._detail(stage)}", "good")
            if stage.name == PRE_ROLL:
                self._machine.start([table[DETECTOR]])
        return self._accident() if self._scene.expects_alert else self._quiet()

    def _start(self) -> dict[str, Process]:
        self._screen.say(f"data     {self.house.folder}", "step")
        self._screen.say(f"broker   {self.house.broker}", "step")
        self._screen.say(f"alerts   {self.house.multicast}", "step")
        self._screen.say(f"camera   {self._scene.camera_url}", "step")
        self._screen.say(f"console  {self.house.place.console}", "step")
        self._machine.start_broker(self.house.broker)
        self._listening.attach(self._bus)
        self._bus.start()
        rows = deployment.table(self.house.place, VEHICLES, self.house.metrics_ports)
        table = {process.name: process for process in rows}
        later = set() if self._scene.is_drawn else {DETECTOR}
        self._machine.start(process for name, process in table.items() if name not in later)
        return table

    def _await(self, stage: Stage) -> None:
        deadline = self._clock.monotonic() + stage.within_s
        while not stage.holds(self.facts):
            if self._clock.monotonic() > deadline:
                why = f"{stage.name}: not within {stage.within_s:g} s: {self._lack(stage)}"
                raise StageFailedError(f"{why}{stage.advice}", stage.log_of)
            self._turn()
            self._screen.progress(f"waiting for: {stage.name} · {self._pulse()}")

    def _lack(self, stage: Stage) -> str:
        if stage.name == "services online":
            return f"{', '.join(self.facts.missing)} missing; "
        rate = self.facts.mean_rate(self._clock.monotonic())
        if stage.name == "alert on the air" and rate is not None:
            return too_slow(rate, wanted=Camera.model_fields["detect_fps"].default)
        return ""

    def _turn(self) -> None:
        """Let a moment pass and take in what happened."""
        if self._stop.is_set():
            raise InterruptedDemoError("interrupted")
        self._listening.tell(TURN_S)
        for death in self._machine.tick():
            message = f"{death.name} ended by itself (exit code {death.code}); its log says why"
            raise StageFailedError(message, death.name)
        source = self._roll.camera("camera", CAMERA)
        if source is not None and source.state == UNREADABLE:
            detail = source.detail or self._scene.source
            raise StageFailedError(f"camera: {detail}; use another source", "camera")
        self.facts.missing = self._roll.missing
        camera = self._roll.camera("recorder", CAMERA)
        self.facts.recorded_s = self._recorded_s()
        self.facts.camera_live = self.facts.recorded_s > 0 or (
            camera is not None and camera.state == CameraState.LIVE
        )

    def _recorded_s(self) -> float:
        kept = self._segments()
        return kept[-1].end - kept[0].start if kept else 0.0

    def _segments(self) -> list[segments.Segment]:
        return segments.list_segments(self.house.folder / "recordings", CAMERA)

    def _pulse(self) -> str:
        rate, objects = self.facts.rate(self._clock.monotonic())
        told = (
            f"recorded {self.facts.recorded_s:.0f} s · {rate:.1f} detections/s, {objects} objects"
        )
        if self.facts.clip is None:
            return told
        return f"{told} · clip {self.facts.clip.state} {self.facts.clip.coverage:.0%}"

    def _detail(self, stage: Stage) -> str:
        """What is worth telling now that a stage holds."""
        alert = self.facts.alert
        if stage.name not in ("detections", "alert on the air"):
            return self._pulse()
        known = truth.ask(self.house)
        if alert is None:
            return self._pulse() + self._announced(known)
        if known.impact_at is not None:
            late_s = alert.confirmed_at - known.impact_at
            return f"{alert.event_id}, confirmed {late_s:.2f} s after the impact that was drawn"
        position_s = known.position_s(alert.detection_time)
        where = (
            "" if position_s is None else f", at {position_s:.1f} s of the file: look for yourself"
        )
        return f"{alert.event_id}{where}"

    def _announced(self, known: truth.Truth) -> str:
        """When the drawn accident is to come."""
        if known.impact_at is None:
            return ""
        return f" · the {self._scene.name} comes in {known.impact_at - self._clock.now():.0f} s"

    def _quiet(self) -> list[closing.Check]:
        """Watch a scene in which nothing happens."""
        watch_s = quiet_s(self._scene)
        until = self._clock.monotonic() + watch_s
        while self._clock.monotonic() < until:
            self._turn()
            self._screen.progress(f"watching for false alarms · {self._pulse()}")
        return [*closing.quiet(self.facts, watch_s), self._recording()]

    def _accident(self) -> list[closing.Check]:
        """Cancel the alert, so that vehicles report once more, and draw up the figures."""
        known = truth.ask(self.house)
        self._cancel()
        return [
            *closing.detection(self.facts, known),
            *closing.vehicles(self.facts),
            *closing.clip(self.facts),
            *closing.pictures_of(
                self.facts, self._scene, known, find_ffmpeg(self._settings.ffmpeg)
            ),
            self._recording(),
        ]

    def _cancel(self) -> None:
        alert = self.facts.alert
        assert alert is not None
        self._screen.say("the story is over: cancelling the alert", "step")
        fields = {"type": alert.type, "status": "cancel", "event_id": alert.event_id}
        self._bus.publish(INCIDENTS, Incident.parse(fields))
        deadline = self._clock.monotonic() + CANCEL_WITHIN_S
        while self._clock.monotonic() < deadline and not self._cancel_received():
            self._turn()

    def _cancel_received(self) -> bool:
        told = {
            one.receipt.vehicle for one in self.facts.receipts if one.receipt.status == "cancel"
        }
        return told >= set(VEHICLES)

    def _recording(self) -> closing.Check:
        kept = self._segments()
        runs = segments.read_runs(self.house.folder / "recordings", CAMERA)
        return closing.recording(len(coverage.gaps(kept, runs)), self._recorded_s())

    def stay(self) -> None:
        """Keep everything running until `stop` is set, or a process ends by itself.

        Raises:
            StageFailedError: a process ended.
        """
        while not self._stop.is_set():
            self._listening.tell(TURN_S)
            for death in self._machine.tick():
                message = f"{death.name} ended by itself (exit code {death.code})"
                raise StageFailedError(message, death.name)

    @property
    def clip_path(self) -> Path | None:
        """Where the clip lies, once there is one."""
        return closing.clip_path(self.facts)


def _expected(*, detector: bool) -> list[Expected]:
    services = [Expected(name) for name in SERVICES if detector or name != DETECTOR]
    return [*services, *(Expected(VEHICLE_AGENT, name) for name in VEHICLES)]
