"""`python -m tests.chaos --seed 7 --minutes 3`: shake everything, print the figures."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from benchmarks import testbed
from tests.chaos import world
from tests.chaos.kinds import KINDS
from tests.chaos.reports import Amount
from tests.chaos.running import CALM_S, SETTLE_S, run, shuffled_seed


def main() -> None:
    arguments = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was made is removed all the same
    if missing := testbed.missing() or world.lacking():
        sys.exit(f"missing here: {missing}")
    wanted = arguments.only or [kind.name for kind in KINDS]
    if arguments.only == ["none"]:
        wanted = []
    kinds = [kind for kind in KINDS if any(part in kind.name for part in wanted)]
    storm_s = max(10.0, arguments.minutes * 60 - CALM_S - SETTLE_S)
    floods = max(1, round(storm_s / 150))
    amount = Amount(CALM_S, storm_s, floods=floods)
    if arguments.gentle:
        amount = replace(amount, flaps=0, flood=0, none_per_s=0.2)
    with tempfile.TemporaryDirectory(prefix="chaos-") as temporary:
        folder = arguments.keep or Path(temporary)
        print(f"seed {arguments.seed}, {arguments.minutes:g} min, files in {folder}", flush=True)
        result = run(
            folder / "world", seed=arguments.seed, seconds=arguments.minutes * 60, kinds=kinds,
            amount=amount, say=True,
        )  # fmt: skip
    for finding in result.findings():
        print(finding)
    print(result.figures())
    sys.exit(0 if result.verdict.holds else 1)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=shuffled_seed())
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument(
        "--only", action="append", help="faults whose name holds this; `none`: none"
    )
    parser.add_argument("--gentle", action="store_true", help="few odd reports, no floods")
    parser.add_argument("--keep", type=Path, help="keep logs and files in this folder")
    return parser.parse_args()


if __name__ == "__main__":
    main()
