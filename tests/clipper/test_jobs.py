"""Names and identities of jobs."""

from __future__ import annotations

import string

import pytest
from clipper import jobs
from hypothesis import given
from hypothesis import strategies as st

from hazardcast.contract.errors import DecodeError
from hazardcast.contract.messages import ClipRequest

event_ids = st.text(string.ascii_letters + string.digits + "_.:-", min_size=1, max_size=48)


def request(event_id: str = "4097-1", **changes: object) -> ClipRequest:
    fields = {"event_id": event_id, "camera": "north", "ts": 1_800_000_000.5, **changes}
    return ClipRequest.parse(fields)


@given(event_ids)
def test_every_event_id_becomes_a_plain_directory_name(event_id: str) -> None:
    name = jobs.directory_name(event_id)

    assert not name.startswith(".")
    assert "/" not in name
    assert ":" not in name, "FAT takes none"
    assert name[1:] == event_id[1:].replace(":", "~")


@pytest.mark.parametrize("event_id", ["../x", "a/b", "a\0b", "", "a b", "…"])
def test_what_no_event_id_may_be_is_refused_even_if_it_got_this_far(event_id: str) -> None:
    with pytest.raises(DecodeError, match="event_id"):
        jobs.directory_name(event_id)


def test_dots_do_not_lead_out_of_the_directory() -> None:
    assert jobs.directory_name("..") == "~."
    assert jobs.directory_name(".") == "~"
    assert jobs.directory_name(".lock") == "~lock"


def test_names_in_use_are_avoided() -> None:
    job = jobs.new_job(request(), now=0.0, names={"4097-1"}, stems={"accident_1800000000_north"})

    assert job.name == "4097-1~2"
    assert job.stem == "accident_1800000000_north~2"


def test_the_same_event_camera_and_window_are_the_same_request_whatever_the_reason() -> None:
    assert jobs.identity(request(reason="a")) == jobs.identity(request(reason="b"))
    assert jobs.identity(request()) != jobs.identity(request(post_s=10))
    assert jobs.identity(request()) != jobs.identity(request(camera="south"))


@pytest.mark.parametrize("ts", [0.0, 5.0, 99_999_999_999.0])
def test_windows_stay_inside_the_range_of_times(ts: float) -> None:
    window = jobs.window_of(request(ts=ts))

    assert 0 <= window.start <= window.end < 1e11


def test_a_job_survives_its_own_text() -> None:
    job = jobs.new_job(request(), now=1.5, names=(), stems=())

    assert jobs.Job.decode(job.encode()) == job


def test_a_job_of_a_newer_clipper_is_read_unless_it_says_that_it_means_something_else() -> None:
    job = jobs.new_job(request(), now=0.0, names=set(), stems=set())
    newer = {**job.model_dump(), "priority": "high"}

    assert jobs.Job.parse(newer) == job
    with pytest.raises(DecodeError, match="version 2; this one reads 1"):
        jobs.Job.parse({**newer, "version": 2})
