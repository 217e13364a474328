"""The token of each pushed camera: in the variable of its `credentials`, else in a file."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path

from hazardcast.config import settings as settings_module
from hazardcast.config.settings import Settings
from hazardcast.config.site import Camera
from hazardcast.contract.errors import ConfigError
from hazardcast.machine.refusals import in_words
from hazardcast.signing import trust

SHORTEST = 16


class Tokens:
    """Whose token opens which camera."""

    def __init__(self, tokens: Mapping[str, str]) -> None:
        self._tokens = dict(tokens)

    def opens(self, camera: str, token: str | None) -> bool:
        """Whether `token` is that of `camera`; takes as long for a camera that is not there."""
        known = self._tokens.get(camera, "")
        same = secrets.compare_digest(known.encode(), (token or "").encode("utf-8", "replace"))
        return same and bool(known)


def load(settings: Settings, cameras: Mapping[str, Camera]) -> Tokens:
    """The tokens of the pushed cameras among `cameras`; made at first start where none is given.

    Raises:
        ConfigError: one is missing, or too short to be one.
        OSError: a file cannot be read.
    """
    return Tokens(
        {name: _token(settings, name, one) for name, one in cameras.items() if one.is_pushed}
    )


def _token(settings: Settings, name: str, camera: Camera) -> str:
    if camera.credentials is not None:
        token = settings_module.read_secret(camera.credentials) or ""
        where = f"cameras.{name}.credentials: {camera.credentials}"
    else:
        path = _file(settings, name)
        token, where = path.read_text(encoding="utf-8"), str(path)
    token = token.strip()
    if len(token) < SHORTEST:
        raise ConfigError(f"{where} must hold a token of at least {SHORTEST} characters")
    return token


def _file(settings: Settings, name: str) -> Path:
    """Beside the other secrets, else below the data directory, where it is made."""
    file = trust.push_token_file(name)
    if settings.secrets_dir and (settings.secrets_dir / file).exists():
        return settings.secrets_dir / file
    path = settings.keys_dir / file
    try:
        trust.ensure_token(path)
    except OSError as error:
        said = f"cameras.{name}: no token yet, and none can be made here ({in_words(error)})"
        raise ConfigError(f"{said}; with Docker `docker compose up` makes it") from None
    return path
