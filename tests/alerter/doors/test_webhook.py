from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from alerter.doors import http_server
from alerter.doors.answers import Answer, Door
from alerter.doors.http_server import HttpServer
from alerter.doors.webhook import Doors, application
from alerter.ingest.refusal import Reason, Refusal
from fastapi import FastAPI

from hazardcast.contract.errors import ConfigError
from hazardcast.service.metrics import Health
from hazardcast.service.problem import PROBLEM_JSON

TOKEN = "correct horse"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}


class Web:
    def __init__(self, desk: Any) -> None:
        self.answer: Refusal | None = None
        self.broker = True
        health = Health(ready=lambda: (self.broker, "broker"))

        self.doors: list[Door] = []

        def accept(payload: bytes, door: Door) -> Answer:
            self.doors.append(door)
            return Answer(self.answer) if self.answer else desk.read(payload)

        doors = Doors(accept, lambda: desk.register.in_force(desk.now), health, TOKEN)
        self.server = HttpServer(application(doors), host="127.0.0.1", port=0)
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.server.port}", timeout=5.0)

    def close(self) -> None:
        self.client.close()
        self.server.close()

    def post(self, content: Any, headers: dict[str, str] = HEADERS) -> Any:
        return self.client.post("/alert", content=content, headers=headers)


@pytest.fixture
def web(desk: Any) -> Iterator[Web]:
    served = Web(desk)
    yield served
    served.close()


def test_a_port_in_use_is_a_configuration_error(web: Web) -> None:
    with pytest.raises(ConfigError, match="HAZARDCAST_HTTP_PORT"):
        HttpServer(FastAPI(), host="127.0.0.1", port=web.server.port)


def problem(answer: Any, status: int) -> dict[str, Any]:
    """RFC 9457: media type, and members that agree with the status."""
    assert answer.status_code == status
    assert answer.headers["content-type"] == PROBLEM_JSON
    told: dict[str, Any] = answer.json()
    assert told["status"] == status
    assert told["title"]
    assert told["type"] == "about:blank"
    return told


def test_an_incident_is_accepted_with_its_event_id(web: Web) -> None:
    answer = web.post('{"type":"collision"}')
    assert answer.status_code == 202
    assert answer.json()["event_id"] == "4097-1"


def test_an_answer_does_not_wait_for_nagle_and_a_delayed_acknowledgement(web: Web) -> None:
    """40 ms each, if it did; the quickest of ten says so even on a busy machine."""
    waits_s = [web.client.get("/healthz").elapsed.total_seconds() for _ in range(10)]
    assert min(waits_s) < 0.03


def test_a_repeated_incident_gets_the_same_event_id(web: Web) -> None:
    assert [web.post('{"type":"fire"}').json() for _ in range(2)] == [
        {"event_id": "4097-1", "revision": 0, "result": "new"},
        {"event_id": "4097-1", "revision": 0, "result": "unchanged"},
    ]


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer wrong", "Basic correct horse", "Bearer correct", "Bearer ☃"]
)
def test_without_the_token_nobody_may_report(web: Web, header: str) -> None:
    answer = web.post('{"type":"fire"}', {"Authorization": header.encode()})  # type: ignore[dict-item]
    problem(answer, 401)
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_wrong_field_is_named(web: Web) -> None:
    told = problem(web.post('{"type":"fire","status":"gone"}'), 422)
    assert (told["field"], told["reason"]) == ("status", "schema")


def test_what_could_not_be_used_is_said_beside_the_event_id(web: Web) -> None:
    answer = web.post('{"type":"fire","camera":"north","severity":"awful","lat":91,"lon":0}')
    told = {one["field"]: one["used"] for one in answer.json()["warnings"]}
    assert (answer.status_code, answer.json()["event_id"]) == (202, "4097-1")
    assert told == {"severity": "high", "lat": 37.12345, "lon": 127.12345}


