"""What is written beside a clip: its sources, what is missing, and fingerprints."""

from __future__ import annotations

from typing import Literal

from clipper.jobs import FILE_VERSION, FileVersion
from hazardcast.contract.fields import Time
from hazardcast.contract.messages import Alert, ClipRequest, ClipState, Gap, Message, Window
from hazardcast.contract.vocabulary import ClipStage


class FileRecord(Message):
    """A file beside the manifest."""

    name: str
    bytes: int
    sha256: str


class Snapshot(FileRecord):
    """The picture of the moment itself."""

    at: Time
    """Wall clock of the frame shown."""


class SourceRecord(FileRecord):
    """A segment of the recording, as it was when the clip was built."""

    start: Time
    end: Time
    frames: int
    """Frames of it that are in the clip."""


class StretchRecord(Message):
    """Video without a hole: wall clock, and where it begins in the clip."""

    start: Time
    end: Time
    media_s: float


class Manifest(Message):
    """Everything there is to say about a clip.

    Media time and wall clock run side by side: a frame at `t` seconds into the clip was taken at
    `first_frame_at + t`; where a gap lies, the clip's time runs on and shows the last frame.
    """

    version: FileVersion = FILE_VERSION
    event_id: str
    camera: str
    state: Literal[ClipStage.READY, ClipStage.PARTIAL, ClipStage.FAILED]
    requested: Window
    delivered: Window | None = None
    """First frame to the end of the last, which may reach beyond what was requested."""
    coverage: float
    gaps: tuple[Gap, ...] = ()
    detail: str | None = None
    incident_at: Time
    incident_media_s: float | None = None
    """Where the incident's moment lies in the clip."""
    first_frame_at: Time | None = None
    first_frame_iso: str | None = None
    clock_error_s: float | None = None
    """Bound on the error of these wall-clock times, as the recorder states it."""
    video: FileRecord | None = None
    duration_s: float | None = None
    frames: int | None = None
    method: Literal["copy", "reencoded"] | None = None
    snapshot: Snapshot | None = None
    stretches: tuple[StretchRecord, ...] = ()
    sources: tuple[SourceRecord, ...] = ()
    request: ClipRequest
    alert: Alert | None = None
    software: str
    ffmpeg: str | None = None
    created_at: Time

    def clip_state(self, path: str | None) -> ClipState:
        """What is said about this clip on the bus; `path` is the video's, if there is one."""
        return ClipState(
            event_id=self.event_id,
            camera=self.camera,
            state=self.state,
            requested=self.requested,
            updated_at=self.created_at,
            delivered=self.delivered,
            coverage=self.coverage,
            gaps=self.gaps,
            path=path if self.video else None,
            detail=self.detail,
        )
