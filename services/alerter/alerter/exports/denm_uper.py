"""DENM as it is on the air: UPER, by pycrate's compiled modules of EN 302 637-3 (`denm` extra)."""

from __future__ import annotations

import threading
from typing import Any

from pycrate_asn1dir import ITS_DENM_3

from alerter.exports import denm
from hazardcast.contract.messages import Alert

_MODULES = ITS_DENM_3.DENM_PDU_Descriptions, ITS_DENM_3.ITS_Container
_one_at_a_time = threading.Lock()
"""A compiled module keeps the value it encodes in itself."""


def encode(alert: Alert) -> bytes:
    """The alert as a DENM in UPER, header included.

    Raises:
        NoDenmError: its identity does not fit into a DENM.
    """
    message, values = ITS_DENM_3.DENM_PDU_Descriptions.DENM, _named(denm.release_1(alert))
    with _one_at_a_time:
        message.set_val(values)
        return bytes(message.to_uper())


def _named(values: dict[str, Any]) -> dict[str, Any]:
    """The values with enumerations by name, as pycrate wants them."""
    management = dict(values["denm"]["management"])
    names = {
        "relevanceDistance": _names("RelevanceDistance"),
        "relevanceTrafficDirection": _names("RelevanceTrafficDirection"),
        "termination": _names("Termination"),
    }
    for field, known in names.items():
        if field in management:
            management[field] = known[management[field]]
    position = dict(management["eventPosition"])
    altitude = dict(position["altitude"])
    altitude["altitudeConfidence"] = _names("AltitudeConfidence")[altitude["altitudeConfidence"]]
    management["eventPosition"] = {**position, "altitude": altitude}
    return {**values, "denm": {**values["denm"], "management": management}}


def _names(kind: str) -> dict[int, str]:
    """The names of an enumeration, by number."""
    found = next(getattr(module, kind) for module in _MODULES if hasattr(module, kind))
    return {number: name for name, number in found._cont.items()}  # noqa: SLF001 - its only list
