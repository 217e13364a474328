"""A few real clips through the whole detector: what the measured recall rests on."""

from __future__ import annotations

import pytest
from detector.evaluation import __main__
from detector.evaluation.labels import Clip

from hazardcast.contract.incident_types import IncidentType
from hazardcast.vision.models.opener import model_opener

COLLISIONS = {"1551": 5.4, "1554": 4.7, "1546": 3.9, "1516": 3.1}
MOST_MISSED = 1
"""Of these four; the evaluation over all clips says how well it goes on the whole."""


@pytest.mark.slow
def test_real_collisions_are_told_once_and_for_the_right_moment(assets) -> None:
    opener = model_opener(assets / "models" / "nanodet-plus-m_416.onnx", threads=2)
    results = []
    for name, t_event_s in COLLISIONS.items():
        path = assets / "clips" / "accident" / f"argus_{name}.mp4"
        clip = Clip(path, name, IncidentType.COLLISION, t_event_s, labelled=True)
        results.append(__main__.run_clip(clip, opener, fps=8))

    hits = [(one.hit, COLLISIONS[one.name], one.delay_s) for one in results if one.hit]
    assert len(hits) >= len(results) - MOST_MISSED
    assert all(abs(hit.onset_s - t_event_s) <= 1.2 for hit, t_event_s, _ in hits)
    assert all(delay_s is not None and 0 < delay_s <= 5.0 for *_, delay_s in hits)
    assert all(len(one.found) <= 1 for one in results)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["argus_easy_bridge", "tfl_8_shaftesbury_av_jam", "tfl_3_piccadilly_queue"])  # fmt: skip
def test_real_traffic_raises_no_alarm(assets, name) -> None:
    clip = Clip(assets / "clips" / "normal" / f"{name}.mp4", name, labelled=True)
    opener = model_opener(assets / "models" / "nanodet-plus-m_416.onnx", threads=2)

    assert __main__.run_clip(clip, opener, fps=8).found == ()
