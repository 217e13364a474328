"""`hazardcast check`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Annotated

import typer

from hazardcast.config import settings as settings_module
from hazardcast.config.settings import Settings
from hazardcast.contract.trials import Waiting
from hazardcast.machine.clock import SystemClock
from hazardcast.service import lifecycle
from hazardcast_tools.checks import camera_findings, findings
from hazardcast_tools.checks.findings import Finding
from hazardcast_tools.cli.telling import tell

MARKS = {"ok": ("ok     ", "green"), "warning": ("warning", "yellow"), "failed": ("FAILED ", "red")}


def check(
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False,
) -> None:
    """Look for what would keep the system from working; exit code 1 when something does."""
    report, clock = [], SystemClock()
    began_s = clock.monotonic()
    for finding in look_at_everything(settings_module.load(), _silent if as_json else _waits):
        report.append(finding)
        if not as_json:
            _tell(finding)
    failed = [finding.what for finding in report if finding.result == "failed"]
    if as_json:
        rows = [asdict(finding) for finding in report]
        took_s = round(clock.monotonic() - began_s, 1)
        tell(json.dumps({"ok": not failed, "took_s": took_s, "findings": rows}))
    else:
        tell(f"looked for {clock.monotonic() - began_s:.0f} s")
    if failed and not as_json:
        tell(f"failed: {', '.join(failed)}", err=True)
    raise typer.Exit(1 if failed else 0)


def look_at_everything(
    settings: Settings, tell_waiting: Callable[[Waiting], None]
) -> Iterator[Finding]:
    """Everything that can be told without the services running, quick things first.

    Raises:
        ConfigError: the configuration file or a variable is wrong.
    """
    config = findings.read_configuration(settings)
    yield findings.configuration(settings, config)
    yield findings.alerting(config)
    yield _found("keys", lambda: findings.keys(settings, config))
    yield _found("broker", lambda: findings.mqtt(settings))
    yield _found("ffmpeg", lambda: findings.ffmpeg(settings))
    yield _found("disk", lambda: findings.disk(settings))
    yield _found("multicast", lambda: findings.multicast(settings))
    yield from camera_findings.cameras(settings, config, tell_waiting)


def _silent(_word: Waiting) -> None:
    pass


def _waits(word: Waiting) -> None:
    tell(f"        camera {word.camera}: {word.detail} ({word.for_s:.0f} s so far)", err=True)


def _found(what: str, look: Callable[[], Finding]) -> Finding:
    """What the system refuses while we look is a finding too; all else is looked at."""
    try:
        return look()
    except OSError as error:
        return Finding(what, "failed", lifecycle.refused(error) or str(error))


def _tell(finding: Finding) -> None:
    mark, colour = MARKS[finding.result]
    tell(f" {finding.what}: {finding.detail}", mark=typer.style(mark, fg=colour))
    for note in finding.notes:
        tell(f"          {note}")
    if finding.advice:
        tell(f"        → {finding.advice}")
