"""The edge where accounts and sessions are kept: two files that their owner alone reads."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from console.doors.accounts import Account, Book, Token
from console.doors.sessions import Session
from hazardcast.contract import validation_errors
from hazardcast.contract.errors import ConfigError
from hazardcast.machine import durable
from hazardcast.machine.refusals import in_words
from hazardcast.machine.state_version import Format, NewerStateError, as_it_is

log = logging.getLogger(__name__)
ACCOUNTS_FILE = "accounts.json"
SESSIONS_FILE = "sessions.json"
ACCOUNTS = Format((as_it_is, as_it_is))
"""2: accounts may be disabled, which a program of version 1 would not know."""
SESSIONS = Format((as_it_is,))
OWNER_ALONE = 0o600


class AccountFile:
    """`accounts.json` below a folder; what it holds is in memory, what is changed is on disk first.

    Raises:
        ConfigError: what lies there is no book of accounts, or one of a newer version.
        OSError: it cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / ACCOUNTS_FILE
        self._lock = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True)
        self._book = _read_book(self._path)

    @property
    def book(self) -> Book:
        """As it is now."""
        return self._book

    def change(self, before: Book, after: Book) -> bool:
        """Put `after` in the place of `before`; False: somebody else changed the book meanwhile.

        Raises:
            OSError: the disk does not take it; nothing is changed.
        """
        with self._lock:
            if self._book is not before:
                return False
            durable.write(self._path, _told_book(after), mode=OWNER_ALONE)
            self._book = after
            return True


def _told_book(book: Book) -> str:
    content = {
        "accounts": [one.model_dump(mode="json") for one in book.accounts.values()],
        "tokens": [one.model_dump(mode="json") for one in book.tokens.values()],
    }
    return json.dumps(ACCOUNTS.stamped(content), ensure_ascii=False, indent=2) + "\n"


def _read_book(path: Path) -> Book:
    data = _read(path, ACCOUNTS)
    try:
        accounts = [Account.model_validate(one) for one in data.get("accounts", [])]
        tokens = [Token.model_validate(one) for one in data.get("tokens", [])]
    except (ValidationError, AttributeError, TypeError) as error:
        raise ConfigError(f"{path}: {_why(error)}") from None
    return Book({one.name: one for one in accounts}, {one.secret: one for one in tokens})


def _why(error: Exception) -> str:
    """What is wrong, without what stands there: it may be a hash."""
    if isinstance(error, ValidationError):
        problem = validation_errors.first(error)
        return f"{validation_errors.place(problem)}: {problem['msg']}"
    return "is no list of accounts"


def _read(path: Path, form: Format) -> Any:
    try:
        return form.read(json.loads(path.read_text(encoding="utf-8")), path)
    except FileNotFoundError:
        return {}
    except NewerStateError:
        raise
    except ValueError:
        raise ConfigError(f"{path}: cannot be read as JSON; put it aside or mend it") from None


class SessionFile:
    """`sessions.json` below a folder: a restart signs nobody out."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / SESSIONS_FILE

    def load(self) -> list[Session]:
        """Those that were kept; none where they cannot be read."""
        try:
            return [_session(one) for one in _read(self._path, SESSIONS).get("sessions", [])]
        except (ConfigError, ValueError, KeyError, TypeError, AttributeError, OSError) as error:
            about = {"reason": str(error)}
            log.warning("sessions cannot be taken up: all sign in anew", extra=about)
            return []

    def save(self, sessions: Iterable[Session]) -> None:
        """Keep them, if the disk lets them; a session holds without it until the next restart."""
        content = {"sessions": [asdict(one) for one in sessions]}
        try:
            durable.write(self._path, json.dumps(SESSIONS.stamped(content)), mode=OWNER_ALONE)
        except OSError as error:
            log.error("sessions cannot be kept", extra={"reason": in_words(error)})


def _session(one: Any) -> Session:
    return Session(
        secret=str(one["secret"]),
        account=str(one["account"]),
        began=float(one["began"]),
        until=float(one["until"]),
    )
