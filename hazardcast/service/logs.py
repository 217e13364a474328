"""Log lines: readable text on a terminal, one JSON object a line otherwise; always to stderr.

Who logs never waits for who reads: lines leave by `service.output`, on a thread of their own.
"""

from __future__ import annotations

import copy
import json
import logging
import sys
import threading
from functools import partial
from types import TracebackType
from typing import Literal

from hazardcast.contract.terminal_text import printable
from hazardcast.service import metrics
from hazardcast.service.output import Output

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_INDENT = "    "
log = logging.getLogger(__name__)


def extras(record: logging.LogRecord) -> dict[str, object]:
    """What the caller passed as `extra=`."""
    return {key: value for key, value in vars(record).items() if key not in _STANDARD}


class TextFormatter(logging.Formatter):
    """`12:00:01 INFO recorder.service: segment closed camera=north duration_s=10.0`.

    Whatever came from outside, nothing in a line steers the terminal or begins a line of its own:
    the lines of a traceback are indented.
    """

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s", datefmt="%H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """The line before any traceback."""
        pairs = "".join(f" {key}={value}" for key, value in extras(record).items())
        return printable(super().formatMessage(record) + pairs)

    def format(self, record: logging.LogRecord) -> str:
        """The line, and below it any traceback."""
        first, *more = super().format(record).splitlines() or [""]
        return "\n".join([first, *(_INDENT + printable(line.expandtabs()) for line in more)])


class JsonFormatter(logging.Formatter):
    """One JSON object: ts, level, logger, message, the extras, and the error if there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """The whole line; ASCII, so that nothing in it can steer a terminal."""
        line = {
            "ts": round(record.created, 3),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **extras(record),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        elif record.exc_text:
            line["error"] = record.exc_text
        return json.dumps(line, default=str)


class LogHandler(logging.Handler):
    """Hands records to the thread that writes them; lines may be lost there, time never is."""

    def __init__(self, formatter: logging.Formatter) -> None:
        super().__init__()
        self.setFormatter(formatter)
        self._output = Output(sys.stderr, lost=self._lost_line, count=metrics.LOG_LINES_LOST.inc)

    def emit(self, record: logging.LogRecord) -> None:
        """Take a record; what it says is settled now, how it looks on the other thread."""
        grave = record.levelno >= logging.ERROR
        self._output.put(partial(self.format, _settled(record)), grave=grave)

    def flush(self) -> None:
        """Wait for the lines to be written, for a second at most."""
        self._output.flush()

    def close(self) -> None:
        """No more lines; those that wait are flushed before, by who can wait for them."""
        self._output.close(timeout_s=0.0)
        super().close()

    def _lost_line(self, count: int) -> str:
        record = log.makeRecord(
            log.name, logging.WARNING, __file__, 0, "log lines lost: nobody read them in time",
            (), None, extra={"count": count},
        )  # fmt: skip
        return self.format(record)


def _settled(record: logging.LogRecord) -> logging.LogRecord:
    """The record without what may change, or hold on to much, until it is written."""
    settled = copy.copy(record)
    try:
        settled.msg = record.getMessage()
    except Exception:  # noqa: BLE001 - a wrong log call must not stop what it tells of
        settled.msg = f"{record.msg} (its arguments do not fit)"
    settled.args = None
    if record.exc_info:
        settled.exc_text = record.exc_text or logging.Formatter().formatException(record.exc_info)
        settled.exc_info = None
    return settled


LogFormat = Literal["auto", "text", "json"]


def configure(level: int | str, log_format: LogFormat) -> None:
    """Send every log record of this process to stderr in the chosen form.

    What Python itself would write there (warnings, the last words of a thread) becomes records too.
    """
    handler = LogHandler(_formatter(log_format))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.captureWarnings(True)
    sys.excepthook = _log_uncaught
    threading.excepthook = _log_thread_death


def last_word(text: str) -> None:
    """Say one line on stderr before the process ends, whether or not anybody reads."""
    for handler in logging.getLogger().handlers:
        handler.flush()
    output = Output(sys.stderr)
    output.put(printable(text))
    output.close()


def _log_uncaught(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    log.critical("the process ends by an error of its own", exc_info=(kind, error, trace))


def _log_thread_death(about: threading.ExceptHookArgs) -> None:
    if about.exc_value is not None and about.exc_type is not SystemExit:
        name = about.thread.name if about.thread else "unknown"
        log.error(
            "a thread ended by an error of its own",
            extra={"thread_name": name},
            exc_info=(about.exc_type, about.exc_value, about.exc_traceback),
        )


def _formatter(log_format: LogFormat) -> logging.Formatter:
    text = log_format == "text" or (log_format == "auto" and sys.stderr.isatty())
    return TextFormatter() if text else JsonFormatter()
