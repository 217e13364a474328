"""`check` hears the processes that try cameras, whatever becomes of them."""

from __future__ import annotations

import sys

import pytest
from hazardcast_tools.checks import camera_trials
from hazardcast_tools.checks.camera_trials import DETECTOR, RECORDER, Tried

from hazardcast.contract import trials
from hazardcast.contract.trials import RecordingTrial, Waiting, WatchingTrial
from hazardcast.service import processes

KEPT = RecordingTrial(camera="north", recorded=True, state="live")
WATCHED = WatchingTrial(camera="north", watched=True)


def scripts(monkeypatch: pytest.MonkeyPatch, **lines: str) -> None:
    """Have small scripts stand for the services' modules."""
    named = {"recorder.trial": lines.get("recorder", ""), "detector.trial": lines.get("detector", "")}  # fmt: skip
    monkeypatch.setattr(
        processes, "python_module", lambda module: (sys.executable, "-u", "-c", named[module])
    )


def heard(monkeypatch: pytest.MonkeyPatch, **lines: str) -> tuple[Tried, list[Waiting]]:
    scripts(monkeypatch, **lines)
    waits: list[Waiting] = []
    return camera_trials.run((RECORDER, DETECTOR), ["north"], tell=waits.append), waits


def test_results_are_taken_and_other_lines_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = Waiting(camera="north", detail="waiting for a key frame", for_s=5.0)
    lines = ["libx: hello", "{}", waiting.model_dump_json(), KEPT.model_dump_json()]
    tried, waits = heard(
        monkeypatch,
        recorder=f"print({chr(10).join(lines)!r})",
        detector=f"print({WATCHED.model_dump_json()!r})",
    )

    assert tried.recording == {"north": KEPT}
    assert tried.watching == {"north": WATCHED}
    assert waits == [waiting]


def test_what_a_failed_process_said_last_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    tried, _ = heard(monkeypatch, recorder="raise SystemExit('hazardcast: no ffmpeg')")

    assert tried.recording == {}
    assert tried.problems[RECORDER] == "hazardcast: no ffmpeg"


def test_a_detector_that_finds_no_end_is_asked_for_what_it_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(camera_trials, "DETECTOR_S", 1.0)
    monkeypatch.setattr(camera_trials, "AFTER_RECORDER_S", 0.2)
    blind = WatchingTrial(camera="north", watched=False, detail="OpenCV cannot open it")
    stubborn = (
        "import signal, sys, time\n"
        f"signal.signal(signal.SIGTERM, lambda *_: (print({blind.model_dump_json()!r}), sys.exit()))\n"
        "time.sleep(60)"
    )
    tried, _ = heard(monkeypatch, recorder=f"print({KEPT.model_dump_json()!r})", detector=stubborn)

    assert tried.watching == {"north": blind}


def test_one_that_does_not_even_end_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DETECTOR_S", "AFTER_RECORDER_S", "ENDING_S"):
        monkeypatch.setattr(camera_trials, name, 0.5)
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
    tried, _ = heard(monkeypatch, recorder="", detector=deaf)

    assert tried.watching == {}


@pytest.mark.parametrize("line", ["", "nonsense", "{}", '{"kind": "recording"}', "[1]"])
def test_what_is_no_word_is_none(line: str) -> None:
    assert trials.read(line) is None
