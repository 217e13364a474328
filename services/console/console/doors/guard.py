"""The guard at every door: from a request to a viewer, and no request from a foreign page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import HTTPConnection

from console.doors import free_view, origins
from console.doors.viewer import FREE_VIEWER, Viewer


@dataclass(frozen=True)
class Guard:
    """What the doors go by."""

    published_locally: bool
    """Only this machine can reach the console."""
    free_view: bool
    """The operator allows looking without an account there."""
    privacy_on: Callable[[], bool] = lambda: False
    """Whether pictures are protected: then nobody looks without a name."""

    def viewer_of(self, connection: HTTPConnection) -> Viewer | None:
        """Who asks; None: nobody that may look."""
        return FREE_VIEWER if self.looks_freely(connection) else None

    def looks_freely(self, connection: HTTPConnection) -> bool:
        """Whether looking needs no account here."""
        return (
            self.free_view
            and self.published_locally
            and not self.privacy_on()
            and free_view.asks_locally(connection.headers)
        )

    def is_own_origin(self, connection: HTTPConnection) -> bool:
        """Whether a request comes from a page of ours, or from no page at all."""
        return origins.is_own(connection.headers, connection.headers.get("host", ""))
