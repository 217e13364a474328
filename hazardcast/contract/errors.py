"""The errors that Hazardcast raises on purpose; anything else is a bug."""

from __future__ import annotations


class HazardcastError(Exception):
    """Something that the person who runs the system can act on."""


class ConfigError(HazardcastError):
    """A configuration file or variable is wrong; the message names file, place and key."""


class DecodeError(HazardcastError):
    """Outside data does not mean what it should; `reason` is short, `field` names the culprit."""

    def __init__(self, reason: str, *, field: str | None = None) -> None:
        self.reason = reason
        self.field = field
        super().__init__(f"{field}: {reason}" if field else reason)


class KeyFileError(HazardcastError):
    """A signing key or trust store cannot be read or used."""


class ToolMissingError(HazardcastError):
    """A program that the work needs is not on this machine."""
