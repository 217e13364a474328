"""The reference of messages and of `cameras.yaml`: every field, from the models' schemas."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from enum import Enum
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from hazardcast.config.alerting import Alerting, ByType, Rule
from hazardcast.config.site import Camera, GroundPoints, Position, Push, Site, Zones
from hazardcast.contract.incident_types import IncidentType
from hazardcast.contract.messages import Datagram
from hazardcast.contract.messages.base import Message
from hazardcast.contract.topics import ALL, Topic
from hazardcast.contract.vocabulary import CameraState, ClipStage, GapCause, ServiceState
from hazardcast_tools.generate import field_docs, reference, site_schema, value_words

Schema = dict[str, Any]
_WORDS = (ServiceState, CameraState, ClipStage, GapCause)
EXAMPLES = Path("tests") / "hazardcast" / "examples"
"""Golden payloads: tests hold that they decode for ever."""
_HEADER = ("field", "value", "default", "meaning")
_CAMERAS_HEADER = ("key", "value", "default", "example", "meaning")
_CAMERA_PARTS: dict[str, type[BaseModel]] = {
    "site": Site, "push": Push, "position": Position, "cameras.ID": Camera, "zones": Zones,
    "ground": GroundPoints, "alerting": Alerting, "by_type": ByType,
    "by_type.TYPE": Rule,
}  # fmt: skip
_CAMERA_EXAMPLES = {
    "station_id": "4098", "name": "Junction 12", "id": "junction-12",
    "time_zone": "Asia/Seoul", "languages": "[ko]",
    "position": "{lat_deg: 37.12345, lon_deg: 127.126}",
    "road": "segment_A", "lat_deg": "37.12345", "lon_deg": "127.126",
    "url": "rtsp://10.0.0.11/main", "detect_url": "rtsp://10.0.0.11/sub",
    "credentials": "CAM_NORTH", "slots": "4",
    "loop": "false", "finished": "move", "heading_deg": "90",
    "traffic_heading_deg": "90",
    "distance_m": "500", "zones": "{ignore: [[[0, 0], [1, 0], [1, 0.08], [0, 0.08]]]}",
    "ground": "{picture: …, metres: …}",
    "segment_s": "10", "retention_h": "72", "retention_gb": "200", "detect_fps": "8",
    "rtsp_transport": "udp", "ignore": "[[[0, 0], [1, 0], [1, 0.08], [0, 0.08]]]",
    "picture": "[[0.2, 0.95], [0.8, 0.95], [0.6, 0.45], [0.4, 0.45]]",
    "metres": "[[0, 0], [7, 0], [7, 60], [0, 60]]",
    "alerting": "{mode: confirm, on_timeout: drop}", "mode": "confirm", "auto_confidence": "0.85",
    "confirm_within_s": "45", "on_timeout": "broadcast", "by_type": "{fire: {mode: auto}}",
    **{kind.value: "{mode: auto}" for kind in IncidentType},
}  # fmt: skip
"""Key → a value as it may stand in the file; a key without one is named by a test."""


def messages(root: Path) -> str:
    """Every message with its fields and an example; what several hold stands once."""
    shown: set[str] = set()
    models: dict[type[Message], str] = {
        topic.message: _said_on(topic) for topic in ALL if topic.message is not None
    }
    models[Datagram] = _DATAGRAM
    texts = [_message(model, said, root, shown) for model, said in models.items()]
    return "\n".join([*texts, *(_words(one) for one in _WORDS)])


def _words(words: type[Enum]) -> str:
    """What each word of an enum means."""
    rows = [(f"`{word}`", meaning) for word, meaning in field_docs.meanings(words).items()]
    summary = " ".join((words.__doc__ or "").split())
    return f"## {words.__name__}\n\n{summary}\n\n{reference.table(('word', 'meaning'), rows)}"


_DATAGRAM = (
    "The signed payload of a datagram on 239.20.20.20:5520, and of `v2x/broadcast`; around it "
    "stands a JWS in compact form ([write a receiver](../guide/receiver.md))."
)


def _said_on(topic: Topic[Any]) -> str:
    kept = ", retained" if topic.retain else ""
    return f"On `{topic.template}`, QoS {topic.qos}{kept}: {topic.senders} → {topic.receivers}."


def _message(model: type[Message], said_on: str, root: Path, shown: set[str]) -> str:
    schema = field_docs.described(model.model_json_schema(by_alias=True), model)
    parts = schema.get("$defs", {})
    lines = [f"## {model.__name__}\n", f"{said_on}\n", *_part(schema, parts)]
    shown.add(model.__name__)
    for name, part in parts.items():
        if name not in shown and "properties" in part:
            shown.add(name)
            lines += [f"### {name}\n", *_part(part, parts)]
    example = json.loads((root / EXAMPLES / f"{model.__name__}.json").read_text("utf-8"))
    lines += ["Example:\n", f"```json\n{_shortened(example)}\n```\n"]
    return "\n".join(lines)


def _part(schema: dict[str, Any], parts: dict[str, Any]) -> Iterator[str]:
    yield f"{' '.join(schema['description'].split())}\n"
    needed = schema.get("required", ())
    rows = [_row(name, field, needed, parts) for name, field in schema["properties"].items()]
    yield reference.table(_HEADER, rows)


def _row(name: str, field: Schema, needed: Collection[str], parts: Schema) -> tuple[str, ...]:
    default = "needed" if name in needed else _shown(field.get("default"))
    return f"`{name}`", value_words.said(field, parts), default, field.get("description", "")


def _shown(default: Any) -> str:
    return "" if default in (None, [], {}) else f"`{json.dumps(default, ensure_ascii=False)}`"


def _shortened(example: Any) -> str:
    """The example as JSON, long texts (pictures) cut."""
    if isinstance(example.get("picture"), str):
        example["picture"] = example["picture"][:12] + "…"
    return json.dumps(example, indent=2, ensure_ascii=False)


def cameras() -> str:
    """Every key of `cameras.yaml`: kind and bounds, default, an example, what it means."""
    schema = site_schema.schema()
    parts = schema["$defs"]
    texts = []
    for place, model in _CAMERA_PARTS.items():
        part = parts[model.__name__]
        required = ("url",) if model is Camera else part.get("required", ())
        rows = [
            (key, kind, default, f"`{_CAMERA_EXAMPLES[key.strip('`')]}`", meaning)
            for key, kind, default, meaning in (
                _row(name, field, required, parts) for name, field in part["properties"].items()
            )
        ]
        heading = f"### {model.__name__}\n\n`{place}`: {' '.join(part['description'].split())}\n"
        texts.append(f"{heading}\n{reference.table(_CAMERAS_HEADER, rows)}")
    return "\n".join(texts)
