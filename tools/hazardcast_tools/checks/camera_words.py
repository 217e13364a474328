"""What `hazardcast check` says of a camera that was tried: values in, words out."""

from __future__ import annotations

from collections.abc import Iterator

from hazardcast.contract.trials import RecordingTrial, WatchingTrial
from hazardcast.contract.vocabulary import CameraState
from hazardcast_tools.checks.findings import Finding, Result

CODECS = {
    "h264": "H.264", "hevc": "H.265", "mjpeg": "MJPEG", "mpeg4": "MPEG-4 part 2",
    "mpeg2video": "MPEG-2", "h263": "H.263", "vp8": "VP8", "vp9": "VP9", "av1": "AV1",
    "aac": "AAC", "pcm_mulaw": "G.711 (µ-law)", "pcm_alaw": "G.711 (A-law)", "opus": "Opus",
    "mp2": "MPEG audio layer 2", "mp3": "MP3", "ac3": "AC-3", "eac3": "E-AC-3",
    "adpcm_g722": "G.722", "adpcm_g726": "G.726", "adpcm_g726le": "G.726",
}  # fmt: skip
NEVER = frozenset({CameraState.UNAUTHORISED, CameraState.UNUSABLE, CameraState.UNREACHABLE})
"""States in which something must be done before the camera is recorded."""
LONG_GOP_S = 10.0
"""After a reconnect nothing is recorded until the next key frame."""
DRIFT = 0.01
"""A clock that runs wrong by more is told."""
STANDARD_ERRORS = 4.0
LONG_GOP_ADVICE = "set its key frame interval (I-frame interval, GOP) to 1 or 2 s"
ASK_AS_HERE = "look at the camera's `credentials`"


def describe(
    camera: str, shown: str, recording: RecordingTrial | None, watching: WatchingTrial | None,
    *, second_stream: str | None = None,
) -> Finding:  # fmt: skip
    """The finding about a camera that recorder or detector, or both, have tried.

    Args:
        camera: its id.
        shown: its address, as it may be shown.
        recording: what the recorder made of it; None where there is none.
        watching: what the detector made of it; None where there is none.
        second_stream: address of the stream that the detector reads, if another.
    """
    detail = _picture(recording) if recording and recording.recorded else _refusal(recording)
    notes = [*_recording_notes(recording), *_watching_notes(watching, second_stream)]
    trials = {"recording": recording, "watching": watching}
    return Finding(
        f"camera {camera}",
        _result(recording, watching),
        f"{shown}: {detail}",
        _advice(recording),
        tuple(notes),
        {name: trial.model_dump() for name, trial in trials.items() if trial},
    )


def _result(recording: RecordingTrial | None, watching: WatchingTrial | None) -> Result:
    if recording is not None and not recording.recorded:
        return "warning" if recording.state == CameraState.WAITING else "failed"
    if watching is not None and not watching.watched:
        return "failed"
    return "warning" if recording is not None and list(_doubts(recording)) else "ok"


def _doubts(trial: RecordingTrial) -> Iterator[str]:
    """What is recorded, but not as it should be."""
    if trial.state != CameraState.LIVE:
        yield f"the connection did not last: {trial.detail or trial.state}"
    if trial.audio_plan == "drop" and trial.audio:
        yield f"sound: {codec(trial.audio)}, given up: it cannot be recorded"
    if trial.key_interval_s is None:
        yield f"no second key frame came within {trial.measured_s:.0f} s: {_gap_words()}"
    elif trial.key_interval_s > LONG_GOP_S:
        yield f"key frames are {trial.key_interval_s:.0f} s apart: {_gap_words()}"
    if (drift := drift_of(trial)) is not None:
        yield f"clock: runs {abs(drift) * 100:.1f} % {'fast' if drift > 0 else 'slow'}"


def _gap_words() -> str:
    return "after each reconnect nothing is recorded until the next"


def drift_of(trial: RecordingTrial) -> float | None:
    """How much too fast the camera's clock runs (0.02: two per cent), where that is sure."""
    if trial.clock_rate is None or trial.clock_rate_error is None:
        return None
    drift = trial.clock_rate - 1
    return drift if abs(drift) > max(DRIFT, STANDARD_ERRORS * trial.clock_rate_error) else None


