"""`hazardcast push`: bring pictures to a pushed camera, and be told what is seen in them."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from camera.push.client import Client, Wanted
from hazardcast.config import settings
from hazardcast.contract.errors import ConfigError, HazardcastError
from hazardcast.contract.terminal_text import printable
from hazardcast.machine.clock import Clock, SystemClock
from hazardcast.service import lifecycle
from hazardcast.signing import trust


def main(arguments: Sequence[str] | None = None, *, clock: Clock | None = None) -> int:
    """Entry point; 0, or 2 when the source cannot be read or the station will not have it."""
    asked = _parser().parse_args(arguments)
    try:
        wanted = Wanted(
            asked.source, asked.to, _token(asked), asked.fps, asked.width, once=not asked.loop
        )
        tell = _tell_json if asked.json else _tell
        Client(wanted, clock or SystemClock(), tell).run(lifecycle.stop_on_signals())
    except (HazardcastError, OSError) as error:
        words = lifecycle.refused(error) or str(error)
        sys.stderr.write(f"hazardcast: {printable(words)}\n")
        return lifecycle.EXIT_BAD_CONFIGURATION
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="hazardcast push", description=__doc__)
    add = parser.add_argument
    add("--source", required=True, help="a webcam's number (0), a file, or an address (rtsp://…)")
    add("--to", required=True, metavar="URL", help="ws://HOST:8091/push/CAMERA, or wss://…")
    add("--token-file", type=Path, metavar="FILE",
        help="holds the camera's token; else keys/push-token-CAMERA is read")  # fmt: skip
    add("--fps", type=_positive, default=10.0, help="pictures a second, at most 30")
    add("--width", type=int, default=1280, metavar="PX", help="pictures are at most so wide")
    add("--loop", action="store_true", help="a file again and again")
    add("--json", action="store_true", help="each message as a JSON object, boxes included")
    return parser


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value <= 30:
        raise argparse.ArgumentTypeError(f"{text} is not within 0 … 30")
    return value


def _token(asked: argparse.Namespace) -> str:
    camera = asked.to.rstrip("/").rpartition("/")[2]
    path = asked.token_file or settings.load().keys_dir / trust.push_token_file(camera)
    try:
        token: str = path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        raise ConfigError(f"{path}: no token there; --token-file names the file of one") from None
    return token


def _tell_json(said: dict[str, Any]) -> None:
    _write(json.dumps(said))


def _tell(said: dict[str, Any]) -> None:
    if "counts" in said:
        counts = ", ".join(f"{kind} {number}" for kind, number in sorted(said["counts"].items()))
        _write(f"seen: {counts or 'nothing'}")
    elif "state" in said:
        more = f": {said['why']}; again in {said['again_in_s']} s" if "why" in said else ""
        _write(f"{said['state']}{more}")
    elif "sent" in said:
        size = f"quality {said['quality']}, {said['share']:.0%} of the size"
        _write(f"sent {said['sent']} pictures, {said['bytes'] / 1000:.0f} kB each, {size}")
    elif "error" in said:
        _write(f"refused: {said['error']}")


def _write(line: str) -> None:
    sys.stdout.write(printable(line) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
