"""Who looks, and what they may see and do. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What an account may do: each but the kiosk includes the one before."""

    VIEWER = "viewer"
    """Looks."""
    OPERATOR = "operator"
    """Looks and decides."""
    ADMIN = "admin"
    """Looks, decides, and gives accounts."""
    KIOSK = "kiosk"
    """A wall: looks, and takes nothing away."""


DECIDING = frozenset({Role.OPERATOR, Role.ADMIN})


@dataclass(frozen=True)
class Viewer:
    """Who asks; without a name it is free view."""

    name: str | None
    role: Role
    cameras: frozenset[str] | None
    """The cameras that they may see; None: all."""
    read_only: bool = False
    """An API token that was given for looking alone."""

    def may_see(self, camera: str | None) -> bool:
        """Whether what concerns a camera is theirs; what concerns none is everybody's."""
        return self.cameras is None or camera is None or camera in self.cameras

    def may_see_any(self, cameras: frozenset[str] | None) -> bool:
        """The same for what concerns several; of whom it is not known, who sees all may see it."""
        return self.cameras is None or cameras is None or bool(self.cameras & cameras)

    @property
    def may_decide(self) -> bool:
        """Whether their word reaches vehicles."""
        return self.name is not None and self.role in DECIDING and not self.read_only

    @property
    def may_export(self) -> bool:
        """Whether they may take things away: clips, archives, tables."""
        return self.role is not Role.KIOSK

    @property
    def may_administer(self) -> bool:
        """Whether they give accounts to others."""
        return self.name is not None and self.role is Role.ADMIN and not self.read_only


FREE_VIEWER = Viewer(name=None, role=Role.VIEWER, cameras=None)
"""Whoever sits at the machine itself, where the operator allows it."""
