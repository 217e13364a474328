"""`hazardcast models`: list what may be fetched, fetch it, and see what a model file is."""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hazardcast.config import settings
from hazardcast.config.settings import Settings
from hazardcast.contract.errors import HazardcastError
from hazardcast.contract.terminal_text import printable
from hazardcast.machine.clock import Clock, SystemClock
from hazardcast.service import lifecycle
from hazardcast.vision.models import cache
from hazardcast.vision.models.catalogue import ENTRIES, named
from hazardcast.vision.models.download import fetch, sha256_of
from hazardcast.vision.models.opener import BACKGROUND, BUILT_IN, ROADSIDE, Model, model_opener
from hazardcast.vision.pixels import image
from hazardcast.vision.pixels.frame import Frame

ROUNDS = 20
PICTURE = (720, 1280, 3)
COME_WITH_IT = {
    ROADSIDE.name: "background subtraction and a network of our own (the one if none is chosen)",
    BACKGROUND.name: "background subtraction alone",
}


def main(arguments: Sequence[str] | None = None, *, clock: Clock | None = None) -> int:
    """Entry point; 0, or 2 when a model cannot be had or used (the line says what was expected)."""
    asked = _parser().parse_args(arguments)
    try:
        told: dict[str, Any] = asked.run(asked, settings.load(), clock or SystemClock())
    except (HazardcastError, OSError) as error:
        words = lifecycle.refused(error) or str(error)
        sys.stderr.write(f"hazardcast: {printable(words)}\n")
        return lifecycle.EXIT_BAD_CONFIGURATION
    sys.stdout.write(json.dumps(told) + "\n" if asked.json else told["text"] + "\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="hazardcast models", description=__doc__)
    verbs = parser.add_subparsers(required=True, metavar="list|fetch|check")
    _verb(verbs, "list", list_models, "the models that may be fetched, and which are here")
    one = _verb(verbs, "fetch", fetch_model, "fetch a model by name into the cache")
    one.add_argument("name", help="as `list` shows it")
    one.add_argument("--url", help="fetch it from here instead; the SHA-256 stays the same")
    one = _verb(verbs, "check", check_model, "load a model and say what it is and how fast")
    one.add_argument("model", help="a file, or the name of a fetched model")
    one.add_argument("--threads", type=int, default=1)
    one.add_argument("--provider", default="auto", choices=("auto", *_providers()))
    return parser


def _verb(verbs: Any, name: str, run: Callable[..., Any], purpose: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = verbs.add_parser(name, help=purpose, description=purpose)
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.set_defaults(run=run)
    return parser


def _providers() -> tuple[str, ...]:
    return ("cpu", "cuda", "tensorrt", "openvino", "rocm", "coreml", "directml")


def list_models(_asked: argparse.Namespace, chosen: Settings, _clock: Clock) -> dict[str, Any]:
    """Every entry of the catalogue, and where it is if it was fetched."""
    folder = cache.folder(chosen)
    rows = []
    for entry in ENTRIES:
        path = folder / entry.file_name
        rows.append({**vars(entry), "path": str(path) if path.is_file() else None})
    lines = [
        f"{row['name']:<16} {row['side_px']} px  COCO AP {row['coco_ap']:<5} {row['licence']}  "
        f"{row['path'] or 'not fetched'}"
        for row in rows
    ]
    lines += [f"{name:<16} 384 px  built in: {what}" for name, what in COME_WITH_IT.items()]
    return {"models": rows, "built_in": list(COME_WITH_IT), "text": "\n".join(lines)}


def fetch_model(asked: argparse.Namespace, chosen: Settings, _clock: Clock) -> dict[str, Any]:
    """Have a model in the cache."""
    entry = named(asked.name)
    path = cache.folder(chosen) / entry.file_name
    mirror = chosen.models_url.rstrip("/") + f"/{entry.file_name}" if chosen.models_url else None
    new = fetch(asked.url or mirror or entry.url, path, sha256=entry.sha256, progress=_show)
    verb = "fetched" if new else "already here"
    text = f"{verb}: {path}\nuse it with HAZARDCAST_MODEL={entry.name}"
    return {"path": str(path), "fetched": new, "text": text}


def _show(have: int, whole: int | None) -> None:
    if sys.stderr.isatty():
        share = f" ({have / whole:.0%})" if whole else ""
        sys.stderr.write(f"\r{have / 1e6:.1f} MB{share}  ")


def check_model(asked: argparse.Namespace, chosen: Settings, clock: Clock) -> dict[str, Any]:
    """Load a model, run it on a picture of noise, and say what it is."""
    from hazardcast.vision.models.onnx_model import OnnxModel, Weights  # noqa: PLC0415 - only here

    image.single_threaded()
    if Path(asked.model) in BUILT_IN:
        return _check_built_in(asked.model, clock)
    path = cache.resolved(Path(asked.model), chosen, named_by="MODEL")
    weights = Weights(path, threads=asked.threads, provider=asked.provider)
    model = OnnxModel(weights)
    width, height = weights.size
    facts = {
        "path": str(path), "sha256": sha256_of(path), "bytes": path.stat().st_size,
        "layout": weights.layout.name, "width": width, "height": height,
        "classes": weights.classes.count, "road_users": len(weights.classes.columns),
        "classes_assumed": weights.classes.assumed,
        "provider": weights.provider, "threads": asked.threads,
        "median_ms": _median_ms(model, clock),
    }  # fmt: skip
    return {**facts, "text": _told(facts)}


def _told(facts: dict[str, Any]) -> str:
    assumed = " (nothing names them: taken for COCO's)" if facts["classes_assumed"] else ""
    return (
        f"{facts['path']}: {facts['layout']}, {facts['width']}x{facts['height']}, "
        f"{facts['classes']} classes of which {facts['road_users']} are road users{assumed}\n"
        f"{facts['bytes']} bytes, SHA-256 {facts['sha256']}\n"
        f"{facts['median_ms']} ms a 720p frame, all in all, on {facts['provider']} with "
        f"{facts['threads']} thread{'s' if facts['threads'] > 1 else ''}"
    )


def _check_built_in(name: str, clock: Clock) -> dict[str, Any]:
    median_ms = _median_ms(model_opener(Path(name), threads=1)(), clock)
    text = f"{name}: built in, {COME_WITH_IT[name]}\n{median_ms} ms a 720p frame, all in all"
    return {"built_in": name, "median_ms": median_ms, "text": text}


def _median_ms(model: Model, clock: Clock) -> float:
    """Of runs on a picture of noise."""
    picture = np.random.default_rng(1).integers(0, 255, PICTURE, np.uint8)
    took_ms = []
    for number in range(ROUNDS):
        started = clock.monotonic()
        model.detect(Frame(picture, float(number), number))
        took_ms.append(1000 * (clock.monotonic() - started))
    return round(statistics.median(took_ms[2:]), 2)


if __name__ == "__main__":
    sys.exit(main())
