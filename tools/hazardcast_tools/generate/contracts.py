"""Writes what is made from code: `schemas/*.json`, `asyncapi.yaml` and the documents' tables.

`python -m hazardcast_tools.generate.contracts` writes them at the repository's root; a test fails
when they drift.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import yaml

from hazardcast import __version__
from hazardcast.contract.messages import Datagram, Message
from hazardcast.contract.topics import ALL, Topic
from hazardcast_tools.generate import (
    field_docs,
    reference,
    reference_commands,
    reference_messages,
    site_schema,
)

JSON_SCHEMA_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def render() -> dict[str, str]:
    """Path below the repository's root → text of the file."""
    schemas = {f"schemas/{kebab(model)}.json": _schema_text(model) for model in _models()}
    schemas["schemas/cameras.json"] = _published(site_schema.schema())
    return {**schemas, "asyncapi.yaml": _asyncapi_text()}


def documents(root: Path) -> dict[str, str]:
    """Path below `root` → text of every document that has generated tables, with them made anew."""
    made = {
        **reference.tables(root),
        "messages": reference_messages.messages(root),
        "cameras": reference_messages.cameras(),
        "commands": reference_commands.commands(),
    }
    korean = {**made, **reference.tables(root, korean_words(root))}
    return {
        path.relative_to(root).as_posix(): reference.with_tables(
            _text(path), korean if path.name.endswith(".ko.md") else made
        )
        for path in sorted([*root.glob("*.md"), *root.glob("docs/**/*.md")])
        if "<!-- table: " in _text(path)
    }


def korean_words(root: Path) -> dict[str, str]:
    """English text of the tables → Korean."""
    data = yaml.safe_load(_text(root / "docs" / "reference.ko.yaml"))
    return {**data["headers"], **data["texts"]}


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def kebab(model: type[Message]) -> str:
    """`ClipRequest` → `clip-request`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", model.__name__).lower()


def _models() -> list[type[Message]]:
    return [topic.message for topic in ALL if topic.message is not None] + [Datagram]


def _schema_text(model: type[Message]) -> str:
    return _published(field_docs.described(model.model_json_schema(by_alias=True), model))


def _published(schema: dict[str, Any]) -> str:
    schema = {"$schema": JSON_SCHEMA_DIALECT, **schema}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _asyncapi_text() -> str:
    document = {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Hazardcast",
            "version": __version__,
            "description": "Generated from hazardcast/contract: topics.py and messages/.",
            "license": {"name": "MIT"},
        },
        "servers": {
            "broker": {"host": "localhost:1883", "protocol": "mqtt", "protocolVersion": "3.1.1"}
        },
        "channels": {_channel_name(topic): _channel(topic) for topic in ALL},
        "operations": {f"say-{_channel_name(topic)}": _operation(topic) for topic in ALL},
    }
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)


def _channel_name(topic: Topic[Any]) -> str:
    return topic.template.split("/")[1]


def _channel(topic: Topic[Any]) -> dict[str, Any]:
    channel: dict[str, Any] = {
        "address": topic.template,
        "description": f"{topic.purpose} ({topic.senders} → {topic.receivers})",
        "messages": {"message": _message(topic)},
    }
    if names := re.findall(r"\{(\w+)\}", topic.template):
        channel["parameters"] = {
            name: {"description": f"the {name.replace('_', ' ')}"} for name in names
        }
    return channel


def _message(topic: Topic[Any]) -> dict[str, Any]:
    if topic.message is None:
        return {"contentType": "application/jose", "payload": {"type": "string"}}
    reference = f"schemas/{kebab(topic.message)}.json"
    return {"contentType": "application/json", "payload": {"$ref": reference}}


def _operation(topic: Topic[Any]) -> dict[str, Any]:
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{_channel_name(topic)}"},
        "bindings": {"mqtt": {"qos": topic.qos, "retain": topic.retain}},
    }


def write(root: Path) -> list[Path]:
    """Write every file below `root`; returns those that changed."""
    changed = []
    files = {**render(), **documents(root)}
    for name, text in files.items():
        path = root / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            changed.append(path)
    return changed


if __name__ == "__main__":
    for path in write(Path(__file__).resolve().parents[3]):
        sys.stdout.write(f"{path}\n")
