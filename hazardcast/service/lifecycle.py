"""How a service process lives: starts, repeats its work through failures, stops on request."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from collections.abc import Callable

from hazardcast.config import settings as settings_module
from hazardcast.config.settings import Settings
from hazardcast.contract.errors import ConfigError, HazardcastError, KeyFileError, ToolMissingError
from hazardcast.machine import refusals
from hazardcast.machine.clock import Clock
from hazardcast.service import logs
from hazardcast.service.backoff import backoff_s

log = logging.getLogger(__name__)
EXIT_BAD_CONFIGURATION = 2


def run_service(serve: Callable[[Settings, threading.Event], None]) -> None:
    """Read the settings, call `serve` until it returns, and exit.

    `serve` gets an event that SIGTERM and SIGINT set. Exit code 0 after a clean stop, 2 when the
    configuration is wrong or the system refuses something (one line on stderr says what).
    """
    stop = stop_on_signals()
    try:
        settings = settings_module.load()
        logs.configure(settings.log_level, settings.log_format)
        serve(settings, stop)
    except Exception as error:
        wrong = _wrong_setting(error) or refused(error)
        if wrong is None:
            raise
        log.debug("ends by this", exc_info=error)
        logs.last_word(f"hazardcast: {wrong}")
        sys.exit(EXIT_BAD_CONFIGURATION)


def _wrong_setting(error: BaseException) -> HazardcastError | None:
    """What of the configuration is at fault, even where cleaning up after it failed too."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ConfigError | KeyFileError | ToolMissingError):
            return cause
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return None


def refused(error: BaseException) -> str | None:
    """What the system refused, in words; None for an error of another kind."""
    if isinstance(error, OSError):
        return refusals.in_words(error, settings_module.variable_of)
    if isinstance(error, RuntimeError) and str(error) == refusals.NO_THREAD:
        return refusals.no_thread()
    return None


def stop_on_signals() -> threading.Event:
    """An event that SIGTERM and SIGINT set."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def repeat(
    run_once: Callable[[], None],
    *,
    what: str,
    stop: threading.Event,
    clock: Clock,
    first_s: float = 1.0,
    most_s: float = 30.0,
    settled_s: float = 30.0,
) -> None:
    """Call `run_once` again and again until `stop`; wait longer after each failure in a row.

    A run that lasted `settled_s` counts as a success, whatever ended it. This is the one place in
    a service that survives an unexpected exception.
    """
    failures = 0
    while not stop.is_set():
        started = clock.monotonic()
        try:
            run_once()
        except HazardcastError as error:
            log.warning("%s failed, will be tried again: %s", what, error)
        except (OSError, RuntimeError) as error:
            _tell(what, error)
        except Exception:
            log.exception("%s failed, will be tried again", what)
        if clock.monotonic() - started >= settled_s:
            failures = 0
        clock.wait(stop, backoff_s(failures, first_s=first_s, most_s=most_s))
        failures += 1


def _tell(what: str, error: Exception) -> None:
    """A refusal of the system in one line; anything else is a bug, and whole."""
    if why := refused(error):
        log.warning("%s failed, will be tried again: %s", what, why)
        log.debug("%s failed by this", what, exc_info=error)
    else:
        log.error("%s failed, will be tried again", what, exc_info=error)
