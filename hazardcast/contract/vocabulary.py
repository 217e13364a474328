"""The words that services say to each other: states and causes, each with its meaning.

A word of a newer version that this one does not know is read as `unknown` where there is one; in
the other enums it is refused, as nothing sensible could be done with it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class OpenWord(StrEnum):
    """A word of a list that may grow: has `unknown` for those that this version does not know."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        return cls("unknown") if isinstance(value, str) and value != "unknown" else None


class ServiceState(StrEnum):
    """Whether a service is there."""

    ONLINE = "online"
    """It does its work."""
    OFFLINE = "offline"
    """It was lost: its last will."""
    STOPPED = "stopped"
    """It was stopped, and says so itself."""


class CameraState(OpenWord):
    """How one camera is for the service that reports it."""

    CONNECTING = "connecting"
    """It has been asked for; no picture has come yet."""
    WAITING = "waiting"
    """Connected, but nothing can be recorded until a key frame comes."""
    LIVE = "live"
    """Pictures come."""
    STALLED = "stalled"
    """Connected, but no picture has come for a while."""
    UNAUTHORISED = "unauthorised"
    """It refuses the login, or asks for one."""
    UNREACHABLE = "unreachable"
    """Nothing answers at its address."""
    UNUSABLE = "unusable"
    """It answers, but what it sends cannot be used."""
    UNREADABLE = "unreadable"
    """Its file or device cannot be read."""
    ENDED = "ended"
    """The stream, or a file that is played once, is over."""
    DISK_FULL = "disk_full"
    """It cannot be recorded: the disk is full."""
    FAILING = "failing"
    """This machine refuses what the work needs, such as to write there; the detail says why."""
    STOPPED = "stopped"
    """The service lets go of it."""
    UNKNOWN = "unknown"
    """A word that this version does not know."""


class ClipStage(StrEnum):
    """How far a requested clip is."""

    PENDING = "pending"
    """Asked for; there is no video of the window yet."""
    RECORDING = "recording"
    """Some video of the window is there, more is to come."""
    BUILDING = "building"
    """The clip is being put together."""
    READY = "ready"
    """The whole window is there."""
    PARTIAL = "partial"
    """A clip is there, with gaps."""
    FAILED = "failed"
    """There is no clip."""

    @property
    def is_final(self) -> bool:
        """Whether nothing more is to come, unless more video turns up."""
        return self in (ClipStage.READY, ClipStage.PARTIAL, ClipStage.FAILED)


class RunCause(OpenWord):
    """Why a stretch of continuous recording ended."""

    CAMERA_DOWN = "camera_down"
    """The camera ended the stream, or could not be reached."""
    STALLED = "stalled"
    """The connection stood, but no picture came."""
    RECORDER_STOPPED = "recorder_stopped"
    """The recorder was stopped."""
    RECORDER_KILLED = "recorder_killed"
    """The recorder ended without a word."""
    FORMAT_CHANGED = "format_changed"
    """The camera went on in another format."""
    CLOCK_STEPPED = "clock_stepped"
    """The camera's clock or the machine's was set."""
    NO_KEY_FRAME = "no_key_frame"
    """No key frame came, and without one nothing can be recorded."""
    DISK_FULL = "disk_full"
    """The disk was full."""
    UNKNOWN = "unknown"
    """Nobody wrote down why."""


class GapCause(OpenWord):
    """Why there is no video of a stretch of time: what ended the run before it, or else."""

    CAMERA_DOWN = RunCause.CAMERA_DOWN.value
    """The camera ended the stream, or could not be reached."""
    STALLED = RunCause.STALLED.value
    """The connection stood, but no picture came."""
    RECORDER_STOPPED = RunCause.RECORDER_STOPPED.value
    """The recorder was stopped."""
    RECORDER_KILLED = RunCause.RECORDER_KILLED.value
    """The recorder ended without a word."""
    FORMAT_CHANGED = RunCause.FORMAT_CHANGED.value
    """The camera went on in another format."""
    CLOCK_STEPPED = RunCause.CLOCK_STEPPED.value
    """The camera's clock or the machine's was set."""
    NO_KEY_FRAME = RunCause.NO_KEY_FRAME.value
    """No key frame came, and without one nothing can be recorded."""
    DISK_FULL = RunCause.DISK_FULL.value
    """The disk was full."""
    NOT_RECORDED_YET = "not_recorded_yet"
    """The recorder has not closed the segment."""
    NEVER_RECORDED = "never_recorded"
    """Before the first recording, or of a camera that is not recorded."""
    NO_FRAMES = "no_frames"
    """Within a run that went on: the camera sent nothing."""
    RETENTION = "retention"
    """It was recorded and has been removed since."""
    UNREADABLE = "unreadable"
    """The segment is there, but no video can be read from it."""
    GAVE_WAY = "gave_way"
    """Too many clips were asked for, and this one was the least."""
    UNKNOWN = "unknown"
    """Nobody wrote down why, or by a word that this version does not know."""

    @classmethod
    def of_run(cls, cause: RunCause | None) -> Self:
        """The gap after a run that ended so; a run that does not tell has an unknown cause."""
        return cls(cause) if cause else cls.UNKNOWN
