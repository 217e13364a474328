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

    assert json.loads(module.DOCUMENT.read_text("utf-8"))["paths"] == json.loads(module.document())["paths"]  # fmt: skip


def test_every_route_says_what_it_answers() -> None:
    for path, methods in json.loads(written().document())["paths"].items():
        for method, told in methods.items():
            assert told["description"], f"{method} {path}"
