"""Signing in and out, and what an admin changes: the doors' own deeds, without HTTP."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from console.doors import bearer
from console.doors.account_file import AccountFile
from console.doors.accounts import Account, Book, CameraIds, Scope, Token
from console.doors.attempts import Attempts
from console.doors.passwords import Passwords
from console.doors.sessions import KIOSK_LASTS_S, LASTS_S, Sessions
from console.doors.viewer import Role
from hazardcast.machine.clock import Clock

log = logging.getLogger(__name__)
FIRST = "admin"


class TooOftenError(Exception):
    """Somebody tries too many passwords."""


class LastAdminError(Exception):
    """Nobody could give accounts any more."""


class NoSuchError(Exception):
    """There is no such account or token."""


@dataclass
class Reception:
    """Who keeps accounts, sessions and tokens; its methods take as long as a hash and a disk."""

    file: AccountFile
    sessions: Sessions
    passwords: Passwords
    clock: Clock
    _attempts: Attempts = field(default_factory=Attempts)

    def open_first(self, password: str) -> bool:
        """Give the first account where there is none; True: it was given."""
        if self.file.book.accounts:
            return False
        self.put(FIRST, Role.ADMIN, None, password)
        return True

    def sign_in(self, name: str, password: str, address: str) -> str | None:
        """Begin a session; returns what the browser is to hold, None where it is not them.

        Raises:
            TooOftenError: the account or the address has been tried too often.
        """
        account = self._proven(name, password, address)
        if account is None:
            return None
        secret = self._begin(account)
        if self.file.book.accounts.get(name) is not account:  # changed since: it was theirs
            self.sessions.end(secret)
            return None
        log.info("signed in", extra={"account": name, "address": address})
        return secret

    def _proven(self, name: str, password: str, address: str) -> Account | None:
        """The account as it was when its password was shown; None: it was not."""
        account = self.file.book.accounts.get(name)
        known = account.name if account else None
        if not self._attempts.allows(known, address, self.clock.monotonic()):
            raise TooOftenError
        if not self.passwords.match(password, account.password if account else None):
            log.warning("login refused", extra={"address": address})
            return None
        if account and account.disabled:
            log.warning("login refused: disabled", extra={"account": name, "address": address})
            return None
        self._attempts.succeeded(known, address, self.clock.monotonic())
        return account

    def _begin(self, account: Account) -> str:
        lasts_s = KIOSK_LASTS_S if account.role is Role.KIOSK else LASTS_S
        return self.sessions.begin(account.name, lasts_s, since=account.changed_at)

    def change_password(self, name: str, old: str, new: str, address: str) -> str | None:
        """Give an account another password, and nothing else; every session of it ends.

        Returns:
            What the browser is to hold of the one that begins, None where `old` is not theirs.

        Raises:
            TooOftenError: as `sign_in`.
            OSError: the disk does not take it.
        """
        proven = self._proven(name, old, address)
        hashed = self.passwords.hashed(new) if proven else None
        while True:
            before = self.file.book
            known = before.accounts.get(name)
            if proven is None or known is None or known.password != proven.password:
                return None
            update = {"password": hashed, "changed_at": self.clock.now()}
            account = known.model_copy(update=update)
            if self._changed(before, before.with_account(account)):
                break
        self.sessions.end_all_of(name)
        log.info("password changed", extra={"account": name})
        return self._begin(account)

    def sign_out(self, secret: str) -> None:
        """End the session that a browser holds."""
        self.sessions.end(secret)

    def put(
        self,
        name: str,
        role: Role,
        cameras: CameraIds | None,
        password: str | None,
        *,
        disabled: bool = False,
    ) -> Account:
        """Give an account, or change one; who has it signs in anew.

        Args:
            name: the account's.
            role: what it may do.
            cameras: what it may see; None: all.
            password: None keeps the one it has.
            disabled: nobody is let in by it, nor by a token in its name, until it is put again.

        Raises:
            NoSuchError: there is none whose password could be kept.
            LastAdminError: nobody would be left who gives accounts.
            OSError: the disk does not take it.
        """
        hashed = self.passwords.hashed(password) if password is not None else None
        while True:
            before = self.file.book
            known = before.accounts.get(name)
            if hashed is None and known is None:
                raise NoSuchError
            kept = hashed or (known.password if known else "")
            account = Account(
                name=name, role=role, cameras=cameras, password=kept, disabled=disabled,
                changed_at=self.clock.now(),
            )  # fmt: skip
            if self._changed(before, before.with_account(account)):
                break
        self.sessions.end_all_of(name)
        log.info("account set", extra={"account": name, "role": role.value})
        return account

    def remove(self, name: str) -> None:
        """Take an account away, with its sessions and tokens.

        Raises:
            NoSuchError, LastAdminError, OSError: as `put`.
        """
        while True:
            before = self.file.book
            if name not in before.accounts:
                raise NoSuchError
            if self._changed(before, before.without_account(name)):
                break
        self.sessions.end_all_of(name)
        log.info("account removed", extra={"account": name})

    def give_token(
        self,
        account: str,
        scope: Scope,
        *,
        cameras: CameraIds | None = None,
        until: float | None = None,
        note: str = "",
    ) -> tuple[str, Token]:
        """Make a token; returns its secret, which is told once, and what is kept.

        Raises:
            NoSuchError: there is no such account.
            OSError: the disk does not take it.
        """
        secret = bearer.new()
        token = Token(
            id=bearer.kept(bearer.new())[:12], account=account, scope=scope, cameras=cameras,
            secret=bearer.kept(secret), made_at=self.clock.now(), until=until, note=note,
        )  # fmt: skip
        while True:
            before = self.file.book
            if account not in before.accounts:
                raise NoSuchError
            if self._changed(before, before.with_token(token)):
                return secret, token

    def withdraw_token(self, identity: str) -> None:
        """End a token.

        Raises:
            NoSuchError: there is none of this id.
            OSError: the disk does not take it.
        """
        while True:
            before = self.file.book
            after = before.without_token(identity)
            if len(after.tokens) == len(before.tokens):
                raise NoSuchError
            if self._changed(before, after):
                return

    def _changed(self, before: Book, after: Book) -> bool:
        if not after.has_admin:
            raise LastAdminError
        return self.file.change(before, after)
