"""The payload of a datagram, written as text: the alert in it is encoded once per version."""

from __future__ import annotations

from hazardcast.contract.errors import ConfigError
from hazardcast.contract.messages import Alert, Datagram, Heartbeat
from hazardcast.signing.envelope import MAX_DATAGRAM_BYTES, TYPE, Algorithm

SHORTENABLE = ("reported_type", "road")
"""Free texts, least important first; everything else has a bound of its own."""
SIGNATURE_BYTES: dict[Algorithm, int] = {"EdDSA": 64, "HS256": 32}
_LONGEST = "9" * 15
"""More datagrams or ticks than an epoch will ever have."""
NEEDED_BYTES = 720
"""No alert without free texts is longer (a test holds this)."""


def alert_payload(
    *, station: int, epoch: int, seq: int, tx: float, tick: int, copy: tuple[int, int], alert: str
) -> str:
    """The JSON of a `Datagram` around an alert that is JSON already."""
    return (
        f'{{"v":1,"kind":"alert","station":{station},"epoch":{epoch},"seq":{seq},"tx":{tx:.6f},'
        f'"tick":{tick},"copy":[{copy[0]},{copy[1]}],"alert":{alert}}}'
    )


def heartbeat_payload(
    *, station: int, epoch: int, seq: int, tx: float, tick: int, heartbeat: Heartbeat
) -> str:
    """The JSON of a `Datagram` that carries a heartbeat."""
    datagram = Datagram(
        kind="heartbeat", station=station, epoch=epoch, seq=seq, tx=tx, tick=tick,
        heartbeat=heartbeat,
    )  # fmt: skip
    return datagram.encode()


def room_for_alert(*, kid: str, alg: Algorithm) -> int:
    """How many bytes an alert's JSON may have so that no datagram exceeds its limit.

    Raises:
        ConfigError: the key's id is so long that an alert would not fit.
    """
    header = f'{{"alg":"{alg}","kid":"{kid}","typ":"{TYPE}"}}'
    fixed = _b64_chars(len(header)) + _b64_chars(SIGNATURE_BYTES[alg]) + 2
    payload_bytes = (MAX_DATAGRAM_BYTES - fixed) * 3 // 4
    longest = int(_LONGEST)
    around = alert_payload(
        station=2**32 - 1, epoch=longest, seq=longest, tx=9_999_999_999.0, tick=longest,
        copy=(9, 9), alert="",
    )  # fmt: skip
    room = payload_bytes - len(around)
    if room < NEEDED_BYTES:
        raise ConfigError(f"signing key: id {kid!r} is too long for a datagram")
    return room


def _b64_chars(size: int) -> int:
    return -(-size * 4 // 3)


class Fitting:
    """Shortens versions to what a datagram holds, and writes the text of the newest only once.

    Args:
        room: how many bytes the JSON of an alert may have.
    """

    def __init__(self, room: int) -> None:
        self._room = room
        self._newest: tuple[Alert | None, str] = (None, "")

    def fit(self, alert: Alert) -> Alert:
        """The alert as it is told."""
        text = alert.encode()
        if len(text.encode()) > self._room:
            return fit(alert, self._room)
        self._newest = (alert, text)
        return alert

    def text(self, alert: Alert) -> str:
        """Its JSON."""
        newest, text = self._newest
        return text if newest is alert else alert.encode()


def fit(alert: Alert, room: int) -> Alert:
    """The alert with its free texts shortened until its JSON has at most `room` bytes."""
    for name in SHORTENABLE:
        while len(alert.encode().encode()) > room and (text := getattr(alert, name)):
            alert = alert.model_copy(update={name: text[:-1] or None})
    return alert
