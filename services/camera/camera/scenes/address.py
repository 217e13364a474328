"""`demo://NAME?impact_s=20&period_s=300`: which scene, and when its incident begins."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

from camera.scenes.scene import Scene
from camera.scenes.stories import CLEARED_AT, STORIES
from hazardcast.contract.errors import ConfigError

IMPACT_S = (10.0, 3000.0)
PERIOD_S = (40.0, 3600.0)
_LEAST_INCIDENT_S = 8.0


def scene_from_url(url: str) -> Scene:
    """The scene that a `demo://` address names.

    Raises:
        ConfigError: no such scene, an unknown parameter, or a value out of its range.
    """
    parts = urlsplit(url)
    if parts.netloc not in STORIES:
        raise ConfigError(f"{url}: no drawn scene of this name; there are {', '.join(STORIES)}")
    values = {"impact_s": 20.0, "period_s": 300.0}
    for name, text in parse_qsl(parts.query, keep_blank_values=True):
        if name not in values:
            raise ConfigError(f"{url}: {name}: unknown parameter; use impact_s or period_s")
        values[name] = _number(url, name, text)
    impact_s, period_s = values["impact_s"], values["period_s"]
    _check(url, "impact_s", impact_s, *IMPACT_S)
    _check(url, "period_s", period_s, *PERIOD_S)
    if impact_s + _LEAST_INCIDENT_S > CLEARED_AT * period_s:
        raise ConfigError(
            f"{url}: impact_s: must be {_LEAST_INCIDENT_S:g} s or more before "
            f"{CLEARED_AT:g} of the period, when the incident is cleared"
        )
    return Scene(parts.netloc, impact_s=impact_s, period_s=period_s)


def _number(url: str, name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ConfigError(f"{url}: {name}: expected seconds, got {text!r}") from None


def _check(url: str, name: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        raise ConfigError(f"{url}: {name}: must lie between {least:g} and {most:g} s")
