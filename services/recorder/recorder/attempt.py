"""One connection to a camera: from starting ffmpeg until it ends, for whatever reason."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from dataclasses import dataclass, field

from hazardcast.contract.vocabulary import CameraState, RunCause
from hazardcast.machine.clock import Clock
from hazardcast.media import camera_address
from hazardcast.media.ffmpeg import Transport
from hazardcast.media.ffmpeg_reasons import OWN_ERROR, Kind
from hazardcast.media.redirect import Redirect
from hazardcast.media.rtsp_challenge import why_refused
from hazardcast.net import ports
from recorder.adoption import TimeNote
from recorder.archive import Archive
from recorder.command import BYTE_STREAMS, Plan, command, frames_in_flight, plan_for
from recorder.console import Console, Found
from recorder.ffmpeg import Lines, Recording
from recorder.frames import FrameLines, read_segment
from recorder.part_index import OpenRun, PartIndex
from recorder.timeline import Timeline
from recorder.witness import NOBODY, Witness

CONNECT_S = 20.0
"""A camera that has not sent a picture by then is asked again."""
KEYLESS_S = 120.0
"""Longest file: a camera that sends no key frame for so long is asked anew, which brings one where
no relay stands between."""
READ_S = 0.25
REST_S = 1.0
"""Once the clock has settled, lines are left in the pipe for so long, and then the arrival of the
next one is noted: reading every frame as it comes would cost more than recording it."""
NOTE_AFTER_S = 0.01
"""A mapping that moved by this much is written down again."""

WAITING = "connected, waiting for a key frame"
NO_STREAM = "the camera service has no stream of it now, and says why in its status"


@dataclass(frozen=True)
class Source:
    """A camera as ffmpeg needs to know it."""

    camera: str
    url: str = field(repr=False)
    """Credentials included: never logged."""
    segment_s: float = 10.0
    rtsp_transport: Transport = "auto"
    local: bool = False
    """Streamed by the camera service."""


@dataclass(frozen=True)
class Ending:
    """Why a connection ended."""

    state: CameraState
    """What the camera is until it is live again."""
    cause: RunCause
    """What the run log says."""
    detail: str | None = None
    at_once: bool = False
    """The camera is there: connect again without waiting."""
    found: Found | None = None
    kind: Kind | None = None
    """What sort of failure it was, where that is known."""


@dataclass(frozen=True)
class Patience:
    """How long is waited for what."""

    key_s: float = KEYLESS_S
    """For the first key frame."""
    most_s: float = float("inf")
    """For this connection, after which sound that was given up is asked for again."""


@dataclass
class Report:
    """What is known of a camera now; written by its thread, read by others."""

    state: CameraState = CameraState.CONNECTING
    detail: str | None = None
    last_frame_at: float | None = None


class Attempt:
    """Runs one ffmpeg and puts away what it records."""

    def __init__(
        self,
        source: Source,
        plan: Plan,
        archive: Archive,
        *,
        program: str,
        keep_audio: bool,
        patience: Patience,
        report: Report,
        clock: Clock,
        stop: threading.Event,
        witness: Witness = NOBODY,
        part_index: PartIndex | None = None,
    ) -> None:
        self._source = source
        self._plan = plan
        self._archive = archive
        self._program = program
        self._keep_audio = keep_audio
        self._patience = patience
        self._report = report
        self._clock = clock
        self._stop = stop
        self._witness = witness
        self._part_index = part_index or PartIndex()
        self._console = Console(source.url)
        self._lines = FrameLines()
        self._timeline = Timeline()
        self._noted_s: float | None = None
        self._run_name = str(round(clock.now() * 1000))
        self._started = clock.monotonic()

    @property
    def saw_frames(self) -> bool:
        """Whether the camera has sent pictures."""
        return self._timeline.offset_s is not None

    @property
    def recorded(self) -> bool:
        """Whether pictures came that can be recorded."""
        return self.saw_frames and not self._timeline.key_awaited

    def run(self) -> Ending:
        """Record until it ends; everything recorded is put away when this returns."""
        with ExitStack() as stack:
            url = self._source.url
            if not self._source.local:
                url = stack.enter_context(Redirect(url)).url
                self._console = Console(self._source.url, stand_in=url)
            return self._record(url)

    def _record(self, url: str) -> Ending:
        recording = Recording(
            lambda list_fd: self._command(url, list_fd), self._archive.shelf.open_folder
        )
        ending = Ending(CameraState.ENDED, RunCause.RECORDER_KILLED)
        self._part_index.follow(self._source.camera, self._open_run())
        try:
            ending = self._follow(recording)
            for lines in recording.stop(self._clock):
                self._take(lines)
        finally:
            self._part_index.leave(self._source.camera)
            recording.close()
            if not self._wants_other_plan():
                self._put_away_rest()
            self._archive.end_run(ending.cause)
        return ending

    def _open_run(self) -> OpenRun:
        return OpenRun(
            self._archive.shelf.open_folder,
            self._run_name,
            self._timeline,
            self._archive.next_number,
            lambda: self._codec,
            self._source.segment_s,
            lambda: self._console.found.pixels,
        )

    def _command(self, url: str, list_fd: int) -> tuple[str, ...]:
        return command(
            self._program,
            url,
            self._plan,
            prefix=self._run_name,
            segment_s=self._source.segment_s,
            list_fd=list_fd,
        )

    def _follow(self, recording: Recording) -> Ending:
        while not self._stop.is_set():
            if self._timeline.settled:
                self._clock.wait(self._stop, REST_S)
                self._take(recording.read(0), exact=False)
            lines = recording.read(READ_S)
            self._take(lines)
            if ending := self._verdict(recording, heard=bool(lines)):
                return ending
        return Ending(CameraState.STOPPED, RunCause.RECORDER_STOPPED)

    def _take(self, lines: Lines, *, exact: bool = True) -> None:
        if lines.frame:
            self._console.forget()
        for text in lines.log:
            self._console.take(text)
        if self._wants_other_plan():
            return
        if lines.frame:
            self._take_frames(lines.frame, exact=exact)
        for text in lines.segment:
            if closed := read_segment(text):
                self._timeline.segment(closed)
        self._put_away()

    def _take_frames(self, texts: list[str], *, exact: bool) -> None:
        arrived_at, monotonic_s = self._clock.now(), self._clock.monotonic()
        self._timeline.frames_in_flight = frames_in_flight(
            self._console.found, lengths_told=self._source.local
        )
        for text in texts:
            if frame := self._lines.read(text):
                self._timeline.frame(
                    frame, arrived_at=arrived_at, monotonic_s=monotonic_s, exact=exact
                )
                self._witness.frame(frame, self._console.found, monotonic_s, exact=exact)
        if self._timeline.last_frame_at is not None:
            self._report.last_frame_at = self._timeline.last_frame_at
            if not self._timeline.key_awaited:
                self._report.state, self._report.detail = CameraState.LIVE, None
        self._note()

    def _note(self) -> None:
        offset_s = self._timeline.offset_s
        if offset_s is None:
            return
        if self._noted_s is None or abs(offset_s - self._noted_s) > NOTE_AFTER_S:
            self._archive.note(self._run_name, self._time_note(offset_s))
            self._noted_s = offset_s

    def _time_note(self, offset_s: float) -> TimeNote:
        return TimeNote(offset_s, self._codec, self._timeline.error_s)

    @property
    def _codec(self) -> str | None:
        return self._lines.codec if self._plan.video == "copy" else "h264"

    def _put_away(self, *, final: bool = False) -> None:
        for named in self._timeline.named(final=final):
            self._archive.keep(named, self._codec, cut_short=final)

    def _put_away_rest(self) -> None:
        self._put_away(final=True)
        if self._timeline.offset_s is not None:
            self._archive.adopt(self._time_note(self._timeline.offset_s))

    def _verdict(self, recording: Recording, *, heard: bool) -> Ending | None:
        """Whether to end, and why."""
        if self._wants_other_plan():
            return Ending(
                CameraState.CONNECTING,
                RunCause.CAMERA_DOWN,
                at_once=True,
                found=self._console.found,
            )
        if recording.ended:
            return self._ended()
        if self._timeline.jumped:
            return Ending(
                CameraState.CONNECTING,
                RunCause.CLOCK_STEPPED,
                "the camera's clock jumped",
                at_once=True,
            )
        lasted_s = self._clock.monotonic() - self._started
        if lasted_s > self._patience.most_s:
            return Ending(
                CameraState.CONNECTING,
                RunCause.FORMAT_CHANGED,
                "asks for its sound again",
                at_once=True,
            )
        if ending := self._setless() or self._keyless(lasted_s):
            return ending
        return None if heard else self._silence(lasted_s)

    def _setless(self) -> Ending | None:
        """Whether a byte stream tells only once what each file must tell."""
        may_add = self._plan.video == "copy" and not self._plan.add_sets
        is_stream = self._console.found.format in BYTE_STREAMS
        if not (self._archive.lacks_sets and may_add and is_stream):
            return None
        detail = "it tells only once how its pictures are made; every file will tell it"
        return Ending(
            CameraState.CONNECTING,
            RunCause.FORMAT_CHANGED,
            detail,
            at_once=True,
            kind="setless",
        )

    def _wants_other_plan(self) -> bool:
        if not self._console.complete:
            return False
        wanted = plan_for(self._console.found, keep_audio=self._keep_audio, before=self._plan)
        return wanted != self._plan

    def _keyless(self, lasted_s: float) -> Ending | None:
        longest_s = max(KEYLESS_S, self._patience.key_s, 3 * self._source.segment_s)
        if self._timeline.open_s > longest_s:
            return Ending(
                CameraState.CONNECTING, RunCause.NO_KEY_FRAME, "no key frame", at_once=True
            )
        if not self._key_is_awaited:
            return None
        self._report.state, self._report.detail = CameraState.WAITING, WAITING
        if lasted_s > self._patience.key_s:
            detail = f"no key frame within {lasted_s:.0f} s"
            return Ending(
                CameraState.WAITING,
                RunCause.NO_KEY_FRAME,
                detail,
                at_once=True,
                found=self._console.found,
                kind="sizeless",
            )
        return None

    @property
    def _key_is_awaited(self) -> bool:
        """Whether the camera sends, but nothing that can be begun with."""
        reason = self._console.reason
        told = reason is not None and reason.kind == "sizeless" and not self.saw_frames
        return told or self._timeline.key_awaited

    def _silence(self, lasted_s: float) -> Ending | None:
        if self._timeline.stalled(self._clock.monotonic()):
            return Ending(CameraState.STALLED, RunCause.STALLED, "connected, but no video comes")
        if self.saw_frames or lasted_s <= CONNECT_S or self._key_is_awaited:
            return None
        if self._console.found.format or ports.answers(*camera_address.host_port(self._source.url)):
            detail = f"it answers, but no video came within {CONNECT_S:.0f} s"
            return Ending(CameraState.UNUSABLE, RunCause.CAMERA_DOWN, detail, kind="transport")
        detail = f"it does not answer within {CONNECT_S:.0f} s: look at its power and its address"
        return Ending(CameraState.UNREACHABLE, RunCause.CAMERA_DOWN, detail, kind="unreached")

    def _ended(self) -> Ending:
        reason, found = self._console.reason, self._console.found
        kind, detail = reason.kind if reason else None, self._console.problem
        if self._console.disk_full:
            return Ending(
                CameraState.DISK_FULL, RunCause.DISK_FULL, "no space left", at_once=self.saw_frames
            )
        if kind == "unauthorised":
            detail = why_refused(self._source.url) or detail
            return Ending(CameraState.UNAUTHORISED, RunCause.CAMERA_DOWN, detail, kind=kind)
        if self._key_is_awaited:
            return Ending(
                CameraState.WAITING, RunCause.NO_KEY_FRAME, WAITING, found=found, kind="sizeless"
            )
        if self.saw_frames:
            return Ending(
                CameraState.ENDED, RunCause.CAMERA_DOWN, detail or "the camera ended the stream"
            )
        is_away = kind == "unreached"
        if self._source.local and detail == OWN_ERROR:
            return Ending(CameraState.ENDED, RunCause.CAMERA_DOWN, NO_STREAM, found=found)
        state = CameraState.UNREACHABLE if is_away else CameraState.UNUSABLE
        detail = detail or "it closed the connection without sending a picture"
        return Ending(state, RunCause.CAMERA_DOWN, detail, found=found, kind=kind)
