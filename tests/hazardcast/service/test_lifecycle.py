from __future__ import annotations

import itertools
import logging
import os
import threading

import pytest

from hazardcast.contract.errors import ConfigError
from hazardcast.service.lifecycle import EXIT_BAD_CONFIGURATION, repeat, run_service
from hazardcast.testing import ManualClock


def work_that_stops_after(
    runs: int, stop: threading.Event, starts: list[float], clock: ManualClock
):
    def run_once() -> None:
        starts.append(clock.monotonic())
        if len(starts) == runs:
            stop.set()
        raise RuntimeError("again")

    return run_once


def test_work_is_repeated_through_failures_with_growing_waits(clock: ManualClock) -> None:
    stop, starts = threading.Event(), []  # type: threading.Event, list[float]

    repeat(work_that_stops_after(8, stop, starts, clock), what="work", stop=stop, clock=clock)

    waits = [later - earlier for earlier, later in itertools.pairwise(starts)]
    assert len(starts) == 8
    assert 0.5 <= waits[0] <= 1.0
    assert 15.0 <= waits[-1] <= 30.0


def test_a_run_that_lasted_begins_the_waits_anew(clock: ManualClock) -> None:
    stop, ends = threading.Event(), []  # type: threading.Event, list[float]

    def run_once() -> None:
        clock.advance(100)
        ends.append(clock.monotonic())
        if len(ends) == 5:
            stop.set()

    repeat(run_once, what="work", stop=stop, clock=clock)

    assert all(later - earlier <= 101.0 for earlier, later in itertools.pairwise(ends))


def test_an_expected_failure_is_one_line_and_a_bug_has_its_traceback(
    clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    stop, failures = threading.Event(), [ConfigError("no such interface"), RuntimeError("bug")]

    def run_once() -> None:
        failure = failures.pop(0)
        if not failures:
            stop.set()
        raise failure

    with caplog.at_level(logging.WARNING):
        repeat(run_once, what="listening", stop=stop, clock=clock)

    assert [record.exc_info is not None for record in caplog.records] == [False, True]
    assert "no such interface" in caplog.text


def test_a_wrong_configuration_is_one_line_and_exit_code_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HAZARDCAST_MQTT_PORT", "many")

    with pytest.raises(SystemExit) as ended:
        run_service(lambda settings, stop: None)

    assert ended.value.code == EXIT_BAD_CONFIGURATION
    assert capsys.readouterr().err.startswith("hazardcast: HAZARDCAST_MQTT_PORT: ")


def test_clean_up_that_fails_does_not_hide_the_wrong_setting(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def serve(_settings: object, _stop: threading.Event) -> None:
        try:
            raise ConfigError("HAZARDCAST_MQTT_CA: none.crt: No such file or directory")
        finally:
            os.close(-1)

    with pytest.raises(SystemExit) as ended:
        run_service(serve)

    assert ended.value.code == EXIT_BAD_CONFIGURATION
    assert capsys.readouterr().err.startswith("hazardcast: HAZARDCAST_MQTT_CA: ")


def test_an_error_of_our_own_is_no_wrong_setting() -> None:
    def serve(_settings: object, _stop: threading.Event) -> None:
        raise RuntimeError("a bug") from None

    with pytest.raises(RuntimeError, match="a bug"):
        run_service(serve)
