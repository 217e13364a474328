"""What a service tells of itself is typed, whichever version says it."""

from __future__ import annotations

import json

import pytest

from hazardcast.contract.errors import DecodeError
from hazardcast.contract.messages import (
    ClipperDetail,
    DetectorDetail,
    ServiceStatus,
    StatusDetail,
    VehicleDetail,
)


def heard(service: str, detail: object) -> ServiceStatus:
    said = {"service": service, "instance": "one", "state": "online", "version": "9", "ts": 1.0}
    return ServiceStatus.decode(json.dumps({**said, "detail": detail}))


def test_each_service_tells_in_its_own_words() -> None:
    detail = heard("detector", {"model": "roadside", "shares": False, "boot": "b1"}).detail

    assert detail == DetectorDetail(model="roadside", shares=False, boot="b1")


def test_of_an_older_sender_the_facts_it_does_not_tell_are_absent() -> None:
    assert heard("detector", {}).detail == DetectorDetail()
    assert DetectorDetail().shares, "before it was told, all did"


def test_a_fact_that_is_not_understood_costs_that_fact_alone() -> None:
    detail = heard("clipper", {"jobs": {"waiting": 3}, "building": 2, "given_up": True}).detail

    assert detail == ClipperDetail(building=2)


def test_facts_of_a_newer_sender_are_kept_as_they_came() -> None:
    status = heard("clipper", {"jobs": 1, "queue": ["a", {"b": 2}]})

    assert (status.detail.get("queue"), status.detail.get("jobs")) == (["a", {"b": 2}], 1)
    assert (status.detail.get("nothing"), status.detail.get("given_up", 0)) == (None, 0)
    assert ServiceStatus.decode(status.encode()) == status


def test_a_service_that_nobody_knows_may_tell_what_it_likes() -> None:
    detail = heard("weather", {"boot": "b2", "rain_mm": 1.5}).detail

    assert type(detail) is StatusDetail
    assert (detail.boot, detail.get("rain_mm")) == ("b2", 1.5)


def test_facts_within_facts_are_typed_too() -> None:
    counts = {"station": 1, "epoch": 2, "datagrams_expected": 5, "datagrams_unique": 5, "ticks_expected": 1, "ticks_delivered": 1}  # fmt: skip
    detail = heard("vehicle-agent", {"reception": [counts], "clock": {"source": "kernel"}}).detail

    assert isinstance(detail, VehicleDetail)
    assert detail.clock is not None
    assert (detail.reception[0].epoch, detail.clock.source, detail.clock.error_s) == (2, "kernel", None)  # fmt: skip


@pytest.mark.parametrize("detail", [None, [1], "busy", 7])
def test_facts_that_are_no_object_are_refused_by_name(detail: object) -> None:
    with pytest.raises(DecodeError, match=r"^detail: expected an object"):
        heard("detector", detail)
