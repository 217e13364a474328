"""Refusals of HTTP requests as problems (RFC 9457): the one form that every service answers."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

PROBLEM_JSON = "application/problem+json"


def problem(status: HTTPStatus, detail: str, **members: Any) -> dict[str, Any]:
    """What is answered.

    Args:
        status: of the answer.
        detail: one sentence for a person.
        members: further members of the problem, such as `field`; None is left out.
    """
    return {
        "type": "about:blank",
        "title": status.phrase,
        "status": int(status),
        "detail": detail,
        **{name: value for name, value in members.items() if value is not None},
    }
