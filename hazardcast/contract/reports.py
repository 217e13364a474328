"""One door for every report, whichever way it came: an accident is told though a part of it is odd.

A report as the contract has it is read at once. Any other is read leniently: what cannot be used is
left out or replaced, and said. Refused is what names no type, has a status that cannot be read, or
is not one JSON object: leniency must not make an accident of what reports none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Container
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from hazardcast.contract import report_repair, report_text, type_words, validation_errors
from hazardcast.contract.errors import DecodeError
from hazardcast.contract.fields import line
from hazardcast.contract.messages import KNOWN_TYPES, MAX_MESSAGE_BYTES, Incident
from hazardcast.contract.report_repair import REPAIRS, STATUSES
from hazardcast.contract.report_warnings import FieldWarning

FIELDS = frozenset(Incident.model_fields)
NOT_HERE = frozenset({"by", "source", "negate"})
_BY_FOLDED_NAME = {name.replace("_", ""): name for name in FIELDS | NOT_HERE}
_WITH_DEFAULT = frozenset({"severity", "test", "clip_hint", "status"})
MOST_WARNINGS = 32
_ROUNDS = 2 * len(FIELDS)

_NULL = "null"
_NOT_HERE = "not accepted here: a person's decision goes by v2x/decision"
_HALF = "lat and lon must be given together"
_NO_FIX = "0,0 is what a receiver without a fix reports"
_NO_CAMERA = "no camera of this site"
_NO_TYPE = "no type that is known here"


@dataclass(frozen=True)
class Reading:
    """A report as it is understood, and what of it could not be used as it was sent."""

    incident: Incident
    warnings: tuple[FieldWarning, ...] = ()


@dataclass(frozen=True)
class Unreadable:
    """A report that is refused as it stands: why, and the field at fault if there is one."""

    problem: DecodeError
    report_id: str | None = None
    warnings: tuple[FieldWarning, ...] = ()


def read(payload: bytes, cameras: Container[str] | None = None) -> Reading | Unreadable:
    """Read a report.

    Args:
        payload: the bytes as they came.
        cameras: the ids of this site's cameras, None where they are not known.
    """
    if len(payload) <= MAX_MESSAGE_BYTES:
        incident = _as_contracted(payload)
        if incident and _has_no_small_print(incident, cameras):
            return Reading(incident)
    return _Lenient(cameras).read(payload)


def _as_contracted(payload: bytes) -> Incident | None:
    """The incident, where nothing in the payload needs a second look."""
    data = report_text.plain(payload)
    if data is None or not data.keys() <= FIELDS:
        return None
    try:
        incident = Incident.model_validate(data)
    except ValidationError:
        return None
    return incident if data["type"] in KNOWN_TYPES else None


def report_id(payload: bytes, given: str | None) -> str:
    """The name by which warnings speak of a report: its own, else a digest of its text."""
    return given or hashlib.sha256(payload).hexdigest()[:16]


def _has_no_small_print(incident: Incident, cameras: Container[str] | None) -> bool:
    known = incident.camera is None or cameras is None or incident.camera in cameras
    return known and not (incident.lat == 0.0 == incident.lon)


class _Lenient:
    """One lenient reading; collects what is to be said of it."""

    def __init__(self, cameras: Container[str] | None) -> None:
        self._cameras = cameras
        self._warnings: list[FieldWarning] = []
        self._mended: set[str] = set()

    def read(self, payload: bytes) -> Reading | Unreadable:
        data: dict[str, Any] = {}
        try:
            if len(payload) > MAX_MESSAGE_BYTES:
                detail = f"payload of {len(payload)} bytes, at most {MAX_MESSAGE_BYTES} accepted"
                raise DecodeError(detail)
            data = self._named(report_text.odd(payload, self._say))
            self._require(data)
            incident = self._understood(data)
        except DecodeError as problem:
            given = report_repair.text(data.get("report_id"))
            return Unreadable(problem, given, self._told())
        return Reading(incident, self._told())

    def _told(self) -> tuple[FieldWarning, ...]:
        return tuple(self._warnings[:MOST_WARNINGS])

    def _say(self, field: str, problem: str, used: Any = None) -> None:
        told = FieldWarning(field=line(field), problem=line(problem, length=200), used=used)
        self._warnings.append(told)

    def _named(self, data: dict[str, Any]) -> dict[str, Any]:
        """The fields under the names of the contract; others are ignored, as everywhere."""
        named = {name: value for name, value in data.items() if name in FIELDS}
        for name, value in data.items():
            folded = _BY_FOLDED_NAME.get(report_text.folded(name))
            if folded in NOT_HERE:
                self._say(name, _NOT_HERE)
            elif folded and name not in FIELDS and value is not None:
                self._name(named, name, folded, value)
        return named

    def _name(self, named: dict[str, Any], name: str, known: str, value: Any) -> None:
        """Take the value of a field that is not spelt as the contract has it."""
        if named.get(known) is None:
            self._say(name, "not spelt so", known)
            named[known] = value
            return
        if known == "test" and report_repair.agreed((named[known], value)) is None:
            self._say(known, report_text.MARKS_DIFFER)
            named[known] = False
            return
        if known == "status" and report_repair.status(named[known]) != report_repair.status(value):
            raise DecodeError("given twice, differently", field=known)
        self._say(name, "stands there twice", known)

    def _require(self, data: dict[str, Any]) -> None:
        """What a report cannot do without, and what must not be guessed."""
        if not isinstance(data.get("type"), str):
            detail = "expected a text such as collision, fire, blockage or rollover"
            raise DecodeError(detail, field="type")
        status = data.get("status")
        if status is None or status in STATUSES:
            return
        readable = report_repair.status(status)
        if readable is None:
            raise DecodeError(f"there are {', '.join(STATUSES)}", field="status")
        self._say("status", "not spelt so", readable)
        data["status"] = readable

    def _understood(self, data: dict[str, Any]) -> Incident:
        self._without_nulls(data)
        if data["type"] not in KNOWN_TYPES and type_words.meaning(data["type"]) is None:
            self._say("type", _NO_TYPE, "unknown")
        incident = self._valid(data)
        if incident.lat == 0.0 == incident.lon:
            self._say("lat", _NO_FIX)
            self._say("lon", _NO_FIX)
        return self._with_camera(incident)

    def _without_nulls(self, data: dict[str, Any]) -> None:
        for name in [name for name, value in data.items() if value is None]:
            if name in _WITH_DEFAULT:
                self._say(name, _NULL)
            del data[name]

    def _valid(self, data: dict[str, Any]) -> Incident:
        """Mend what is at fault until it holds: each field once, then it is left out."""
        for _ in range(_ROUNDS):
            try:
                return Incident.model_validate(data)
            except ValidationError as error:
                faults = error.errors(include_url=False, include_input=False, include_context=False)
            for name, sentence in {
                _field(one): validation_errors.sentence(one) for one in faults
            }.items():
                self._mend(data, name, sentence)
        raise DecodeError("cannot be read")

    def _mend(self, data: dict[str, Any], name: str, sentence: str) -> None:
        if not name:
            self._drop_half_place(data)
            return
        value = data.pop(name, None)
        used = None
        if name in self._mended:
            self._unsay(name)
        else:
            used = REPAIRS.get(name, report_repair.left_out)(value)
        self._mended.add(name)
        self._say(name, sentence, used)
        if used is not None:
            data[name] = used

    def _unsay(self, name: str) -> None:
        self._warnings = [one for one in self._warnings if one.field != name]

    def _drop_half_place(self, data: dict[str, Any]) -> None:
        given, missing = ("lat", "lon") if "lat" in data else ("lon", "lat")
        if all(warning.field != missing for warning in self._warnings):
            self._say(missing, "missing")
        self._say(given, _HALF)
        del data[given]

    def _with_camera(self, incident: Incident) -> Incident:
        camera = incident.camera
        if camera is None or self._cameras is None or camera in self._cameras:
            return incident
        self._unsay("camera")
        self._say("camera", _NO_CAMERA)
        return incident.model_copy(update={"camera": None})


def _field(fault: ErrorDetails) -> str:
    """The field at fault, nothing where it is the whole."""
    return str(fault["loc"][0]) if fault["loc"] else ""
