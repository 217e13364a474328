"""`hazardcast verify`."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from hazardcast.config import settings as settings_module
from hazardcast.signing import clip_seal, trust
from hazardcast_tools.cli.telling import tell


def verify(
    clips: Annotated[
        list[Path], typer.Argument(metavar="CLIP…", help="The clip: its .mp4, .json or .jws.")
    ],
    truststore: Annotated[
        Path | None, typer.Option(help="The keys to trust; those of this deployment if left out.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False,
) -> None:
    """Judge whether a clip is as it was when it was signed; exit code 1 if one is not."""
    settings = settings_module.load()
    store = trust.load_truststore(truststore or settings.truststore_path)
    verdicts = [
        clip_seal.verify(clip, store, recordings_dir=settings.recordings_dir) for clip in clips
    ]
    if as_json:
        rows = [{**asdict(verdict), "holds": verdict.holds} for verdict in verdicts]
        tell(json.dumps({"clips": rows}))
    for line in () if as_json else (line for verdict in verdicts for line in _told(verdict)):
        tell(line)
    if not all(verdict.holds for verdict in verdicts):
        raise typer.Exit(1)


def _told(verdict: clip_seal.Verdict) -> list[str]:
    if not verdict.holds:
        return [
            f"{verdict.clip}: REJECTED",
            *(f"  {problem}" for problem in verdict.problems),
        ]
    moment = datetime.fromtimestamp(verdict.signed_at or 0.0, UTC).isoformat(timespec="seconds")
    line = f"{verdict.clip}: as signed by {verdict.signed_by} at {moment}"
    if verdict.sources_seen:
        line += f", {verdict.sources_seen} of its segments still recorded and the same"
    return [line]
