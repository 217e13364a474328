"""The guard at every door: from a request to a viewer, and no request from a foreign page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import HTTPConnection

from console.doors import bearer, free_view, origins, proxies
from console.doors.accounts import Account, Book
from console.doors.attempts import network_of
from console.doors.proxies import Network, Origin
from console.doors.sessions import Session, Sessions
from console.doors.shares import Holder
from console.doors.viewer import FREE_VIEWER, Viewer
from hazardcast.machine.clock import Clock

COOKIE = "hazardcast"
SECURE_COOKIE = "__Host-hazardcast"
"""The prefix binds it to this host and to TLS (RFC 6265bis, 4.1.3.2)."""


@dataclass(frozen=True)
class FreeView:
    """What decides whether looking needs an account at the machine itself."""

    published_locally: bool
    """Only this machine can reach the console."""
    allowed: bool
    """The operator allows it."""
    privacy_on: Callable[[], bool] = lambda: False
    """Whether pictures are protected: then nobody looks without a name."""

    def holds(self, connection: HTTPConnection) -> bool:
        """Whether who asks sits at the machine itself, and may look."""
        return (
            self.allowed
            and self.published_locally
            and not self.privacy_on()
            and free_view.asks_locally(connection.headers)
        )


@dataclass(frozen=True)
class Guard:
    """What the doors go by; every right is looked up anew at every request."""

    free_view: FreeView
    book: Callable[[], Book]
    sessions: Sessions
    clock: Clock
    proxies: tuple[Network, ...] = ()

    def viewer_of(self, connection: HTTPConnection) -> Viewer | None:
        """Who asks; None: nobody that may look."""
        if shown := connection.headers.get("authorization"):
            return self._of_token(shown)
        if secret := self.secret_of(connection):
            session = self.sessions.find(secret)
            account = self.book().accounts.get(session.account) if session else None
            if session and account and _holds(session, account):
                return account.viewer
        return FREE_VIEWER if self.free_view.holds(connection) else None

    def _of_token(self, shown: str) -> Viewer | None:
        scheme, _, secret = shown.partition(" ")
        if scheme.lower() != "bearer" or len(secret) > bearer.LONGEST:
            return None
        book = self.book()
        token = book.tokens.get(bearer.kept(secret.strip()))
        account = book.accounts.get(token.account) if token else None
        if token is None or account is None or account.disabled or self._is_over(token.until):
            return None
        return token.viewer(account)

    def _is_over(self, until: float | None) -> bool:
        return until is not None and until <= self.clock.now()

    def secret_of(self, connection: HTTPConnection) -> str | None:
        """What the browser holds of a session."""
        return connection.cookies.get(self.cookie_of(connection))

    def shows_a_session(self, connection: HTTPConnection) -> bool:
        """Whether who asks is known by a cookie: a token speaks for nobody's password."""
        secret = self.secret_of(connection)
        return (
            "authorization" not in connection.headers
            and secret is not None
            and self.sessions.find(secret) is not None
        )

    def cookie_of(self, connection: HTTPConnection) -> str:
        """The cookie's name on this way to the browser."""
        return SECURE_COOKIE if self.origin_of(connection).secure else COOKIE

    def origin_of(self, connection: HTTPConnection) -> Origin:
        """Who asks, and how they reached the console."""
        peer = connection.client.host if connection.client else ""
        scheme = str(connection.scope.get("scheme", "http"))
        lines = connection.headers.getlist(proxies.HOPS)
        headers = {**connection.headers, proxies.HOPS: ", ".join(lines)}
        return proxies.origin(peer, scheme, headers, self.proxies)

    def holder_of(self, connection: HTTPConnection) -> Holder:
        """Whose share of the console a request takes."""
        viewer = self.viewer_of(connection)
        if viewer is not None and viewer.name is not None:
            return Holder("account", viewer.name)
        return Holder("address", network_of(self.origin_of(connection).address))

    def is_own_origin(self, connection: HTTPConnection) -> bool:
        """Whether a request comes from a page of ours, or from no page at all."""
        return origins.is_own(connection.headers, self.origin_of(connection).host)

    def operators_present(self) -> int:
        """How many sessions are open, with the page at hand, that may decide."""
        accounts = self.book().accounts
        present = [
            account
            for session in self.sessions.present()
            if (account := accounts.get(session.account)) and _holds(session, account)
        ]
        return sum(account.viewer.may_decide for account in present)


def _holds(session: Session, account: Account) -> bool:
    """Whether a session still lets its account in: it is none of before the last change."""
    return session.began >= account.changed_at and not account.disabled
