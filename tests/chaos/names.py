"""A name server that knows one vehicle, and can fall silent or know nobody (RFC 1035)."""

from __future__ import annotations

import socket
import struct
import threading
from typing import Literal

HEADER = struct.Struct("!6H")
NO_SUCH_NAME = 3
TYPE_A, LIVES_S = 1, 2


class NameServer:
    """Answers on 127.0.0.1:53 of the namespace in which it is made."""

    def __init__(self, names: dict[str, str]) -> None:
        self.mood: Literal["answers", "silent", "knows nobody"] = "answers"
        self._names = {name.lower(): socket.inet_aton(address) for name, address in names.items()}
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 53))
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                question, asker = self._socket.recvfrom(512)
                if self.mood != "silent":
                    self._socket.sendto(self._answer(question), asker)
            except OSError:
                return
            except (struct.error, IndexError, UnicodeDecodeError):
                continue

    def _answer(self, question: bytes) -> bytes:
        identity = HEADER.unpack_from(question)[0]
        labels, at = [], HEADER.size
        while length := question[at]:
            labels.append(question[at + 1 : at + 1 + length].decode("ascii"))
            at += 1 + length
        asked = question[HEADER.size : at + 5]
        kind = struct.unpack_from("!H", question, at + 1)[0]
        address = self._names.get(".".join(labels).lower())
        if address is None or self.mood == "knows nobody":
            return HEADER.pack(identity, 0x8180 | NO_SUCH_NAME, 1, 0, 0, 0) + asked
        if kind != TYPE_A:
            return HEADER.pack(identity, 0x8180, 1, 0, 0, 0) + asked
        record = struct.pack("!HHHIH", 0xC00C, TYPE_A, 1, LIVES_S, 4) + address
        return HEADER.pack(identity, 0x8180, 1, 1, 0, 0) + asked + record
