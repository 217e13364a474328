"""What services say to each other is a word of the vocabulary, and a newer word breaks no older service."""

from __future__ import annotations

import pytest

from hazardcast.contract.errors import DecodeError
from hazardcast.contract.messages import CameraStatus, ClipState, Gap, ServiceStatus
from hazardcast.contract.vocabulary import CameraState, ClipStage, GapCause, RunCause, ServiceState

STATUS = {"service": "recorder", "instance": "r", "state": "online", "version": "9", "ts": 1.0}
CLIP = {
    "event_id": "e", "camera": "c", "state": "ready", "requested": {"start": 1, "end": 2},
    "updated_at": 3.0,
}  # fmt: skip


def test_a_word_is_on_the_wire_what_it_was_before() -> None:
    camera = CameraStatus(camera="north", state=CameraState.LIVE)
    gap = Gap(start=1.0, end=2.0, cause=GapCause.DISK_FULL)

    assert '"state":"live"' in camera.encode()
    assert '"cause":"disk_full"' in gap.encode()
    assert f"{camera.state} {gap.cause}" == "live disk_full"


def test_a_camera_state_of_a_newer_version_hides_no_other_camera() -> None:
    cameras = [{"camera": "one", "state": "frozen_lens"}, {"camera": "two", "state": "live"}]

    word = ServiceStatus.parse({**STATUS, "cameras": cameras})

    assert [one.state for one in word.cameras] == [CameraState.UNKNOWN, CameraState.LIVE]


def test_a_cause_of_a_newer_version_is_unknown_and_the_gap_still_told() -> None:
    gap = {"start": 1.0, "end": 2.0, "cause": "meteor"}

    assert Gap.parse(gap) == Gap(start=1.0, end=2.0, cause=GapCause.UNKNOWN)


@pytest.mark.parametrize("wrong", [7, None, True, ["live"]])
def test_what_is_no_word_at_all_is_refused(wrong: object) -> None:
    with pytest.raises(DecodeError, match="state"):
        CameraStatus.parse({"camera": "one", "state": wrong})
    with pytest.raises(DecodeError, match="cause"):
        Gap.parse({"start": 1.0, "end": 2.0, "cause": wrong})


def test_a_state_that_nobody_could_act_on_is_refused() -> None:
    with pytest.raises(DecodeError, match="state"):
        ServiceStatus.parse({**STATUS, "state": "asleep"})
    with pytest.raises(DecodeError, match="state"):
        ClipState.parse({**CLIP, "state": "baking"})


def test_only_a_service_that_says_so_is_online() -> None:
    states = {
        state: ServiceStatus.parse({**STATUS, "state": state}).online for state in ServiceState
    }

    assert states == {"online": True, "offline": False, "stopped": False}


def test_only_three_stages_of_a_clip_are_final() -> None:
    assert {stage for stage in ClipStage if stage.is_final} == {"ready", "partial", "failed"}


@pytest.mark.parametrize("cause", RunCause)
def test_whatever_ended_a_run_is_the_cause_of_the_gap_behind_it(cause: RunCause) -> None:
    assert GapCause.of_run(cause).value == cause.value


def test_a_run_that_does_not_tell_leaves_the_cause_unknown() -> None:
    assert GapCause.of_run(None) is GapCause.UNKNOWN
