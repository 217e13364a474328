"""`python -m tests.privacy.kills --kills 200`: a worker killed at random moments, and what is left.

After each kill: no file is lost, and whatever can be seen is whole and was verified. At the end:
every file is there once, with each picture at its time and no head bare.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import random
import subprocess
import tempfile
import threading
from pathlib import Path

import numpy as np
from privacy import folders as shelf
from privacy import worker
from privacy.cover import planes_of
from privacy.ffmpeg import Decoder, list_packets
from privacy.folders import Folders, Name
from privacy.plan import Plan

from hazardcast.machine.clock import SystemClock
from hazardcast.media.ffmpeg import find_ffmpeg
from hazardcast.testing import eventually
from tests.privacy.blur import HEAD

BLUR = Path(__file__).with_name("blur.py")
START_MS = 1_800_000_000_000
FORK = multiprocessing.get_context("fork")
"""A new worker in no time: this process starts no thread and looks at no picture before the end."""


class LostError(AssertionError):
    """Something that must hold does not."""


def plan_for(root: Path, program: str) -> Plan:
    return Plan(root=root, ffmpeg=program, blur_module_path=str(BLUR), max_attempts=100_000)


def started(plan: Plan) -> multiprocessing.process.BaseProcess:
    process = FORK.Process(target=worker.run, args=(plan, 1, SystemClock(), threading.Event()))
    process.start()
    return process


def add(folders: Folders, source: Path, number: int) -> Name:
    start = START_MS + number * 2000
    name = Name(start, f"camera-{number % 3}", f"{start}-{start + 1200}.ts")
    shelf.link(source, shelf.place(folders.inbox, name))
    return name


def check(folders: Folders, names: list[Name]) -> None:
    """What must hold at any moment."""
    shown = set(shelf.listed(folders.out))
    somewhere = shown | set(shelf.listed(folders.inbox)) | set(shelf.held_elsewhere(folders))
    if lost := set(names) - somewhere:
        raise LostError(f"lost: {lost}")
    for name in shown:
        path = shelf.place(folders.out, name)
        about = json.loads(path.with_name(name.json).read_text())
        if about["output"]["sha256"] != hashlib.sha256(path.read_bytes()).hexdigest():
            raise LostError(f"shown, and not what was verified: {path}")


def check_end(folders: Folders, names: list[Name], source: Path, program: str) -> None:
    """What must hold once all is done."""
    everywhere = sorted(folders.root.rglob("*.ts"))
    if everywhere != sorted(shelf.place(folders.out, name) for name in names):
        raise LostError(f"left over or doubled: {everywhere}")
    wanted = list(list_packets(program, source).pts)
    x1, y1, x2, y2 = HEAD
    for path in everywhere:
        with Decoder(program, path) as decoder:
            for seen, data in decoder.frames():
                head = planes_of(data, seen.width, seen.height).y[y1:y2, x1:x2].astype(int)
                if np.abs(np.diff(head)).mean() > 6.0:
                    raise LostError(f"bare: picture {seen.number} of {path}")
            if decoder.pts != wanted:
                raise LostError(f"other times: {path}")


def shake(root: Path, source: Path, program: str, *, kills: int, seed: int) -> int:
    """Kill a worker so often at random moments; returns how many files it finished.

    Raises:
        LostError: what must hold did not.
    """
    draw, folders, clock = random.Random(seed), Folders(root), SystemClock()
    folders.make()
    plan, never = plan_for(root, program), threading.Event()
    names = [add(folders, source, 0)]
    begun = clock.monotonic()
    process = started(plan)
    eventually(lambda: shelf.listed(folders.out) == names, within_s=120, what="the first file")
    one_s = clock.monotonic() - begun
    process.kill()
    process.join()
    for number in range(1, kills + 1):
        if len(shelf.listed(folders.inbox)) < 2:
            names.append(add(folders, source, number))
        process = started(plan)
        clock.wait(never, draw.uniform(0.0, 1.3 * one_s))
        process.kill()
        process.join()
        check(folders, names)
    process = started(plan)
    eventually(
        lambda: not shelf.listed(folders.inbox) and not list(shelf.held_elsewhere(folders)),
        within_s=60 + 20 * one_s, what="the rest",
    )  # fmt: skip
    process.terminate()
    process.join()
    check(folders, names)
    check_end(folders, names, source, program)
    return len(names)


def sample(program: str, folder: Path) -> Path:
    path = folder / "sample.ts"
    subprocess.run(
        [program, "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=320x192:r=15:d=0.6", "-vf",
         "noise=alls=60:allf=t", "-c:v", "libx264", "-preset", "ultrafast", "-f", "mpegts", str(path)],
        check=True,
    )  # fmt: skip
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    options = parser.parse_args()
    program = find_ffmpeg()
    with tempfile.TemporaryDirectory() as folder:
        source = sample(program, Path(folder))
        print(f"{options.kills} kills, seed {options.seed}")
        done = shake(
            Path(folder) / "privacy", source, program, kills=options.kills, seed=options.seed
        )
    print(f"{done} files: 0 lost, 0 doubled, 0 unverified visible")


if __name__ == "__main__":
    main()
