"""What a trial tells of a camera that the detector cannot look at."""

from __future__ import annotations

import pytest
from detector import trial

from hazardcast.config import site
from hazardcast.config.settings import Settings
from hazardcast.contract.vocabulary import CameraState
from hazardcast.testing import ManualClock

FIELDS = "half-pictures (interlaced), which this OpenCV cannot convert"


class Unseen:
    """Frames of a camera of which none can be looked at."""

    state = CameraState.UNUSABLE
    trouble: str | None = None

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def start(self) -> None:
        pass

    def take(self, _timeout_s: float) -> None:
        return None


@pytest.mark.parametrize(("trouble", "told"), [(FIELDS, FIELDS), (None, "unusable")])
def test_it_says_why_a_picture_cannot_be_looked_at(
    monkeypatch: pytest.MonkeyPatch, trouble: str | None, told: str
) -> None:
    monkeypatch.setattr(trial, "LiveFrames", Unseen)
    monkeypatch.setattr(Unseen, "trouble", trouble)
    camera = site.parse({"cameras": {"a": {"url": "rtsp://10.0.0.1/x"}}}, source="t").cameras["a"]

    result = trial.CameraTrial("a", camera, Settings(), ManualClock()).look(last=True)

    assert result is not None
    assert (result.watched, result.detail) == (False, told)
