"""`hazardcast report`: verdicts from the journal, as people and programs read them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hazardcast_tools.cli.report import report

from tests.hazardcast.contract.test_alarms import alert, decided

CONFIG = "site: {time_zone: Asia/Seoul}\ncameras: {north: {url: x.mp4}}\n"


@pytest.fixture
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "cameras.yaml").write_text(CONFIG)
    monkeypatch.setenv("HAZARDCAST_CONFIG", str(tmp_path / "cameras.yaml"))
    monkeypatch.setenv("HAZARDCAST_DATA_DIR", str(tmp_path))
    folder = tmp_path / "state" / "alerter" / "journal"
    folder.mkdir(parents=True)
    entries = [alert("1-1", 0.95), decided("1-1", "negate"), alert("1-2", 0.6)]
    lines = ['{"version": 1}', *(entry.encode() for entry in entries), '{"torn":']
    (folder / "7-1.jsonl").write_text("\n".join(lines))
    return folder


def test_it_tells_alarms_and_precision(journal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report()

    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == ["2027-01-15", "north", "2", "2", "0", "1", "1"]
    assert lines[-1].split() == ["0.99", "0", "0", "0", "nobody", "has", "judged"]


def test_programs_get_the_same(journal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report(as_json=True)

    told = json.loads(capsys.readouterr().out)
    assert told["journal"] == str(journal)
    assert (told["days"][0]["alarms"], told["days"][0]["false"]) == (2, 1)
    assert told["precision"][0] == {
        "auto_confidence": 0.0, "alarms": 2, "true": 0, "false": 1, "precision": 0.0,
    }  # fmt: skip


@pytest.mark.parametrize("only", [{"camera": "south"}, {"days": 0.0}])
def test_it_may_be_of_one_camera_or_of_the_last_days(
    only: dict[str, str], journal: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("hazardcast.machine.clock.SystemClock.now", lambda _: 1_900_000_000.0)
    report(**only)  # type: ignore[arg-type]

    assert capsys.readouterr().out.startswith("no alarm of a camera")
