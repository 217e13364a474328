"""Log lines: readable text on a terminal, one JSON object a line otherwise; always to stderr."""

from __future__ import annotations

import json
import logging
import sys
from typing import Literal

from hazardcast.settings import Settings

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def extras(record: logging.LogRecord) -> dict[str, object]:
    """What the caller passed as `extra=`."""
    return {key: value for key, value in vars(record).items() if key not in _STANDARD}


class TextFormatter(logging.Formatter):
    """`12:00:01 INFO recorder.service: segment closed camera=north duration_s=10.0`."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s", datefmt="%H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """The line before any traceback."""
        pairs = "".join(f" {key}={value}" for key, value in extras(record).items())
        return super().formatMessage(record) + pairs


class JsonFormatter(logging.Formatter):
    """One JSON object: ts, level, logger, message, the extras, and the error if there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """The whole line."""
        line = {
            "ts": round(record.created, 3),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **extras(record),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def configure(settings: Settings) -> None:
    """Send every log record of this process to stderr in the chosen form."""
    handler = logging.StreamHandler()
    handler.setFormatter(_formatter(settings.log_format))
    logging.basicConfig(level=settings.log_level, handlers=[handler], force=True)


def _formatter(log_format: Literal["auto", "text", "json"]) -> logging.Formatter:
    text = log_format == "text" or (log_format == "auto" and sys.stderr.isatty())
    return TextFormatter() if text else JsonFormatter()
