"""The edge by which the station hears itself on the group: its heartbeats alone, the kernel sieves.

Alerts are not let through, so that a storm of them does not wake a thread that has no use for them.
"""

from __future__ import annotations

import socket

from hazardcast.net import multicast
from hazardcast.net.multicast import Group
from hazardcast.receiving import bpf
from hazardcast.signing.envelope import Signer, b64url, protected_header

_BEGINS = b'{"v":1,"kind":"heartbeat"'
_WHOLE = len(_BEGINS) // 3 * 3
"""So many bytes are base64 text that does not depend on what follows."""


class Ear:
    """A receiver of its own beside those of vehicles; closed until `tune`."""

    def __init__(self, group: Group) -> None:
        self._group = group
        self._receiver: socket.socket | None = None
        self._tuned_to: bytes | None = None

    def tune(self, signer: Signer) -> None:
        """Listen, if it does not already, to what this key signs.

        Raises:
            ConfigError: the interface is not there.
            OSError: the group cannot be joined.
        """
        if self._receiver is None:
            self._receiver = multicast.open_receiver(self._group)
            self._tuned_to = None
        wanted = beginning(signer)
        if wanted != self._tuned_to:
            multicast.refuse_others(self._receiver, bpf.only([wanted]))
            self._tuned_to = wanted

    def hear(self, within_s: float) -> bytes:
        """The next heartbeat on the group, a stranger's too if it begins like ours.

        Raises:
            TimeoutError: there was none.
            OSError: the network is gone, or it is closed.
        """
        if self._receiver is None:
            raise OSError("not listening")
        multicast.wait_at_most(self._receiver, max(within_s, 0.001))
        return multicast.read(self._receiver).data

    def close(self) -> None:
        """Hear no more until it is tuned again."""
        if self._receiver:
            self._receiver.close()
        self._receiver = None


def beginning(signer: Signer) -> bytes:
    """How every heartbeat that this key signs begins."""
    text = f"{protected_header(signer.alg, signer.kid)}.{b64url(_BEGINS[:_WHOLE])}"
    return text.encode("ascii")
