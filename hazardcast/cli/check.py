"""`hazardcast check`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated

import typer

from hazardcast import settings as settings_module
from hazardcast.cli import camera_findings, findings
from hazardcast.cli.findings import Finding
from hazardcast.cli.telling import tell
from hazardcast.settings import Settings

MARKS = {"ok": ("ok     ", "green"), "warning": ("warning", "yellow"), "failed": ("FAILED ", "red")}


def check(
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False,
) -> None:
    """Look for what would keep the system from working; exit code 1 when something does."""
    report = []
    for finding in look_at_everything(settings_module.load()):
        report.append(finding)
        if not as_json:
            _tell(finding)
    failed = [finding.what for finding in report if finding.result == "failed"]
    if as_json:
        rows = [asdict(finding) for finding in report]
        tell(json.dumps({"ok": not failed, "findings": rows}))
    elif failed:
        tell(f"failed: {', '.join(failed)}", err=True)
    raise typer.Exit(1 if failed else 0)


def look_at_everything(settings: Settings) -> Iterator[Finding]:
    """Everything that can be told without the services running, quick things first.

    Raises:
        ConfigError: the configuration file or a variable is wrong.
    """
    config = findings.read_configuration(settings)
    yield findings.configuration(settings, config)
    yield findings.keys(settings, config)
    yield findings.mqtt(settings)
    yield findings.ffmpeg(settings)
    yield findings.disk(settings)
    yield findings.multicast(settings)
    yield from camera_findings.cameras(settings, config)


def _tell(finding: Finding) -> None:
    mark, colour = MARKS[finding.result]
    tell(f" {finding.what}: {finding.detail}", mark=typer.style(mark, fg=colour))
    if finding.advice:
        tell(f"        → {finding.advice}")