def codec(name: str) -> str:
    """A codec's usual name."""
    return CODECS.get(name, name)


def _refusal(trial: RecordingTrial | None) -> str:
    if trial is None:
        return "answers; it is recorded elsewhere"
    if trial.state == CameraState.WAITING:
        return f"not recorded yet, {trial.detail}; the recorder goes on waiting"
    lasting = "never recorded" if trial.state in NEVER else "not recorded"
    return f"{lasting}, {trial.state}: {trial.detail or 'no picture came'}"


def _picture(trial: RecordingTrial) -> str:
    parts = [codec(trial.video or "video"), trial.size, _rate(trial), _keys(trial)]
    if trial.b_frames:
        parts.append("B-frames")
    if trial.transport:
        parts.append(f"by {trial.transport.upper()}")
    if trial.bit_rate_bps is not None:
        parts.append(f"{trial.bit_rate_bps / 1e6:.2f} Mbit/s")
    return ", ".join(part for part in parts if part)


def _rate(trial: RecordingTrial) -> str | None:
    return None if trial.fps is None else f"{trial.fps:.1f} pictures a second"


def _keys(trial: RecordingTrial) -> str | None:
    if trial.key_interval_s is None:
        return None
    if trial.fps and trial.key_interval_s < 1.5 / trial.fps:
        return "each a key frame"
    return f"a key frame every {trial.key_interval_s:.1f} s"


def _recording_notes(trial: RecordingTrial | None) -> Iterator[str]:
    if trial is None or not trial.recorded:
        return
    yield f"pictures: {_kept(trial)}"
    if trial.audio_plan != "drop" or not trial.audio:
        yield f"sound: {_sound(trial)}"
    doubts = list(_doubts(trial))
    if not any(doubt.startswith("clock:") for doubt in doubts):
        yield f"clock: {_clock(trial)}"
    yield from doubts
    if trial.video == "hevc":
        yield "H.265 is recorded and clipped as it is; VLC plays it, many browsers do not"


def _kept(trial: RecordingTrial) -> str:
    cost = "" if trial.cpu_share is None else f", {_share(trial.cpu_share)} of a core here"
    if trial.video_plan == "copy":
        return f"recorded as they are{cost}"
    return f"encoded again as H.264{cost}"


def _share(share: float) -> str:
    return f"{share * 100:.0f} %" if share >= 0.1 else f"{share * 100:.1f} %"


def _sound(trial: RecordingTrial) -> str:
    if not trial.audio:
        return "none"
    if trial.audio_plan == "copy":
        return f"{codec(trial.audio)}, recorded as it is"
    return f"{codec(trial.audio)}, encoded again as AAC"


def _clock(trial: RecordingTrial) -> str:
    """Its pace is measured; ffmpeg does not pass on what RTCP says of the time of day."""
    if trial.clock_rate is None or trial.clock_rate_error is None:
        return "not told, the arrival of its pictures counts"
    if STANDARD_ERRORS * trial.clock_rate_error > DRIFT:
        return "its time of day is not told; its pictures come too unsteadily to measure its pace"
    return "its time of day is not told; it keeps pace with ours within 1 %"


def _watching_notes(trial: WatchingTrial | None, second_stream: str | None) -> Iterator[str]:
    if trial is None:
        return
    stream = f" {second_stream}" if second_stream else ""
    if trial.watched:
        rate = "" if trial.fps is None else f", {trial.fps:.1f} pictures a second"
        yield f"detector: reads{stream or ' it'}, {trial.size}{rate}"
    else:
        yield f"detector: gets no picture of{stream or ' it'}: {trial.detail or 'nothing came'}"


def _advice(trial: RecordingTrial | None) -> str | None:
    if trial is None:
        return None
    if trial.state == CameraState.UNAUTHORISED:
        return ASK_AS_HERE
    if trial.recorded and (trial.key_interval_s is None or trial.key_interval_s > LONG_GOP_S):
        return LONG_GOP_ADVICE
    return LONG_GOP_ADVICE if trial.state == CameraState.WAITING else None
