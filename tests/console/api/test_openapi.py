"""The interface is what the document says."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any


def written() -> Any:
    path = Path(__file__).with_name("openapi.py")
    spec = importlib.util.spec_from_file_location("console_openapi", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_document_is_of_this_code() -> None:
    """Else: `python -m tests.console.api.openapi`."""
    module = written()

    kept, made = json.loads(module.DOCUMENT.read_text("utf-8")), json.loads(module.document())

    assert kept["paths"] == made["paths"]
    assert kept["components"] == made["components"]


def test_the_document_holds_every_room_and_how_each_refuses() -> None:
    paths = json.loads(written().document())["paths"]

    rooms = (
        "session",
        "accounts",
        "events",
        "alerts/{event_id}/decision",
        "cameras",
        "archives/{camera}",
    )
    assert {f"/api/v1/{one}" for one in rooms} <= paths.keys()
    assert "/api/live-monitoring/start-hls-stream/{camera_id}" in paths
    for path, methods in paths.items():
        for method, told in methods.items():
            assert "application/problem+json" in told["responses"]["default"]["content"], (
                f"{method} {path}"
            )
            assert "422" not in told["responses"], f"{method} {path}"


def test_every_route_says_what_it_answers() -> None:
    for path, methods in json.loads(written().document())["paths"].items():
        for method, told in methods.items():
            assert told["description"], f"{method} {path}"
