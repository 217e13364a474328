"""The station's identity: its key, and its name for the trust store."""

from __future__ import annotations

import logging
from pathlib import Path

from alerter.air.datagrams import room_for_alert
from alerter.air.transmitter import Transmitter
from hazardcast.config.settings import Settings
from hazardcast.contract.errors import ConfigError, KeyFileError
from hazardcast.machine.refusals import in_words
from hazardcast.signing import trust
from hazardcast.signing.envelope import Signer

log = logging.getLogger(__name__)


def load_signer(keys_dir: Path, *, station: int) -> Signer:
    """The signing key, made at the first start.

    Raises:
        KeyFileError: it cannot be read, or vehicles know it as another station's.
    """
    trust.ensure_keys(keys_dir, station=station)
    signer = trust.load_signer(keys_dir / trust.SIGNING_KEY_FILE)
    room_for_alert(kid=signer.kid, alg=signer.alg)
    store_path = keys_dir / trust.TRUSTSTORE_FILE
    if store_path.exists():
        entry = trust.load_truststore(store_path).keys.get(signer.kid)
        if entry and entry.station != station:
            raise KeyFileError(
                f"{store_path}: key {signer.kid} is of station {entry.station}, "
                f"but the site's station_id is {station}"
            )
    return signer


def http_token(settings: Settings) -> str:
    """The bearer token of `POST /alert`.

    Raises:
        ConfigError: it is empty or no text.
        OSError: the system does not let it be read.
    """
    if settings.http_token is not None:
        token = settings.http_token.get_secret_value().strip()
    else:
        path = settings.keys_dir / trust.HTTP_TOKEN_FILE
        try:
            token = path.read_text(encoding="utf-8").strip()
        except UnicodeDecodeError as error:
            raise ConfigError(f"{path}: cannot be read: {error}") from None
    if not token:
        raise ConfigError("HAZARDCAST_HTTP_TOKEN: must not be empty")
    return token


class KeyWatch:
    """Notices that the operator rotated the signing key, so that no restart is needed."""

    def __init__(self, keys_dir: Path, *, station: int, transmitter: Transmitter) -> None:
        self._keys_dir = keys_dir
        self._station = station
        self._transmitter = transmitter
        self._seen = self._stamp()

    def changed(self) -> bool:
        """Sign with the new key if there is one; a key that cannot be read changes nothing."""
        stamp = self._stamp()
        if stamp in (self._seen, None):
            return False
        self._seen = stamp
        try:
            signer = load_signer(self._keys_dir, station=self._station)
        except (KeyFileError, ConfigError, OSError) as error:
            reason = in_words(error) if isinstance(error, OSError) else str(error)
            log.error("signing key not changed", extra={"reason": reason})
            return False
        self._transmitter.sign_with(signer)
        log.info("signing key changed", extra={"kid": signer.kid})
        return True

    def _stamp(self) -> tuple[int, int] | None:
        try:
            about = (self._keys_dir / trust.SIGNING_KEY_FILE).stat()
        except OSError:
            return None
        return about.st_mtime_ns, about.st_ino
