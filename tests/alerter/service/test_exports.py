"""A running alerter tells other systems: DENM on the broker, CAP to a subscriber."""

from __future__ import annotations

import json
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import asn1tools
import pytest
from defusedxml import ElementTree

from hazardcast.contract.its_time import its_ms
from hazardcast.testing import eventually

pytestmark = [pytest.mark.network, pytest.mark.slow]
CAP = "{urn:oasis:names:tc:emergency:cap:1.2}"


def test_an_alert_is_told_as_denm_and_as_cap_until_it_is_cancelled(
    world: Any, mosquitto_clients: None, pytestconfig: Any
) -> None:
    posts: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posts.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port = world.settings["mqtt_port"]
    watch = subprocess.Popen(
        ["mosquitto_sub", "-p", port, "-t", "vanetza/in/denm"], stdout=subprocess.PIPE, text=True
    )
    heard: list[dict[str, Any]] = []

    def read() -> None:
        for line in watch.stdout or ():
            heard.append(json.loads(line))  # noqa: PERF401 - while it goes on

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        world.start(denm="true", subscribers=f"cap=http://127.0.0.1:{server.server_port}/")
        assert world.post('{"type":"fire","lat":37.5,"lon":127.25}').status_code == 202
        eventually(lambda: len(heard) >= 2, within_s=10, what="DENM is repeated")
        alert = world.get("alerts").json()["alerts"][0]
        packed = world.get(f"alerts/{alert['event_id']}?form=denm-uper").content
        assert world.get(f"alerts/{alert['event_id']}?form=pdf").status_code == 400
        assert world.get("alerts/4097-99").status_code == 404
        cancel = {"type": "fire", "status": "cancel", "event_id": alert["event_id"]}
        assert world.post(json.dumps(cancel)).status_code == 202
        eventually(lambda: "termination" in heard[-1]["management"], within_s=10)
        eventually(lambda: len(posts) == 2, within_s=10)
    finally:
        watch.kill()
        watch.wait(10)
        reader.join(5)
        server.shutdown()
        server.server_close()

    first = heard[0]
    assert first["management"]["detectionTime"] == its_ms(alert["detection_time"]) / 1000
    assert first["situation"]["eventType"] == {"ccAndScc": {"stationaryVehicle94": 6}}
    assert heard[1] == first
    assert heard[-1]["management"]["termination"] == 0
    grammar = pytestconfig.rootpath / "tests" / "alerter" / "exports" / "asn1" / "denm.asn"
    decoded = asn1tools.compile_files(str(grammar), "uper").decode("DENM", packed)
    position = decoded["denm"]["management"]["eventPosition"]
    assert (position["latitude"], position["longitude"]) == (375_000_000, 1_272_500_000)
    kinds = [ElementTree.fromstring(post).findtext(f"{CAP}msgType") for post in posts]
    assert kinds == ["Alert", "Cancel"]
