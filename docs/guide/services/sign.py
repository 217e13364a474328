"""A warning sign at the roadside, lit while an alert is in force: a service of one's own."""

from __future__ import annotations

import threading

from hazardcast.config.settings import Settings
from hazardcast.contract.messages import Alert
from hazardcast.contract.topics import ACTIVE
from hazardcast.machine.clock import SystemClock
from hazardcast.mqtt.bus import Delivery, MqttBus
from hazardcast.mqtt.presence import Name, Presence, Word
from hazardcast.service.lifecycle import run_service
from hazardcast.service.metrics import Health, MetricsServer


class Sign:
    """Knows which alerts are in force: pure, so that a test needs neither broker nor clock."""

    def __init__(self) -> None:
        self.alerts: dict[str, Alert] = {}

    def begin(self, alert: Alert, _delivery: Delivery) -> None:
        """The broker says an alert: anew, as it changed, or as it keeps it."""
        self.alerts[alert.event_id] = alert

    def end(self, delivery: Delivery) -> None:
        """The broker says that an alert was taken back."""
        self.alerts.pop(delivery.parameters["event_id"], None)

    def lit(self, now: float) -> bool:
        """Whether drivers are to be warned; nobody may be left to take an alert back."""
        return any(alert.valid_until > now for alert in tuple(self.alerts.values()))


def serve(settings: Settings, stop: threading.Event) -> None:
    """Wire the sign to the world and run it until `stop`."""
    clock, sign, name = SystemClock(), Sign(), Name("sign", settings.instance)
    will = name.last_will(clock.now())
    bus = MqttBus(settings, client_id=f"sign-{settings.instance}", will=will, clock=clock)
    bus.on_connect(sign.alerts.clear)  # what is still in force is said again now
    bus.subscribe(ACTIVE, sign.begin, cleared=sign.end)
    presence = Presence(name, bus, clock)
    health = Health(ready=lambda: (bus.connected, bus.problem or "ready"))
    server = MetricsServer(settings.metrics_host, settings.metrics_port, health)
    bus.start()
    while not clock.wait(stop, 0.1):
        presence.look(Word(detail={"lit": sign.lit(clock.now())}))
    presence.stopped()
    bus.flush(0.5)
    bus.close()
    server.close()


if __name__ == "__main__":
    run_service(serve)
