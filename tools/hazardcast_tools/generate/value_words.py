"""A value's kind and bounds in words, for people, from its JSON Schema."""

from __future__ import annotations

from typing import Any

from hazardcast.contract.fields import CAMERA_ID_PATTERN, NAME_PATTERN

_PATTERNS = {
    CAMERA_ID_PATTERN: "camera id: a-z, 0-9 and `-`, at most 40",
    NAME_PATTERN: "name: A-Z, a-z, 0-9 and `_.:-`",
}
_PLAIN = {"boolean": "`true` or `false`", "object": "object", "null": "null"}
_FORMATS = {"path": "path", "password": "text, secret"}


def said(schema: dict[str, Any], parts: dict[str, Any]) -> str:
    """Words for one value; `parts` are the schema's `$defs`, models among which become links."""
    if name := schema.get("$ref", "").rpartition("/")[2]:
        return said(parts[name], parts) if "enum" in parts[name] else f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        kinds = [one for one in schema["anyOf"] if one.get("type") != "null"]
        return " or ".join(dict.fromkeys(said(one, parts) for one in kinds))
    if values := schema.get("enum") or ([schema["const"]] if "const" in schema else []):
        return ", ".join(f"`{value}`" for value in values)
    return _plain_kind(schema, parts)


def _plain_kind(schema: dict[str, Any], parts: dict[str, Any]) -> str:
    kind = schema.get("type", "")
    if kind == "array":
        return _list(schema, parts)
    if kind in ("number", "integer"):
        return _number(schema)
    return _text(schema) if kind == "string" else _PLAIN.get(kind, "any")


def _text(schema: dict[str, Any]) -> str:
    words = _PATTERNS.get(schema.get("pattern", "")) or _FORMATS.get(schema.get("format", ""))
    longest = schema.get("maxLength")
    return (words or "text") + (f", at most {longest}" if longest else "")


def _number(schema: dict[str, Any]) -> str:
    word = "whole number" if schema["type"] == "integer" else "number"
    above, least = schema.get("exclusiveMinimum"), schema.get("minimum")
    below, most = schema.get("exclusiveMaximum"), schema.get("maximum")
    bounds = [f"> {above:g}"] if above is not None else []
    bounds += [f"≥ {least:g}"] if least is not None else []
    bounds += [f"< {below:g}"] if below is not None and below < 1e9 else []
    bounds += [f"≤ {_plain(most)}"] if most is not None else []
    return f"{word} {', '.join(bounds)}".strip()


def _plain(value: float) -> str:
    return str(int(value)) if value == int(value) else f"{value:g}"


def _list(schema: dict[str, Any], parts: dict[str, Any]) -> str:
    if "prefixItems" in schema:
        kinds = [said(one, parts) for one in schema["prefixItems"]]
        inner = kinds[0] if len(set(kinds)) == 1 else ", ".join(kinds)
        return f"list of {len(kinds)}: {inner}"
    least, most = schema.get("minItems"), schema.get("maxItems")
    more = "" if least == most else " or more"
    amount = f"{least}{more}: " if least else ""
    return f"list of {amount}{said(schema['items'], parts)}"
