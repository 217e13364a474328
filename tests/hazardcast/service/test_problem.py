"""Every service refuses in one form."""

from __future__ import annotations

from http import HTTPStatus

from hazardcast.service.problem import problem


def test_a_refusal_tells_its_status_its_reason_and_the_field_if_there_is_one() -> None:
    told = problem(HTTPStatus.CONFLICT, "it is over", field="if_revision", by=None)

    assert told == {
        "type": "about:blank",
        "title": "Conflict",
        "status": 409,
        "detail": "it is over",
        "field": "if_revision",
    }
