"""Memory of the detector's pipeline over an hour of video, compressed: a drawn scene over and over.

Time goes on from loop to loop, so that incidents open, end and cool down as they would; the model is
`HAZARDCAST_MODEL`'s, else the one that is built in. The rise is from after the first tenth to the end.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.detector_throughput import make_video
from benchmarks.harness import Figure

HOURS = 1.0
MOST_RISE_MB = 15.0

PROGRAM = """
import sys, psutil
from pathlib import Path
from hazardcast.vision.pixels import image
from hazardcast.vision.pixels.frame import Frame
from hazardcast.vision.pixels.sources import FileFrames
from hazardcast.vision.models.opener import model_opener
from detector.pipeline import Pipeline
from hazardcast.config import settings
image.single_threaded()
pipeline, offset_s, rss = Pipeline(model_opener(settings.load().model, threads=1)()), 0.0, []
until_s, marks = float(sys.argv[2]), 10
while offset_s < until_s:
    for frame in FileFrames(Path(sys.argv[1]), fps=8):
        t = offset_s + frame.t
        pipeline.process(Frame(frame.image, t, frame.index))
        if t >= until_s * (len(rss) + 1) / marks:
            rss.append(psutil.Process().memory_info().rss / 1e6)
            print(round(rss[-1], 1), flush=True)
    offset_s = t + 0.125
"""


def run() -> list[Figure]:
    with tempfile.TemporaryDirectory() as name:
        video = make_video(Path(name))
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(video), str(3600 * HOURS)],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
    rss_mb = [float(line) for line in done.stdout.split()]
    rise = max(rss_mb[1:]) - rss_mb[0]
    detail = {"first_mb": rss_mb[0], "last_mb": rss_mb[-1], "hours": HOURS}
    return [Figure("memory over an hour of video: rise", "MB", rise, None, f"≤ {MOST_RISE_MB:.0f} MB", rise <= MOST_RISE_MB, detail)]  # fmt: skip
