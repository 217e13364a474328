"""`hazardcast kpi`."""

from __future__ import annotations

import json
import secrets
import threading
from contextlib import ExitStack
from dataclasses import asdict
from typing import Annotated

import typer

from hazardcast.config import settings as settings_module
from hazardcast.config import site
from hazardcast.config.settings import Settings
from hazardcast.contract.errors import ConfigError
from hazardcast.machine.clock import Clock, SystemClock
from hazardcast.mqtt.bus import MqttBus
from hazardcast.net import ports
from hazardcast.net.addresses import join
from hazardcast.service.lifecycle import stop_on_signals
from hazardcast_tools.cli.telling import tell
from hazardcast_tools.demo.scene import CAMERA
from hazardcast_tools.kpi.acceptance import Acceptance, InterruptedRunError, NotAcceptedError
from hazardcast_tools.kpi.own_system import own_system
from hazardcast_tools.kpi.verdict import Row

EXIT_INTERRUPTED = 130
CONNECT_S, SYSTEM_S, OWN_SYSTEM_S = 5.0, 15.0, 40.0


def kpi(  # noqa: PLR0917 - options, given by name on the command line
    duration_s: Annotated[
        float, typer.Option("--duration", min=1, max=86_400, help="Seconds of ticks at 2 Hz.")
    ] = 60.0,
    probes: Annotated[
        int, typer.Option(min=0, max=1000, help="Short alerts for the spread of the latency.")
    ] = 20,
    type_: Annotated[str, typer.Option("--type", help="Of the accident.")] = "collision",
    camera: Annotated[
        str | None, typer.Option(help="The camera that saw it; the first configured if unset.")
    ] = None,
    clip: Annotated[bool, typer.Option(help="Ask for the clip and wait for it.")] = True,
    own: Annotated[
        bool, typer.Option("--own", help="Start a system for the run even if one runs.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False,
) -> None:
    """Measure the promises on a running system, or one of its own, and how surely they hold."""
    settings, clock, stop = settings_module.load(), SystemClock(), stop_on_signals()
    running = ports.answers(settings.mqtt_host, settings.mqtt_port) and not own
    try:
        with ExitStack() as stack:
            if running:
                camera = camera or _first_camera(settings)
            else:
                _say(f"no broker at {settings.broker}: starting a system")
                settings = stack.enter_context(own_system(settings, clock, stop))
                camera = CAMERA
            run = _acceptance(settings, clock, stop, stack)
            vehicles = run.await_system(SYSTEM_S if running else OWN_SYSTEM_S)
            rows = run.run(
                vehicles, type_=type_, camera=camera, duration_s=duration_s, probes=probes,
                clip=clip,
            )  # fmt: skip
    except NotAcceptedError as error:
        _say(f"FAIL  {error}")
        raise typer.Exit(1) from None
    except InterruptedRunError:
        raise typer.Exit(EXIT_INTERRUPTED) from None
    holds = all(row.holds is not False for row in rows)
    tell(*([json.dumps(_plain(rows, holds=holds))] if as_json else _told(rows, holds=holds)))
    raise typer.Exit(0 if holds else 1)


def _acceptance(
    settings: Settings, clock: Clock, stop: threading.Event, stack: ExitStack
) -> Acceptance:
    bus = MqttBus(settings, client_id=f"hazardcast-kpi-{secrets.token_hex(4)}", clock=clock)
    stack.callback(bus.close)
    url = f"http://{join(settings.http_host, settings.http_port)}/metrics"
    run = Acceptance(bus, clock=clock, stop=stop, metrics_url=url, say=_say)
    run.listen()
    bus.start()
    if not bus.wait_connected(CONNECT_S):
        why = f": {bus.problem}" if bus.problem else ""
        raise ConfigError(f"no broker lets us in at {settings.broker}{why}")
    return run


def _first_camera(settings: Settings) -> str | None:
    """A configured camera to have seen it, None where there is no configuration here."""
    try:
        return next(iter(site.load(settings.config).cameras), None)
    except ConfigError:
        return None


def _say(text: str) -> None:
    tell(text, err=True)


def _plain(rows: list[Row], *, holds: bool) -> dict[str, object]:
    return {"holds": holds, "rows": [asdict(row) for row in rows]}


def _told(rows: list[Row], *, holds: bool) -> list[str]:
    marks = {True: "PASS", False: "FAIL", None: "    "}
    lines = []
    for row in rows:
        promised = f"  [{row.promised}]" if row.promised else ""
        lines.append(f"{marks[row.holds]}  {row.what}: {row.found}{promised}")
        if row.proves:
            lines.append(f"      {row.proves}")
    return [*lines, "PASS  every promise held" if holds else "FAIL"]
