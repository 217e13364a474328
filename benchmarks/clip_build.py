"""A ten-minute clip from 60 kept segments, beside bare `ffmpeg -f concat -c copy` and `cp`.

Ours is the whole of it: every segment scanned and hashed, joined to the frame, the snapshot, the
result hashed, everything flushed to the disk, the manifest in place. The bare join does the join
only, of whole segments, and flushes nothing.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from clipper.build import Builder
from clipper.ffmpeg import Ffmpeg
from clipper.jobs import Job, new_job
from clipper.library import Library

from benchmarks.harness import Figure
from benchmarks.recorder_cpu import make_source
from hazardcast.contract.messages import ClipRequest
from hazardcast.contract.vocabulary import ClipStage
from hazardcast.machine.clock import SystemClock
from hazardcast.media.ffmpeg import find_ffmpeg
from hazardcast.media.segments import Segment
from hazardcast.signing import trust

SEGMENTS = 60
SEGMENT_S = 10
ROUNDS = 5
AIM_RATIO = 1.5
T0 = 1_800_000_000


def make_segments(folder: Path) -> list[Segment]:
    """Ten minutes of 1080p15, about 4 Mbit/s, stamps running through."""
    source = make_source(folder)
    subprocess.run(
        [
            find_ffmpeg(), "-loglevel", "error", "-stream_loop", "-1", "-i", str(source),
            "-t", str(SEGMENTS * SEGMENT_S), "-c", "copy", "-f", "segment", "-segment_time",
            str(SEGMENT_S), "-segment_format", "mpegts", str(folder / "part-%03d.ts"),
        ],
        check=True,
    )  # fmt: skip
    segments = []
    for index, path in enumerate(sorted(folder.glob("part-*.ts"))[:SEGMENTS]):
        start_ms = (T0 + index * SEGMENT_S) * 1000
        end_ms = start_ms + SEGMENT_S * 1000 - 67
        segments.append(Segment(start_ms, end_ms, path.rename(folder / f"{start_ms}-{end_ms}.ts")))
    return segments


def wanted() -> Job:
    middle = T0 + SEGMENTS * SEGMENT_S / 2
    request = ClipRequest(event_id="bench", camera="bench", ts=middle, pre_s=298, post_s=298)
    return new_job(request, now=middle, names=(), stems=())


def ours(folder: Path, segments: list[Segment]) -> Callable[[], None]:
    clock = SystemClock()
    signer = trust.signer_of(trust.generate_jwk("EdDSA"))
    builder = Builder(Ffmpeg(find_ffmpeg(), clock=clock, stop=threading.Event()), clock)
    library, job, directory = Library(folder / "clips", signer), wanted(), folder / "build"

    def build() -> None:
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir()
        built = builder.build(job, segments, (), directory)
        assert built.manifest.state == ClipStage.READY, built.manifest.detail
        assert built.manifest.method == "copy"
        library.commit(job.stem, built.manifest, *built.files)

    return build


def concat(folder: Path, segments: list[Segment]) -> Callable[[], None]:
    names = folder / "list.txt"
    names.write_text("".join(f"file '{segment.path}'\n" for segment in segments))
    command = [
        find_ffmpeg(), "-y", "-loglevel", "error", "-f", "concat", "-safe", "0", "-i", str(names),
        "-c", "copy", "-movflags", "+faststart", str(folder / "concat.mp4"),
    ]  # fmt: skip

    def join() -> None:
        subprocess.run(command, check=True)

    return join


def copy(folder: Path, segments: list[Segment]) -> Callable[[], None]:
    def cp() -> None:
        with (folder / "copy.ts").open("wb") as target:
            for segment in segments:
                with segment.path.open("rb") as source:
                    shutil.copyfileobj(source, target, 1 << 20)

    return cp


def seconds(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def run() -> list[Figure]:
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as name:
        folder = Path(name)
        segments = make_segments(folder)
        ways = [make(folder, segments) for make in (ours, concat, copy)]
        rounds = [[seconds(way) for way in ways] for _ in range(ROUNDS)]
        mine, bare, copied = (median(column) for column in zip(*rounds, strict=True))
        megabytes = sum(segment.path.stat().st_size for segment in segments) / 1e6
        return [
            Figure(
                name="clip of 10 minutes, 60 segments",
                unit="s",
                ours=mine,
                bare=bare,
                aim=f"≤ {AIM_RATIO} × concat",
                met=mine <= AIM_RATIO * bare,
                detail={"cp_s": copied, "megabytes": megabytes, "rounds": ROUNDS},
            )
        ]
