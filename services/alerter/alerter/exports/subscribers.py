"""Other systems that are told of every version by HTTP POST, each in the form it chose."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from urllib.parse import urlsplit

from alerter import metrics
from alerter.exports import posting
from alerter.exports.backlog import Backlog, Due
from alerter.exports.cap import Reference, reference
from alerter.exports.formats import CONTENT_TYPES, Format, check, encode
from alerter.exports.posting import NotTakenError
from hazardcast.contract.errors import ConfigError, HazardcastError
from hazardcast.contract.messages import Alert
from hazardcast.machine.clock import Clock
from hazardcast.net.addresses import http_server
from hazardcast.service.backoff import backoff_s
from hazardcast.service.metrics import GAVE_WAY
from hazardcast.service.sparing_log import SparingLog

log = logging.getLogger(__name__)
VARIABLE = "HAZARDCAST_SUBSCRIBERS"
QUEUE_LENGTH = 1000
MOST_TOLD = 1000
"""Twice as many events as there may be at once."""
LINES_PER_S, LINES_BURST = 0.2, 10.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
TRIES_IN_A_ROW = 4
"""A version that makes the other side fail each time holds up what others wait for no longer."""
ENDED_KEPT_S = 600.0
"""How long the end of an alert is still offered to a subscriber that does not answer."""


@dataclass(frozen=True)
class Address:
    """Where a subscriber listens, and what it wants to read."""

    url: str
    form: Format

    @property
    def shown(self) -> str:
        """The server, less what in its URL may be a secret."""
        return urlsplit(self.url).netloc


def parse(text: str | None) -> list[Address]:
    """Read `cap=https://a/b,http://c`: a form before each address, json if there is none.

    Raises:
        ConfigError: an address is not http(s), or its form is unknown or not installed.
    """
    parts = [part.strip() for part in (text or "").split(",") if part.strip()]
    return [_address(part) for part in parts]


def _address(part: str) -> Address:
    before, sign, after = part.partition("=")
    named = bool(sign) and "/" not in before
    form, url = (before, after) if named else (Format.JSON.value, part)
    if form not in list(Format):
        known = ", ".join(Format)
        raise ConfigError(f"{VARIABLE}: {form!r} is not a format; there are {known}")
    try:
        http_server(url)
    except ValueError:
        shown = url.rpartition("@")[2]  # no password in a log
        raise ConfigError(f"{VARIABLE}: {shown!r} is not an http(s) address") from None
    check(Format(form), VARIABLE)
    return Address(url, Format(form))


class Subscriber:
    """One of them: a bounded queue, and a thread that delivers each event in order."""

    def __init__(self, address: Address, *, clock: Clock, stop: threading.Event) -> None:
        self._address = address
        self._clock = clock
        self._stop = stop
        self._lines = SparingLog(log, clock, per_s=LINES_PER_S, burst=LINES_BURST)
        self._backlog = Backlog(QUEUE_LENGTH)
        self._told: dict[str, tuple[Reference, ...]] = {}
        self._failures = 0
        """In a row, whatever was offered."""

    def tell(self, alert: Alert) -> None:
        """Queue a version; when the subscriber is too far behind, the least is given up."""
        until = self._clock.monotonic() + _offered_s(alert, self._clock.now())
        gone = self._backlog.put(Due(alert, until), told=self._told)
        if gone:
            metrics.TOLD.labels(kind=self._address.form.value, result="dropped").inc(gone)
            GAVE_WAY.labels(kind="subscriber", reason="slight").inc(gone)

    def known(self, alert: Alert) -> None:
        """A version that was told by the process before this one: later ones refer to it."""
        self._told[alert.event_id] = (reference(alert),)

    def run(self, stop: threading.Event) -> None:
        """Deliver what is queued until `stop`."""
        while not stop.is_set():
            if due := self._backlog.take(timeout_s=0.2):
                self._deliver(due)

    def _deliver(self, due: Due) -> None:
        """Tell a version; from the first try on the subscriber may know of the event."""
        alert, earlier = due.alert, self._told.get(due.alert.event_id, ())
        self._note(alert.event_id, earlier)
        try:
            body = encode(alert, self._address.form, earlier)
        except HazardcastError as error:
            log.warning("alert not told", extra={"event": alert.event_id, "reason": str(error)})
            self._count("unfit")
            return
        if not self._offer(due, body):
            return
        if alert.terminated:
            self._told.pop(alert.event_id, None)
        else:
            self._note(alert.event_id, (*earlier, reference(alert))[-20:])

    def _offer(self, due: Due, body: bytes) -> bool:
        """Whether a version was taken or refused for good; one that is not lets others first."""
        tries = 0
        while not self._post(body):
            tries += 1
            over = self._clock.monotonic() > due.until
            if over or self._clock.wait(self._stop, self._pause_s()):
                self._count("given_up")
                return False
            self._failures += 1
            if tries >= TRIES_IN_A_ROW and self._backlog.let_others_first(due):
                return False
        self._failures = 0
        return True

    def _pause_s(self) -> float:
        return backoff_s(self._failures, first_s=FIRST_PAUSE_S, most_s=LONGEST_PAUSE_S)

    def _note(self, event_id: str, references: tuple[Reference, ...]) -> None:
        """What later versions refer to; events told longest ago are forgotten."""
        told = {known: said for known, said in self._told.items() if known != event_id}
        if len(told) >= MOST_TOLD:
            del told[next(iter(told))]
        self._told = {**told, event_id: references}

    def _post(self, body: bytes) -> bool:
        """Whether it was taken, or refused for good (4xx): trying again would not help."""
        try:
            posting.post(self._address.url, body, CONTENT_TYPES[self._address.form])
        except NotTakenError as error:
            self._complain(error)
            self._count("refused" if error.final else "failed")
            return error.final
        self._count("delivered")
        return True

    def _complain(self, error: NotTakenError) -> None:
        what = "a subscriber refuses an alert" if error.final else "a subscriber takes no alert"
        self._lines.say(
            logging.WARNING, what, extra={"to": self._address.shown, "reason": str(error)}
        )

    def _count(self, result: str) -> None:
        metrics.TOLD.labels(kind=self._address.form.value, result=result).inc()


def _offered_s(alert: Alert, now: float) -> float:
    """How long a version is worth telling, at most as long as it is valid."""
    if alert.terminated:
        return ENDED_KEPT_S
    return min(alert.valid_until - now, alert.validity_duration_s)
