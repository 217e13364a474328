"""Accounts and API tokens over HTTP; hashes and secrets are never listed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from console.doors import passwords
from console.doors.accounts import Account, AccountName, CameraIds, Scope, Token
from console.doors.asking import Administering
from console.doors.reception import LastAdminError, NoSuchError, Reception
from console.doors.viewer import Role
from console.problems import RefusedError, not_found
from hazardcast.contract.fields import NAME_PATTERN
from hazardcast.machine.refusals import in_words

PathName = Annotated[str, Path(pattern=NAME_PATTERN, max_length=48)]


class WantedAccount(BaseModel):
    """What an account is to be; a password is needed where there is none yet."""

    model_config = ConfigDict(extra="forbid")

    role: Role
    cameras: CameraIds | None = None
    password: Annotated[str, Field(max_length=passwords.LONGEST_BYTES)] | None = None
    disabled: bool = False


class AccountFacts(BaseModel):
    """An account without its password."""

    name: str
    role: Role
    cameras: list[str] | None
    changed_at: float
    disabled: bool


class WantedToken(BaseModel):
    """What a token is to be."""

    model_config = ConfigDict(extra="forbid")

    account: AccountName
    scope: Scope = "look"
    cameras: CameraIds | None = None
    until: float | None = None
    note: Annotated[str, Field(max_length=64)] = ""


class TokenFacts(BaseModel):
    """A token without its secret."""

    id: str
    account: str
    scope: Scope
    cameras: list[str] | None
    made_at: float
    until: float | None
    note: str


class NewToken(TokenFacts):
    """A token that was just made: its secret is told this once."""

    secret: str


def router(reception: Reception) -> APIRouter:
    """The routes of accounts and tokens, an admin's alone."""
    routes = APIRouter(prefix="/api/v1", tags=["accounts"])
    _add_accounts(routes, reception)
    _add_tokens(routes, reception)
    return routes


def _add_accounts(routes: APIRouter, reception: Reception) -> None:
    @routes.get("/accounts")
    def accounts(_admin: Administering) -> list[AccountFacts]:
        """Every account."""
        found = reception.file.book.accounts.values()
        return [_account(one) for one in sorted(found, key=lambda one: one.name)]

    @routes.put("/accounts/{name}")
    def put_account(_admin: Administering, name: PathName, wanted: WantedAccount) -> AccountFacts:
        """Give an account, or change one; who has it signs in anew."""
        if wanted.password is not None and (problem := passwords.problem_of(wanted.password)):
            raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, problem, field="password")
        with _refusing("a new account needs a password"):
            given = reception.put(
                name, wanted.role, wanted.cameras, wanted.password, disabled=wanted.disabled
            )
            return _account(given)

    @routes.delete("/accounts/{name}", status_code=HTTPStatus.NO_CONTENT)
    def remove_account(_admin: Administering, name: PathName) -> None:
        """Take an account away, with its sessions and tokens."""
        with _refusing("there is no such account"):
            reception.remove(name)


def _add_tokens(routes: APIRouter, reception: Reception) -> None:
    @routes.get("/tokens")
    def tokens(_admin: Administering) -> list[TokenFacts]:
        """Every token, without its secret."""
        found = sorted(reception.file.book.tokens.values(), key=lambda one: one.made_at)
        return [TokenFacts(**_token(one)) for one in found]

    @routes.post("/tokens", status_code=HTTPStatus.CREATED)
    def give_token(_admin: Administering, wanted: WantedToken) -> NewToken:
        """Make a token in the name of an account; its secret is told this once."""
        with _refusing("there is no such account"):
            secret, token = reception.give_token(
                wanted.account,
                wanted.scope,
                cameras=wanted.cameras,
                until=wanted.until,
                note=wanted.note,
            )
        return NewToken(**_token(token), secret=secret)

    @routes.delete("/tokens/{identity}", status_code=HTTPStatus.NO_CONTENT)
    def withdraw_token(_admin: Administering, identity: PathName) -> None:
        """End a token at once."""
        with _refusing("there is no such token"):
            reception.withdraw_token(identity)


@contextmanager
def _refusing(missing: str) -> Iterator[None]:
    """What the reception refuses, as problems."""
    try:
        yield
    except NoSuchError:
        raise not_found(missing) from None
    except LastAdminError:
        detail = "somebody must be left who gives accounts"
        raise RefusedError(HTTPStatus.CONFLICT, detail) from None
    except OSError as error:
        detail = f"cannot be kept: {in_words(error)}"
        raise RefusedError(HTTPStatus.SERVICE_UNAVAILABLE, detail) from None


def _account(account: Account) -> AccountFacts:
    cameras = sorted(account.cameras) if account.cameras is not None else None
    return AccountFacts(
        name=account.name, role=account.role, cameras=cameras, changed_at=account.changed_at,
        disabled=account.disabled,
    )  # fmt: skip


def _token(token: Token) -> dict[str, object]:
    cameras = sorted(token.cameras) if token.cameras is not None else None
    return {**token.model_dump(exclude={"secret", "cameras"}), "cameras": cameras}
