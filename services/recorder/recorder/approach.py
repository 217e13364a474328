"""How a camera is asked to send, and what each connection teaches about it. No clock, no disk.

Guesses are taken back: sound is given up only where it fails or where that helps, and asked for
again; a key frame is awaited briefly first, since a camera sends one to each new viewer, and then
for long, since a relay does not.
"""

from __future__ import annotations

from dataclasses import replace

from hazardcast.contract.vocabulary import CameraState
from hazardcast.media.ffmpeg import Transport
from recorder.attempt import Ending, Patience
from recorder.command import Plan, plan_for

KEY_PATIENCE_S = (8.0, 8.0, 120.0, 240.0, 480.0)
"""How long the first key frame is awaited, connection after connection."""
LONG = 2
"""From here on in `KEY_PATIENCE_S` the camera is taken for a relay."""
SOUND_AGAIN_S = 600.0
LONGEST_WITHOUT_SOUND_S = 86_400.0


class Approach:
    """What is known of one camera."""

    def __init__(self, transport: Transport = "auto") -> None:
        self.plan = Plan(transport=transport)
        self.keep_audio = True
        self._transport: Transport = transport
        self._keyless = 0
        self._sound_at: float | None = None
        self._pause_s = SOUND_AGAIN_S
        self._sound_was_blamed = False

    def begin(self, monotonic_s: float) -> None:
        """A connection is about to be made."""
        if self._sound_at is not None and monotonic_s >= self._sound_at:
            self.keep_audio, self._sound_at = True, None
            self.plan = replace(self.plan, audio="copy")
        if not self._keyless:
            self.plan = replace(self.plan, patient=False)

    def patience(self, monotonic_s: float) -> Patience:
        """How long the connection made now may take for what."""
        key_s = KEY_PATIENCE_S[min(self._keyless, len(KEY_PATIENCE_S) - 1)]
        if self._sound_at is None:
            return Patience(key_s)
        return Patience(key_s, self._sound_at - monotonic_s)

    def learn(self, ending: Ending, *, saw_frames: bool, monotonic_s: float) -> bool:
        """Take a connection's end into account.

        Args:
            ending: why it ended.
            saw_frames: whether anything could be recorded.
            monotonic_s: when.

        Returns:
            True when the next connection is made in another way, and at once.
        """
        before = self.plan
        if ending.kind == "setless":
            self.plan = replace(self.plan, add_sets=True)
        elif saw_frames:
            self._it_worked()
        elif ending.kind == "sizeless":
            self._keyless += 1
            # A size that is known already needs no long look: pictures are told as they come.
            is_known = ending.found is not None and ending.found.size is not None
            self.plan = replace(self.plan, patient=not is_known)
        elif ending.kind == "transport":
            self._turn_to_other_transport()
        elif ending.state == CameraState.UNUSABLE:
            self._look_at_sound(ending, monotonic_s)
        if ending.found is not None and ending.found.video is not None:
            self.plan = plan_for(ending.found, keep_audio=self.keep_audio, before=self.plan)
        return self.plan != before

    def _it_worked(self) -> None:
        self._keyless = LONG if self._keyless >= LONG else 0
        self._sound_was_blamed = False

    def _turn_to_other_transport(self) -> None:
        if self._transport == "auto":
            other: Transport = "udp" if self.plan.transport == "auto" else "auto"
            self.plan = replace(self.plan, transport=other)

    def _look_at_sound(self, ending: Ending, monotonic_s: float) -> None:
        """Do without the sound where it fails, or once where nothing else explains the failure."""
        heard = ending.found is not None and ending.found.audio not in (None, "none")
        if not self.keep_audio:
            if ending.kind != "sound":
                self.keep_audio, self._sound_at = True, None  # it was not to blame
            return
        guessed = ending.kind is None and heard and not self._sound_was_blamed
        if ending.kind == "sound" or guessed:
            self.keep_audio, self._sound_was_blamed = False, True
            self._sound_at = monotonic_s + self._pause_s
            self._pause_s = min(2 * self._pause_s, LONGEST_WITHOUT_SOUND_S)
