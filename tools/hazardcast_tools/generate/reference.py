"""Reference tables for the documents, made from the code that they describe."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from hazardcast.config.settings import PREFIX, Settings
from hazardcast.contract.service_names import EVERY_SERVICE
from hazardcast.contract.topics import ALL
from hazardcast.contract.type_words import WORDS
from hazardcast_tools.generate import value_words

_METRIC_KINDS = {"Counter": "counter", "Gauge": "gauge", "Histogram": "histogram"}
TYPE_WORDS = "words (whole text, in any case; a space may also be left out, or be `_` or `-`)"
_BLOCK = "<!-- table: {name} -->\n{body}<!-- end of table -->"


@dataclass(frozen=True)
class Metric:
    """A metric as its declaration in the source tells it."""

    name: str
    kind: str
    labels: tuple[str, ...]
    description: str
    service: str


def settings_rows() -> list[tuple[str, str, str]]:
    """Variable, default, purpose of every setting."""
    return [
        (f"`{PREFIX}{name.upper()}`", _default(field), field.description or "")
        for name, field in Settings.model_fields.items()
    ]


def variable_rows() -> list[tuple[str, str, str, str]]:
    """As `settings_rows`, with what a value may be before the purpose."""
    schema = Settings.model_json_schema()
    kinds = [
        value_words.said(field, schema.get("$defs", {})) for field in schema["properties"].values()
    ]
    return [
        (name, default, kind, purpose)
        for (name, default, purpose), kind in zip(settings_rows(), kinds, strict=True)
    ]


def _default(field: FieldInfo) -> str:
    value = field.default
    return "" if value is None or value is PydanticUndefined else f"`{value}`"


def topic_rows() -> list[tuple[str, str, str, str]]:
    """Topic, who → whom, QoS and retained, purpose of every topic."""
    return [
        (
            f"`{topic.template}`",
            f"{topic.senders} → {topic.receivers}",
            f"{topic.qos}{', retained' if topic.retain else ''}",
            topic.purpose,
        )
        for topic in ALL
    ]


def type_rows() -> list[tuple[str, str]]:
    """Every type with the words by which it may be reported, in every language alike."""
    return [(f"`{known}`", ", ".join(words)) for known, words in WORDS.items()]


def metric_rows(root: Path) -> list[tuple[str, str, str, str]]:
    """Metric, service, kind and labels, description of every metric declared below `root`."""
    return [
        (
            f"`{metric.name}`",
            metric.service,
            metric.kind + (f" by {', '.join(metric.labels)}" if metric.labels else ""),
            metric.description,
        )
        for metric in metrics(root)
    ]


def metrics(root: Path) -> list[Metric]:
    """Every metric declared in a `metrics.py` below `root`, in the order of the flow."""
    order = ("hazardcast/service", *(service.replace("-", "_") for service in EVERY_SERVICE))
    sources = [path for name in order for path in sorted(root.glob(f"**/{name}/metrics.py"))]
    return [metric for path in sources if ".venv" not in path.parts for metric in _declared(path)]


def _declared(path: Path) -> Iterator[Metric]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or len(node.args) < 2:
            continue
        kind = _METRIC_KINDS.get(ast.unparse(node.func).split(".")[-1])
        if kind is None:
            continue
        name, description = (ast.literal_eval(argument) for argument in node.args[:2])
        service = path.parent.name.replace("_", "-")
        yield Metric(
            name, kind, _labels(node), description, "every" if service == "service" else service
        )


def _labels(call: ast.Call) -> tuple[str, ...]:
    given = [
        *call.args[2:3],
        *(keyword.value for keyword in call.keywords if keyword.arg == "labelnames"),
    ]
    return tuple(ast.literal_eval(given[0])) if given else ()


def table(header: tuple[str, ...], rows: list[Any]) -> str:
    """A Markdown table."""
    lines = [header, tuple("---" for _ in header), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def tables(root: Path, words: Mapping[str, str] | None = None) -> dict[str, str]:
    """Name of a block in a document → its table; `words` translates the texts it has."""
    contents: dict[str, tuple[tuple[str, ...], list[Any]]] = {
        "settings": (("variable", "default", "purpose"), settings_rows()),
        "variables": (("variable", "default", "value", "purpose"), variable_rows()),
        "topics": (("topic", "who → whom", "QoS", "what"), topic_rows()),
        "types": (("type", TYPE_WORDS), type_rows()),
        "metrics": (("metric", "service", "kind", "what"), metric_rows(root)),
    }
    said = words or {}
    return {
        name: table(
            tuple(said.get(cell, cell) for cell in header),
            [tuple(said.get(cell, cell) for cell in row) for row in rows],
        )
        for name, (header, rows) in contents.items()
    }


def texts(root: Path) -> set[str]:
    """Every text of the tables that a translation must have."""
    topics = topic_rows()
    return {
        *(row[-1] for row in settings_rows()),
        *(row[-1] for row in topics),
        *(row[1] for row in topics),
        *(row[-1] for row in metric_rows(root)),
    }


def with_tables(text: str, made: Mapping[str, str]) -> str:
    """`text` with the content of every `<!-- table: NAME -->` block made anew."""
    for name, body in made.items():
        block = re.compile(rf"<!-- table: {name} -->\n.*?<!-- end of table -->", re.DOTALL)
        whole = _BLOCK.format(name=name, body=body)
        text = block.sub(lambda _, whole=whole: whole, text)  # type: ignore[misc]
    return text
