"""`hazardcast emit`."""

from __future__ import annotations

import json
import secrets
import threading
from typing import Annotated, Any

import typer

from hazardcast.config import settings as settings_module
from hazardcast.config.settings import Settings
from hazardcast.contract import reports
from hazardcast.contract.errors import ConfigError, HazardcastError
from hazardcast.contract.messages import Incident
from hazardcast.contract.report_warnings import FieldWarning, ReportWarnings
from hazardcast.contract.reports import Reading, Unreadable
from hazardcast.contract.topics import INCIDENTS, WARNINGS
from hazardcast.machine.clock import SystemClock
from hazardcast.mqtt.bus import Delivery
from hazardcast.signing.trust import HTTP_TOKEN_FILE
from hazardcast_tools.cli.session import visit
from hazardcast_tools.cli.telling import tell
from hazardcast_tools.http_client import post_json


class RefusedError(HazardcastError):
    """The alerter does not take the incident; its own words."""


def emit(  # noqa: PLR0917 - options, given by name on the command line
    type_: Annotated[
        str, typer.Option("--type", help="collision, fire, blockage, rollover, or your own word.")
    ] = "collision",
    severity: Annotated[str, typer.Option(help="low, medium, high or critical.")] = "high",
    camera: Annotated[str | None, typer.Option(help="The camera that saw it.")] = None,
    lat: Annotated[str | None, typer.Option(help="Latitude, degrees.")] = None,
    lon: Annotated[str | None, typer.Option(help="Longitude, degrees.")] = None,
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
    """Report an incident, as a camera or another system would; what is odd about it is told."""
    fields = {
        "type": type_, "severity": severity, "camera": camera, "lat": lat, "lon": lon,
        "test": test, "status": status, "event_id": event_id, "ts": SystemClock().now(),
        "report_id": f"emit-{secrets.token_hex(8)}",
    }  # fmt: skip
    reading = _read(fields)
    settings = settings_module.load()
    answer = _to_webhook(reading, url, settings) if url else _to_broker(reading, settings, wait_s)
    tell(*([json.dumps(answer)] if as_json else _told(answer)))


def _read(fields: dict[str, Any]) -> Reading:
    given = {name: value for name, value in fields.items() if value is not None}
    reading = reports.read(json.dumps(given).encode())
    if isinstance(reading, Unreadable):
        raise ConfigError(f"--{str(reading.problem).replace('_', '-')}")
    return reading


def _to_webhook(reading: Reading, url: str, settings: Settings) -> dict[str, Any]:
    answer = post_json(url, reading.incident.encode(), token=_token(settings))
    theirs = [FieldWarning.parse(one) for one in answer.get("warnings", [])]
    return {
        "sent": _plain(reading.incident),
        "to": url,
        "event_id": answer.get("event_id"),
        "result": answer.get("result"),
        "warnings": _shown(reading.warnings, theirs),
    }


def _token(settings: Settings) -> str:
    if settings.http_token:
        return settings.http_token.get_secret_value()
    path = settings.keys_dir / HTTP_TOKEN_FILE
    try:
        return path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        raise ConfigError(f"no token for the webhook: set HAZARDCAST_HTTP_TOKEN ({path})") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: no token, but something that is not text") from None


def _to_broker(reading: Reading, settings: Settings, wait_s: float) -> dict[str, Any]:
    incident = reading.incident
    answer = _ask(incident, settings, wait_s)
    if answer and answer.refused is not None:
        where = f"{answer.field}: " if answer.field else ""
        raise RefusedError(f"refused: {where}{answer.refused}")
    broker = f"mqtt://{settings.broker}/{INCIDENTS.template}"
    return {
        "sent": _plain(incident),
        "to": broker,
        "event_id": answer.event_id if answer else None,
        "result": answer.result if answer else None,
        "warnings": _shown(reading.warnings, answer.warnings if answer else ()),
    }


def _ask(incident: Incident, settings: Settings, wait_s: float) -> ReportWarnings | None:
    """Report it and wait for the word about this very report: alerts alike are nobody's answer."""
    heard, answered = list[ReportWarnings](), threading.Event()

    def hear(answer: ReportWarnings, _delivery: Delivery) -> None:
        if answer.report_id == incident.report_id:
            heard.append(answer)
            answered.set()

    with visit(settings) as bus:
        bus.subscribe(WARNINGS, hear)
        bus.publish(INCIDENTS, incident)
        if not bus.flush(wait_s + 1.0):
            raise ConfigError("the broker did not acknowledge the incident")
        answered.wait(wait_s)
    return heard[0] if heard else None


def _plain(incident: Incident) -> dict[str, Any]:
    return dict(json.loads(incident.encode()))


def _shown(*found: tuple[FieldWarning, ...] | list[FieldWarning]) -> list[dict[str, Any]]:
    return [warning.shown() for warnings in found for warning in warnings]


def _told(answer: dict[str, Any]) -> list[str]:
    lines = [f"sent {json.dumps(answer['sent'])}"]
    lines += [f"warning: {FieldWarning.parse(one)}" for one in answer["warnings"]]
    if answer["event_id"] is None:
        lines.append("no alerter has answered (yet): is it running?")
    else:
        lines.append(f"event {answer['event_id']}")
    return lines
