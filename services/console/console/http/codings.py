"""What a client can unpack (`Accept-Encoding`, RFC 9110, 12.5.3). Pure."""

from __future__ import annotations

from collections.abc import Iterable

GZIP = frozenset({"gzip", "x-gzip"})


def takes_gzip(lines: Iterable[str]) -> bool:
    """Whether gzip is named, or everything is, with a weight above nothing."""
    weights = dict(_weighed(part) for line in lines for part in line.split(","))
    named = [weight for name, weight in weights.items() if name in GZIP]
    return max(named, default=weights.get("*", 0.0)) > 0.0


def _weighed(part: str) -> tuple[str, float]:
    name, _, parameter = part.partition(";")
    key, _, value = parameter.partition("=")
    if key.strip().lower() != "q":
        return name.strip().lower(), 1.0
    try:
        return name.strip().lower(), float(value)
    except ValueError:
        return name.strip().lower(), 0.0