def test_a_refusal_says_too_what_else_could_not_be_used(web: Web) -> None:
    told = problem(web.post('{"type":"fire","test":null,"status":"cancel"}'), 404)
    assert [one["field"] for one in told["warnings"]] == ["test"]


def test_the_peer_is_known(web: Web) -> None:
    web.post('{"type":"fire"}')
    assert web.doors == [Door("http", "127.0.0.1")]


@pytest.mark.parametrize("body", ["", "{", "[]", "[1,2]", "nul", b"\xff", "[" * 60_000])
def test_what_is_no_json_object_is_a_bad_request(web: Web, body: Any) -> None:
    problem(web.post(body), 400)


def test_a_body_of_a_megabyte_is_refused_unread(web: Web) -> None:
    problem(web.post(b"x" * 1_000_000), 413)


def test_a_body_without_a_length_is_given_up_on_when_it_is_too_long(web: Web) -> None:
    problem(web.post(b"x" * 10_000 for _ in range(20)), 413)


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        (Reason.STALE, 422), (Reason.UNKNOWN_EVENT, 404), (Reason.ENDED, 409),
    ],
)  # fmt: skip
def test_a_refusal_is_a_problem_with_its_reason(web: Web, reason: Reason, status: int) -> None:
    web.answer = Refusal(reason, "because", "ts")
    told = problem(web.post('{"type":"fire"}'), status)
    assert (told["reason"], told["field"], told["detail"]) == (reason.value, "ts", "ts: because")


def test_alerts_in_force_are_shown_as_broadcast(web: Web) -> None:
    web.post('{"type":"fire","camera":"north"}')
    told = web.client.get("/alerts").json()
    assert [alert["event_id"] for alert in told["alerts"]] == ["4097-1"]
    assert told["alerts"][0]["cause_code"] == 94


def test_health_and_metrics_are_served(web: Web) -> None:
    assert web.client.get("/healthz").status_code == 200
    assert web.client.get("/readyz").status_code == 200
    web.broker = False
    assert web.client.get("/readyz").status_code == 503
    assert "hazardcast_alerts_rejected_total" in web.client.get("/metrics").text


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/alerts"])
def test_who_asks_by_head_gets_the_same_answer_without_its_body(web: Web, path: str) -> None:
    head, get = web.client.head(path), web.client.get(path)

    assert (head.status_code, head.headers["content-type"], head.content) == (
        get.status_code, get.headers["content-type"], b"",
    )  # fmt: skip


def test_the_interface_describes_itself(web: Web) -> None:
    described = web.client.get("/openapi.json").json()
    body = described["paths"]["/alert"]["post"]["requestBody"]["content"]["application/json"]
    assert "type" in body["schema"]["required"]


def connect(web: Web, said: bytes = b"") -> socket.socket:
    caller = socket.create_connection(("127.0.0.1", web.server.port), timeout=5)
    caller.sendall(said)
    return caller


def is_cut(caller: socket.socket) -> bool:
    try:
        return caller.recv(1000) == b""
    except ConnectionError:
        return True


@pytest.mark.parametrize(
    "said",
    [b"", b"POST /alert HTTP/1.1\r\nX-Slow: ", b"POST /alert HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer correct horse\r\nContent-Length: 9\r\n\r\n{"],
    ids=["nothing", "half a head", "half a body"],
)  # fmt: skip
def test_a_caller_who_does_not_get_on_is_cut(
    web: Web, monkeypatch: pytest.MonkeyPatch, said: bytes
) -> None:
    monkeypatch.setattr(http_server, "GETS_ON_WITHIN_S", 0.1)

    assert is_cut(connect(web, said))


def test_of_too_many_callers_the_oldest_gives_way_and_an_accident_is_heard(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_server, "MOST_CONNECTIONS", 5)
    silent = [connect(web) for _ in range(8)]

    assert web.post('{"type":"collision"}').status_code == 202

    assert is_cut(silent[0])
