"""`hazardcast demo`."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from hazardcast.config import settings as settings_module
from hazardcast.contract.errors import HazardcastError
from hazardcast.machine.clock import SystemClock
from hazardcast.media.ffmpeg import find_ffmpeg
from hazardcast.service.lifecycle import stop_on_signals
from hazardcast_tools.demo.closing import Check
from hazardcast_tools.demo.run import Demo, InterruptedDemoError, StageFailedError
from hazardcast_tools.demo.scene import DEFAULT_SOURCE, DemoScene, check_source, demo_scene
from hazardcast_tools.demo.screen import Screen, screen
from hazardcast_tools.stack.broker import BrokerChoice

EXIT_INTERRUPTED = 130


def demo(
    source: Annotated[
        str, typer.Option(help="A video file, or demo://collision, fire, blockage, normal, queue.")
    ] = DEFAULT_SOURCE,
    pre_s: Annotated[
        float, typer.Option("--pre", min=1, max=300, help="Seconds of clip before the incident.")
    ] = 10.0,
    post_s: Annotated[
        float, typer.Option("--post", min=1, max=300, help="Seconds of clip after the incident.")
    ] = 10.0,
    broker: Annotated[BrokerChoice, typer.Option(help="Which broker to start.")] = "auto",
    keep: Annotated[
        bool,
        typer.Option(
            "--keep",
            help="Stay up afterwards, until Ctrl-C, and keep recordings, keys and state too.",
        ),
    ] = False,
) -> None:
    """The whole system on this machine: an accident, the vehicles' console, a clip."""
    settings = settings_module.load()
    scene = demo_scene(source, pre_s=pre_s, post_s=post_s)
    check_source(scene, find_ffmpeg(settings.ffmpeg))
    shown, stop = screen(SystemClock()), stop_on_signals()
    running = Demo(settings, scene, shown, stop, broker)
    try:
        holds = _conclude(running.play(), scene, running, shown)
        if keep:
            _stay(running, shown)
    except InterruptedDemoError:
        shown.say("interrupted, stopping …")
        raise typer.Exit(EXIT_INTERRUPTED) from None
    except HazardcastError as error:
        _explain(error, running, shown)
        raise typer.Exit(1) from None
    finally:
        shown.close()
        running.close()
    if holds and not keep:
        running.house.tidy()
    raise typer.Exit(0 if holds else 1)


def _stay(running: Demo, shown: Screen) -> None:
    place, keys = running.house.place, running.house.folder / "keys"
    report = f"mosquitto_pub -p {place.mqtt_port} -t v2x/alert"
    shown.say(f"STAYS UP  look: {place.console}", "good")
    shown.say(f"  to decide: account admin, password in {keys / 'console.password'}")
    shown.say(f'  try: {report} -m \'{{"type":"collision"}}\'')
    shown.say("  end: Ctrl-C")
    running.stay()
    shown.say("stopping …")


def _explain(error: HazardcastError, running: Demo, shown: Screen) -> None:
    shown.say(f"FAILED  {error}", "bad")
    log_of = error.log_of if isinstance(error, StageFailedError) else "broker"
    for line in running.logs.tail(log_of):
        shown.say(f"  {log_of} | {line}")
    shown.say(f"every log: {running.logs.folder}")


def _conclude(checks: list[Check], scene: DemoScene, running: Demo, shown: Screen) -> bool:
    table = Table(title=f"demo: {scene.name}", title_justify="left")
    for heading in ("what", "found", "promised", ""):
        table.add_column(heading)
    for check in checks:
        mark, style = ("ok", "green") if check.holds else ("FAILED", "bold red")
        table.add_row(check.what, check.found, check.promised, mark, style=style)
    shown.table(table)
    if running.clip_path:
        shown.say(f"clip   {running.clip_path}", "step")
    failed = [check.what for check in checks if not check.holds]
    if failed:
        shown.say(f"FAILED  {'; '.join(failed)}", "bad")
        shown.say(f"every log: {running.logs.folder}")
    elif scene.expects_alert:
        shown.say("PASSED  every stage held", "good")
    else:
        shown.say("PASSED  no alert came, as it should be", "good")
    return not failed
