"""What a service says after it has tried a camera: a line of JSON each, read by `hazardcast check`.

`python -m recorder.trial` and `python -m detector.trial` open the cameras exactly as the services
do, for some seconds, and keep nothing.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from hazardcast.contract.vocabulary import CameraState


class _Word(BaseModel):
    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    camera: str


class Waiting(_Word):
    """A trial goes on."""

    kind: Literal["waiting"] = "waiting"
    detail: str
    for_s: float
    """Since the trial began."""


class RecordingTrial(_Word):
    """What the recorder made of a camera."""

    kind: Literal["recording"] = "recording"
    recorded: bool
    state: CameraState
    """As the recorder's status has it."""
    detail: str | None = None
    video: str | None = None
    """The camera's codec, as ffmpeg calls it."""
    size: str | None = None
    """Width and height, as `1920x1080`."""
    audio: str | None = None
    """The camera's sound, as ffmpeg calls it; none, or not told, is None."""
    video_plan: Literal["copy", "encode"] = "copy"
    audio_plan: Literal["copy", "encode", "drop"] = "copy"
    transport: Literal["tcp", "udp"] | None = None
    """How RTP came; None where that is not RTSP or cannot be seen."""
    measured_s: float = 0.0
    """Length of the pictures on which the figures stand."""
    fps: float | None = None
    key_interval_s: float | None = None
    """Usual distance of key frames; None where fewer than two came."""
    key_waited_s: float | None = None
    """From the beginning of the trial to the first key frame."""
    b_frames: bool | None = None
    bit_rate_bps: float | None = None
    """Of the recording, sound included."""
    cpu_share: float | None = None
    """What recording it costs, as share of a core of this machine."""
    clock_rate: float | None = None
    """How fast the camera's clock runs against this machine's: 1.02 is two per cent fast."""
    clock_rate_error: float | None = None
    """Standard error of `clock_rate`."""


class WatchingTrial(_Word):
    """What the detector made of a camera."""

    kind: Literal["watching"] = "watching"
    watched: bool
    detail: str | None = None
    size: str | None = None
    """Width and height of the pictures that it gets."""
    fps: float | None = None
    """Pictures that it got a second, at most `detect_fps`."""
    waited_s: float | None = None
    """From the beginning of the trial to the first picture."""


Word = Waiting | RecordingTrial | WatchingTrial
_WORDS: TypeAdapter[Word] = TypeAdapter(Word)


def read(line: str) -> Word | None:
    """The word of a line; None where it is none, as what a library prints by the way."""
    try:
        return _WORDS.validate_json(line)
    except ValidationError:
        return None
