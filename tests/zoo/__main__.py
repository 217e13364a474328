"""`python -m tests.zoo`: every row; `list`, `camera ROW`, `run ROW…`.

python -m tests.zoo                   every row, two beside each other
python -m tests.zoo --write           the same, and docs/reference/cameras.md
python -m tests.zoo run udp-only leap some rows, with what is wrong
python -m tests.zoo camera udp-only   the camera alone: prints its address and goes on
"""

from __future__ import annotations

import argparse
import json
import logging
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from tests.zoo import http_camera, rtsp_camera, table
from tests.zoo.manner import Rtsp
from tests.zoo.outcome import Outcome
from tests.zoo.row import Row
from tests.zoo.rows import ROWS
from tests.zoo.standing import ROOT

LONGEST_ROW_S = 150.0


def main() -> None:
    arguments = _arguments()
    if arguments.what == "list":
        print(*(f"{row.name:22} {row.says}" for row in ROWS), sep="\n")
    elif arguments.what == "camera":
        camera(_named(arguments.rows[0]))
    elif arguments.what == "judge":
        print(judged(_named(arguments.rows[0]), arguments.keep).as_json())
    else:
        rows = [_named(name) for name in arguments.rows] or list(ROWS)
        sys.exit(0 if run(rows, arguments) else 1)


def camera(row: Row) -> None:
    def tell(line: str) -> None:
        print(line, flush=True)

    if isinstance(row.manner, Rtsp):
        rtsp_camera.serve(row.film, row.manner, tell)
    else:
        http_camera.serve(row.film, row.manner, tell)


def judged(row: Row, keep: Path | None) -> Outcome:
    from tests.zoo.judge import judge
    from tests.zoo.watching import watch

    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="zoo-") as temporary:
        folder = keep or Path(temporary)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        watched = watch(row, folder)
        return Outcome.of(row, watched, judge(row, watched))


def run(rows: list[Row], arguments: argparse.Namespace) -> bool:
    begun = time.monotonic()
    outcomes = []
    with ThreadPoolExecutor(arguments.beside) as pool:
        for done in as_completed([pool.submit(tried, row, keep=arguments.keep) for row in rows]):
            outcomes.append(done.result())
            print(outcomes[-1].line(), flush=True)
            if arguments.write:
                table.write(outcomes[-1:])
    bad = [one.row for one in outcomes if not one.holds]
    lasted_s = time.monotonic() - begun
    print(f"{len(outcomes)} rows in {lasted_s:.0f} s, {len(bad)} do not hold: {' '.join(bad)}")
    return not bad


def tried(row: Row, *, keep: Path | None = None) -> Outcome:
    """A row in a process of its own."""
    kept = ["--keep", str(keep / row.name)] if keep else []
    try:
        done = subprocess.run(
            [sys.executable, "-m", "tests.zoo", "judge", row.name, *kept],
            cwd=ROOT, capture_output=True, text=True, check=False, timeout=LONGEST_ROW_S,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return Outcome.broken(row, f"not done within {LONGEST_ROW_S:.0f} s")
    if done.returncode:
        return Outcome.broken(row, done.stderr)
    return Outcome(**json.loads(done.stdout.splitlines()[-1]))


def _named(name: str) -> Row:
    return next(row for row in ROWS if row.name == name)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.zoo", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument(
        "what", nargs="?", default="run", choices=("run", "list", "camera", "judge")
    )
    parser.add_argument("rows", nargs="*", help="names, all where none is given")
    parser.add_argument("--beside", type=int, default=2, help="rows at the same time")
    parser.add_argument("--keep", type=Path, help="keep recordings and clips in this folder")
    parser.add_argument("--write", action="store_true", help="write docs/reference/cameras.md")
    return parser.parse_args()


if __name__ == "__main__":
    main()
