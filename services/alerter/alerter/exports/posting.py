"""One HTTP POST to somebody else's server: it was taken, or why not, within bounded time.

A redirect is no delivery. `urllib` would follow 301, 302 and 303 with a GET without the body and
take its 200 for an answer to the alert; nor is an alert said to an address that nobody configured.
(A captive portal's 200 cannot be told from the subscriber's own: with https it has no key for one.)
"""

from __future__ import annotations

import http.client
import io
import urllib.error
import urllib.request
from typing import Any

from hazardcast.contract.errors import HazardcastError
from hazardcast.contract.terminal_text import printable
from hazardcast.machine.clock import Clock, SystemClock

TIMEOUT_S = 5.0
"""To connect, to be rid of the body, and for the answer's head, each."""
_AGAIN_LATER = (408, 425, 429)
_LONGEST_REASON = 200
_CLOCK: Clock = SystemClock()


class NotTakenError(HazardcastError):
    """The other side did not take it; `final` when it would not at another time either."""

    def __init__(self, reason: str, *, final: bool = False) -> None:
        self.final = final
        super().__init__(printable(reason)[:_LONGEST_REASON])


def post(url: str, body: bytes, content_type: str, *, timeout_s: float = TIMEOUT_S) -> None:
    """Hand `body` over.

    Raises:
        NotTakenError: it was not answered in time, redirected or refused; says why.
    """
    request = urllib.request.Request(url, data=body, headers={"Content-Type": content_type})  # noqa: S310 - http(s), checked at the start
    try:
        with _OPENER.open(request, timeout=timeout_s):
            return
    except urllib.error.HTTPError as error:
        with error:
            raise _refusal(error) from None
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise NotTakenError(str(reason) or type(error).__name__) from None


def _refusal(error: urllib.error.HTTPError) -> NotTakenError:
    said = f"{error.code} {error.reason}"
    if 300 <= error.code < 400:
        target = error.headers.get("Location", "an address it does not tell")
        return NotTakenError(f"{said}: it has moved to {target}; redirects are not followed")
    final = 400 <= error.code < 500 and error.code not in _AGAIN_LATER
    return NotTakenError(said, final=final)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """Leave the answer as it is: an HTTPError."""


class _Timed(io.RawIOBase):
    """What a socket receives, all of it within its timeout, which else holds for each read."""

    def __init__(self, sock: Any) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)
        self._ends = _CLOCK.monotonic() + sock.gettimeout()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left_s = self._ends - _CLOCK.monotonic()
        if left_s <= 0:
            raise TimeoutError("timed out, though it was answering")
        self._sock.settimeout(left_s)
        read: int | None = self._raw.readinto(buffer)
        return read

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Receiver:
    """As much of a socket as `HTTPResponse` asks for."""

    def __init__(self, sock: Any) -> None:
        self._sock = sock

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Timed(self._sock))


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(_Receiver(sock), *args, **kwargs)  # type: ignore[arg-type]


class _Connection(http.client.HTTPConnection):
    response_class = _Response


class _TlsConnection(http.client.HTTPSConnection):
    response_class = _Response


class _Http(urllib.request.HTTPHandler):
    def http_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_Connection, request)


class _Https(urllib.request.HTTPSHandler):
    def https_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_TlsConnection, request)


_OPENER = urllib.request.build_opener(_Http, _Https, _NoRedirect)
