"""State that outlives a process says its version: what is older is upgraded, what is newer refused.

A program that does not know what a file means must not work with it, nor write over it: the next
start of the newer one would miss what is gone. It says so by name and ends (exit code 2), unless
going on is safer: then it puts the file aside.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hazardcast.contract.errors import ConfigError

VERSION = "version"
"""The key of a JSON object that tells its version."""
Upgrade = Callable[[Any], Any]


class NewerStateError(ConfigError):
    """A file of state is of a newer version; the message names it."""

    def __init__(self, path: Path, version: int, *, known: int) -> None:
        self.version = version
        super().__init__(
            f"{path}: written by a newer Hazardcast, as version {version}; this one knows versions "
            f"up to {known}: start the newer one, or give this one another HAZARDCAST_DATA_DIR"
        )


@dataclass(frozen=True)
class Format:
    """A kind of file, with the steps from its first version to the present one."""

    upgrades: tuple[Upgrade, ...]
    """From each version to the next; the first takes what does not say its version (0)."""

    @property
    def version(self) -> int:
        """The version that is written."""
        return len(self.upgrades)

    def stamped(self, content: dict[str, Any]) -> dict[str, Any]:
        """`content` as it is to be written, its version first."""
        return {VERSION: self.version, **content}

    def read(self, data: object, path: Path) -> Any:
        """`data`, of whatever version up to the present one, as the present one means it.

        Raises:
            NewerStateError: it is of a newer version; the error names `path`.
            ValueError: what it says is no version.
        """
        version = version_of(data)
        self.check(version, path)
        for upgrade in self.upgrades[version:]:
            data = upgrade(data)
        return data

    def check(self, version: int, path: Path) -> None:
        """Refuse a newer version.

        Raises:
            NewerStateError: the version is newer; the error names `path`.
        """
        if version > self.version:
            raise NewerStateError(path, version, known=self.version)


def version_of(data: object) -> int:
    """The version that `data` says, 0 where it says none.

    Raises:
        ValueError: it is no whole number from 0 on.
    """
    version = data.get(VERSION, 0) if isinstance(data, dict) else 0
    if type(version) is not int or version < 0:
        raise ValueError(f"{VERSION}: {version!r} is not a version")
    return version


def as_it_is(data: Any) -> Any:
    """The step to a version that only adds what it says of itself."""
    return data
