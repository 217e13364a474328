"""`hazardcast emit`."""

from __future__ import annotations

import json
import threading
from typing import Annotated, Any

import typer

from hazardcast import settings as settings_module
from hazardcast.bus import Delivery
from hazardcast.cli.session import visit
from hazardcast.cli.telling import tell
from hazardcast.cli.web import post_json
from hazardcast.clock import SystemClock
from hazardcast.errors import ConfigError, DecodeError
from hazardcast.messages import Alert, Incident
from hazardcast.settings import Settings
from hazardcast.topics import ACTIVE, INCIDENTS
from hazardcast.trust import HTTP_TOKEN_FILE


def emit(  # noqa: PLR0917 - options, given by name on the command line
    type_: Annotated[
        str, typer.Option("--type", help="collision, fire, blockage, rollover, or your own word.")
    ] = "collision",
    severity: Annotated[str, typer.Option(help="low, medium, high or critical.")] = "high",
    camera: Annotated[str | None, typer.Option(help="The camera that saw it.")] = None,
    lat: Annotated[float | None, typer.Option(help="Latitude, degrees.")] = None,
    lon: Annotated[float | None, typer.Option(help="Longitude, degrees.")] = None,
    test: Annotated[bool, typer.Option("--test", help="Mark it as a test for vehicles.")] = False,
    status: Annotated[str, typer.Option(help="new, update or cancel.")] = "new",
    event_id: Annotated[
        str | None, typer.Option(help="The event to update or cancel, such as 4097-17.")
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(help="Send it to this webhook (http://…/alert) instead of the broker."),
    ] = None,
    wait_s: Annotated[
        float, typer.Option("--wait", help="Seconds to wait for the alerter's answer.")
    ] = 2.0,
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False,
) -> None:
    """Report an incident, as a camera or another system would."""
    fields = {
        "type": type_, "severity": severity, "camera": camera, "lat": lat, "lon": lon,
        "test": test, "status": status, "event_id": event_id, "ts": SystemClock().now(),
    }  # fmt: skip
    try:
        incident = Incident.parse(
            {name: value for name, value in fields.items() if value is not None}
        )
    except DecodeError as error:
        raise ConfigError(f"--{str(error).replace('_', '-')}") from None
    settings = settings_module.load()
    answer = _to_webhook(incident, url, settings) if url else _to_broker(incident, settings, wait_s)
    tell(*([json.dumps(answer)] if as_json else _told(answer)))


def _to_webhook(incident: Incident, url: str, settings: Settings) -> dict[str, Any]:
    answer = post_json(url, incident.encode(), token=_token(settings))
    return {"sent": _plain(incident), "to": url, "event_id": answer.get("event_id")}


def _token(settings: Settings) -> str:
    if settings.http_token:
        return settings.http_token.get_secret_value()
    path = settings.keys_dir / HTTP_TOKEN_FILE
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        raise ConfigError(f"no token for the webhook: set HAZARDCAST_HTTP_TOKEN ({path})") from None


def _to_broker(incident: Incident, settings: Settings, wait_s: float) -> dict[str, Any]:
    heard, answered = list[Alert](), threading.Event()

    def hear(alert: Alert, delivery: Delivery) -> None:
        if _answers(alert, incident) and not delivery.retained:
            heard.append(alert)
            answered.set()

    with visit(settings) as bus:
        bus.subscribe(ACTIVE, hear)
        bus.publish(INCIDENTS, incident)
        if not bus.flush(wait_s + 1.0):
            raise ConfigError("the broker did not acknowledge the incident")
        answered.wait(wait_s)
    broker = f"mqtt://{settings.broker}/{INCIDENTS.template}"
    return {
        "sent": _plain(incident),
        "to": broker,
        "event_id": heard[0].event_id if heard else None,
        "status": heard[0].status if heard else None,
    }


def _answers(alert: Alert, incident: Incident) -> bool:
    """Whether `alert` is what the alerter made of `incident`, or merged it into."""
    if incident.event_id:
        return alert.event_id == incident.event_id
    return alert.type == incident.type


def _plain(incident: Incident) -> dict[str, Any]:
    return dict(json.loads(incident.encode()))


def _told(answer: dict[str, Any]) -> list[str]:
    sent = json.dumps(answer["sent"])
    if answer["event_id"] is None:
        return [f"sent {sent}", "no alerter has answered (yet): is it running?"]
    return [f"sent {sent}", f"event {answer['event_id']}"]
