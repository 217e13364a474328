"""Accounts and API tokens: what is kept of each, and how it reads as JSON. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from console.doors.viewer import Role, Viewer
from hazardcast.contract.fields import CAMERA_ID_PATTERN, NAME_PATTERN

AccountName = Annotated[str, Field(pattern=NAME_PATTERN, min_length=1, max_length=48)]
CameraIds = frozenset[Annotated[str, Field(pattern=CAMERA_ID_PATTERN)]]
Scope = Literal["look", "decide"]


class _Kept(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Account(_Kept):
    """A person's, or a wall's."""

    name: AccountName
    role: Role
    cameras: CameraIds | None = None
    """What they may see; None: all."""
    password: str
    """Its hash."""
    changed_at: float
    """When password or rights were last changed, epoch seconds."""
    disabled: bool = False
    """It is kept, and nobody is let in by it, nor by a token in its name."""

    @property
    def viewer(self) -> Viewer:
        """Who they are at the doors."""
        return Viewer(name=self.name, role=self.role, cameras=self.cameras)


class Token(_Kept):
    """A script's, in the name of an account and never with more rights."""

    id: str
    """What it is called where it is listed and withdrawn."""
    account: AccountName
    scope: Scope
    cameras: CameraIds | None = None
    """What it may see of what its account sees; None: all of that."""
    secret: str
    """Its hash."""
    made_at: float
    until: float | None = None
    """When it ends, epoch seconds; None: when it is withdrawn."""
    note: Annotated[str, Field(max_length=64)] = ""
    """What it is for."""

    def viewer(self, account: Account) -> Viewer:
        """Who shows it, at the doors."""
        cameras = account.cameras
        if self.cameras is not None:
            cameras = self.cameras if cameras is None else cameras & self.cameras
        return replace(account.viewer, cameras=cameras, read_only=self.scope == "look")


@dataclass(frozen=True)
class Book:
    """Every account and token."""

    accounts: dict[str, Account]
    tokens: dict[str, Token]
    """By the hash of its secret."""

    def with_account(self, account: Account) -> Book:
        """The book with one account more, or changed."""
        return replace(self, accounts={**self.accounts, account.name: account})

    def without_account(self, name: str) -> Book:
        """The book without an account and its tokens."""
        return Book(
            {key: one for key, one in self.accounts.items() if key != name},
            {key: one for key, one in self.tokens.items() if one.account != name},
        )

    def with_token(self, token: Token) -> Book:
        """The book with one token more."""
        return replace(self, tokens={**self.tokens, token.secret: token})

    def without_token(self, identity: str) -> Book:
        """The book without the token of this id."""
        return replace(
            self, tokens={key: one for key, one in self.tokens.items() if one.id != identity}
        )

    @property
    def has_admin(self) -> bool:
        """Whether somebody can still give accounts."""
        return any(one.role is Role.ADMIN and not one.disabled for one in self.accounts.values())
