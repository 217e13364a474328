"""The doors put together from the settings, with the first account where there is none."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from pathlib import Path

from console.doors import free_view, passwords, proxies
from console.doors.account_file import AccountFile, SessionFile
from console.doors.guard import FreeView, Guard
from console.doors.passwords import Passwords
from console.doors.reception import Reception
from console.doors.sessions import Sessions
from hazardcast.config.settings import Settings
from hazardcast.contract.errors import ConfigError
from hazardcast.machine import durable
from hazardcast.machine.clock import Clock

log = logging.getLogger(__name__)
FOLDER = "console"
FIRST_PASSWORD_FILE = "console.password"  # noqa: S105 - a file's name
FIRST_PASSWORD_BYTES = 24


def open_doors(
    settings: Settings, clock: Clock, privacy_on: Callable[[], bool]
) -> tuple[Guard, Reception]:
    """The guard and the reception.

    Raises:
        ConfigError: a setting or what is kept cannot be used.
        OSError: the data directory cannot be read or written.
    """
    folder = settings.data_dir / FOLDER
    file, kept = AccountFile(folder), SessionFile(folder)
    sessions = Sessions(clock, kept.load(), kept.save)
    reception = Reception(file, sessions, Passwords(), clock)
    if not file.book.accounts:
        reception.open_first(first_password(settings))
        log.info("first account made: admin")
    guard = Guard(
        free_view=FreeView(
            published_locally=free_view.is_loopback(
                settings.console_published or settings.console_host
            ),
            allowed=settings.console_free_view,
            privacy_on=privacy_on,
        ),
        book=lambda: file.book,
        sessions=sessions,
        clock=clock,
        proxies=proxies.parse(settings.console_proxies),
    )
    return guard, reception


def first_password(settings: Settings) -> str:
    """The password of the account `admin`, made where none is given.

    Raises:
        ConfigError: the one that is given cannot be used.
        OSError: the file can be neither read nor made.
    """
    if settings.console_password is not None:
        password = settings.console_password.get_secret_value().strip()
        if problem := passwords.problem_of(password):
            raise ConfigError(f"HAZARDCAST_CONSOLE_PASSWORD: {problem}")
        return password
    return _made(settings.keys_dir / FIRST_PASSWORD_FILE)


def _made(path: Path) -> str:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        durable.write(path, secrets.token_urlsafe(FIRST_PASSWORD_BYTES) + "\n", mode=0o600)
    return path.read_text(encoding="utf-8").strip()
