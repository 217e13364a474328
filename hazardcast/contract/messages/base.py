"""What every message that travels between services has in common."""

from __future__ import annotations

import json
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from hazardcast.contract import validation_errors
from hazardcast.contract.errors import DecodeError

MAX_MESSAGE_BYTES = 65_536
ALIASED = ConfigDict(
    frozen=True,
    extra="ignore",
    allow_inf_nan=False,
    serialize_by_alias=True,
    populate_by_name=True,
)
"""For a message with a field whose name on the wire is no name in Python."""


class Message(BaseModel):
    """A payload on the bus: frozen, finite numbers only, unknown fields ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    @classmethod
    def decode(cls, payload: bytes | str) -> Self:
        """Read a JSON payload.

        Raises:
            DecodeError: too long, not JSON, or a field is wrong; the error names the field.
        """
        if len(payload) > MAX_MESSAGE_BYTES:
            raise DecodeError(
                f"payload of {len(payload)} bytes, at most {MAX_MESSAGE_BYTES} accepted"
            )
        try:
            data = json.loads(payload)
        except (ValueError, RecursionError) as error:
            raise DecodeError(f"not JSON: {error}") from None
        return cls.parse(data)

    @classmethod
    def parse(cls, data: object) -> Self:
        """Read decoded JSON.

        Raises:
            DecodeError: a field is missing or wrong; the error names the field.
        """
        if not isinstance(data, dict):
            raise DecodeError(f"expected a JSON object, got {type(data).__name__}")
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            raise _first_problem(error) from None

    def encode(self) -> str:
        """The JSON text of this message, absent fields left out."""
        return self.model_dump_json(exclude_none=True)


def _first_problem(error: ValidationError) -> DecodeError:
    problem = validation_errors.first(error)
    return DecodeError(
        validation_errors.sentence(problem), field=validation_errors.place(problem) or None
    )
