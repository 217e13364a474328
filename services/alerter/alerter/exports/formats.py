"""The forms in which other systems may have an alert."""

from __future__ import annotations

import importlib
import json
from collections.abc import Sequence
from enum import StrEnum

from alerter.exports import cap, denm
from hazardcast.contract.errors import ConfigError
from hazardcast.contract.messages import Alert


class Format(StrEnum):
    """A form, by the name that settings use."""

    JSON = "json"
    CAP = "cap"
    DENM_JSON = "denm-json"
    DENM_UPER = "denm-uper"


CONTENT_TYPES = {
    Format.JSON: "application/json",
    Format.CAP: "application/cap+xml",
    Format.DENM_JSON: "application/json",
    Format.DENM_UPER: "application/octet-stream",
}


def encode(alert: Alert, form: Format, earlier: Sequence[cap.Reference] = ()) -> bytes:
    """The alert in that form; `earlier` are the CAP messages about the same event.

    Raises:
        NoDenmError: DENM is asked for, and the alert has no identity that fits into one.
    """
    if form is Format.CAP:
        return cap.message(alert, earlier)
    if form is Format.DENM_UPER:
        return bytes(importlib.import_module("alerter.exports.denm_uper").encode(alert))
    if form is Format.DENM_JSON:
        return json.dumps(denm.vanetza(alert)).encode()
    return alert.encode().encode()


def check(form: Format, variable: str) -> None:
    """Look whether what the form needs is installed.

    Raises:
        ConfigError: it is not; the error says how to install it.
    """
    if form is Format.DENM_UPER:
        try:
            importlib.import_module("alerter.exports.denm_uper")
        except ImportError:
            raise ConfigError(
                f"{variable}: denm-uper needs pycrate: pip install 'hazardcast[denm]'"
            ) from None
