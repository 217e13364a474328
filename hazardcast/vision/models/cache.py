"""Where fetched models are, and which file a setting means."""

from __future__ import annotations

from pathlib import Path

from hazardcast.config.settings import Settings
from hazardcast.contract.errors import ConfigError
from hazardcast.vision.models.catalogue import ENTRIES


def folder(chosen: Settings) -> Path:
    """The cache."""
    return chosen.models_dir or chosen.data_dir / "models"


def resolved(model: Path, chosen: Settings, *, named_by: str = "HAZARDCAST_MODEL") -> Path:
    """The file that `model` means: itself, or the fetched model of that name.

    Args:
        model: a file, or a name of the catalogue.
        chosen: where fetched models are.
        named_by: the setting or option that says so, for the error.

    Raises:
        ConfigError: it is the name of a model that was not fetched yet.
    """
    entry = next((one for one in ENTRIES if one.name == str(model)), None)
    if entry is None or model.is_file():
        return model
    path = folder(chosen) / entry.file_name
    if not path.is_file():
        raise ConfigError(
            f"{named_by}: {entry.name} is not at {path}; "
            f"fetch it with: hazardcast models fetch {entry.name}"
        )
    return path
