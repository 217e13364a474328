from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys

import pytest

from hazardcast.service.logs import JsonFormatter, TextFormatter

FORGED = "a\n12:00:00 INFO alerter.alerter: alert: cancel\x1b[2J\x1b]0;owned\x07\u202egnp\ud800"


def record(message: str, *args: object, **extra: object) -> logging.LogRecord:
    return logging.getLogger("x").makeRecord(
        "x", logging.WARNING, __file__, 1, message, args, None, extra=extra
    )


def with_error(error: Exception) -> logging.LogRecord:
    one = record("it failed")
    try:
        raise error
    except type(error):
        one.exc_info = sys.exc_info()
    return one


@pytest.mark.parametrize(
    "one",
    [record(FORGED), record("refused: %s", FORGED), record("refused", file=FORGED), with_error(ValueError(FORGED))],
    ids=["message", "argument", "extra", "exception"],
)  # fmt: skip
@pytest.mark.parametrize("formatter", [TextFormatter(), JsonFormatter()])
def test_outside_text_neither_steers_a_terminal_nor_makes_lines_of_its_own(
    formatter: logging.Formatter, one: logging.LogRecord
) -> None:
    text = formatter.format(one)

    first, *more = text.split("\n")
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert all(line.startswith("    ") for line in more), "what follows cannot pass for a line"
    assert "WARNING" in first
    text.encode("utf-8")


def test_text_of_any_language_stays_readable() -> None:
    assert (
        TextFormatter()
        .format(record("사고 at %s", "교차로", road="구간 A"))
        .endswith("WARNING x: 사고 at 교차로 road=구간 A")
    )


def test_a_json_line_tells_error_and_extras() -> None:
    line = json.loads(JsonFormatter().format(with_error(ValueError("no"))))

    assert (line["level"], line["message"]) == ("WARNING", "it failed")
    assert line["error"].endswith("ValueError: no")


SERVICE = """
import logging, sys, threading
from hazardcast.service import metrics
from hazardcast.service.lifecycle import run_service
from hazardcast.contract.errors import ConfigError
log = logging.getLogger("service")
def serve(settings, stop):
{body}
run_service(serve)
"""


def run(body: str, **environment: str) -> subprocess.Popen[bytes]:
    """A service process of its own; its stdout and stderr are pipes that nobody reads."""
    source = SERVICE.format(body="\n".join(f"    {line}" for line in body.splitlines()))
    return subprocess.Popen(
        [sys.executable, "-c", source],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, **environment},
    )  # fmt: skip


def test_an_unread_log_holds_up_nobody_and_says_later_what_is_lost() -> None:
    body = """
for number in range(5000):
    log.warning("refused %d: %s", number, "x" * 100)
log.error("grave")
lost = metrics.LOG_LINES_LOST._value.get()
print("went on", lost > 1000, flush=True)
stop.wait(30)
"""
    service = run(body)
    assert service.stdout
    assert service.stderr

    assert service.stdout.readline() == b"went on True\n", "while nobody read its log"

    service.send_signal(signal.SIGTERM)
    told = service.stderr.read().decode().splitlines()
    assert service.wait(5) == 0
    lines = [json.loads(line) for line in told]
    lost = [line["count"] for line in lines if "log lines lost" in line["message"]]
    assert sum(lost) + len(lines) - len(lost) == 5001, "every line is told or counted"
    assert lines[-1]["message"] == "grave"


def test_sigterm_ends_a_service_though_nobody_reads_its_log() -> None:
    service = run(
        "for _ in range(5000): log.error('x' * 100)\nprint('up', flush=True)\nstop.wait(30)"
    )
    assert service.stdout
    assert service.stderr
    assert service.stdout.readline() == b"up\n"

    service.send_signal(signal.SIGTERM)

    assert service.wait(4) == 0


def test_a_closed_stderr_costs_lines_only() -> None:
    service = run("stop.wait(0.3)\nlog.error('x')\nprint('went on', flush=True)")
    assert service.stdout
    assert service.stderr
    service.stderr.close()

    assert service.stdout.readline() == b"went on\n"
    assert service.wait(5) == 0


def test_an_error_of_a_thread_is_a_line_of_the_log() -> None:
    service = run(
        "t = threading.Thread(target=lambda: 1 / 0, name='worker')\nt.start()\nt.join()",
        HAZARDCAST_LOG_FORMAT="json",
    )
    _, err = service.communicate(timeout=10)

    (line,) = [json.loads(text) for text in err.decode().splitlines()]
    assert line["thread_name"] == "worker"
    assert line["error"].endswith("ZeroDivisionError: division by zero")


def test_a_stderr_that_cannot_show_a_letter_gets_it_spelt_out() -> None:
    service = run(
        "log.warning('사고 \\udc80')", HAZARDCAST_LOG_FORMAT="text", PYTHONIOENCODING="ascii:strict"
    )
    _, err = service.communicate(timeout=10)

    assert b"\\uc0ac\\uace0 \\ufffd" in err


def test_a_wrong_setting_ends_with_code_2_and_one_line() -> None:
    service = run("raise ConfigError('HAZARDCAST_X: \\x1b[2J is wrong')")
    _, err = service.communicate(timeout=10)

    assert service.returncode == 2
    assert err.decode() == "hazardcast: HAZARDCAST_X: �[2J is wrong\n"
