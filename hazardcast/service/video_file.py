"""Whether a file holds video that ffmpeg reads; if not, why, in words."""

from __future__ import annotations

import re
import stat
from pathlib import Path

from hazardcast.machine import refusals
from hazardcast.service.processes import TIMED_OUT, run_captured

TIMEOUT_S = 30.0
_REASONS = (
    (r"moov atom not found", "it is cut short or still being written: its index is missing"),
    (r"matches no streams|does not contain any stream|no video", "it holds no moving pictures"),
    (r"Decoder .* not found|Unknown decoder|no decoder found", "this ffmpeg cannot decode it"),
    (r"Invalid data found when processing input|could not find codec parameters",
     "it is damaged, or no video that ffmpeg knows"),
    (r"Could find no file with path", "a still picture, not a video"),
    (r"Input/output error", "the disk fails; look at it (dmesg)"),
)  # fmt: skip
_FOLLOWING = re.compile(
    r"Conversion failed|Error opening (input|output)|Nothing was written|Output file is empty|"
    r"Error (while|submitting|processing|marking|initializing)|Task finished|Terminating thread"
)
STILL = "a still picture, not a video"


def problem_of(path: Path, program: str) -> str | None:
    """Why `program` (an ffmpeg) cannot play a file, None where two pictures of it were decoded."""
    if problem := system_problem(path):
        return problem
    code, out, words = run_captured(
        [program, "-v", "error", "-nostdin", "-i", f"file:{path}", "-map", "0:V:0",
         "-frames:v", "2", "-f", "framecrc", "-"],
        timeout_s=TIMEOUT_S,
    )  # fmt: skip
    pictures = sum(not line.startswith(b"#") for line in out.splitlines())
    if pictures > 1:
        return None
    if pictures == 1:
        return STILL
    if code == TIMED_OUT:
        return f"no picture came within {TIMEOUT_S:g} s"
    return reason(words)


def system_problem(path: Path) -> str | None:
    """Why nobody can read video from there, whatever it is."""
    try:
        about = path.stat()
        if stat.S_ISDIR(about.st_mode):
            return "a folder, not a video file"
        if not stat.S_ISREG(about.st_mode):
            return "not a plain file"
        path.open("rb").close()
    except FileNotFoundError as error:
        return "no such file" if not path.is_symlink() else refusals.why(error)
    except OSError as error:
        return refusals.why(error)
    return None if about.st_size else "the file is empty"


def reason(words: str) -> str:
    """The cause among an ffmpeg's complaints: a known one, else the first that tells more."""
    for pattern, told in _REASONS:
        if re.search(pattern, words, re.IGNORECASE):
            return told
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    telling = [line for line in lines if not _FOLLOWING.search(line)]
    return (telling or lines or ["ffmpeg cannot read it"])[0][:160]
