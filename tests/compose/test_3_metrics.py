"""Prometheus sees everything, the KPIs move, every panel has data, every rule is sound."""

from __future__ import annotations

import json
import re
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
JOBS = {
    "camera",
    "recorder",
    "detector",
    "alerter",
    "clipper",
    "console",
    "vehicle-agent",
    "prometheus",
}
CHOICES = {"$camera": ".*", "$__rate_interval": "30s", "$__range": "10m", "$__interval": "15s"}
PANELS = [
    pytest.param(target["expr"], id=f"{path.stem}: {panel['title']} {target['refId']}")
    for path in sorted((ROOT / "grafana" / "dashboards").glob("*.json"))
    for panel in json.loads(path.read_text())["panels"]
    for target in panel.get("targets", [])
]


@pytest.fixture(scope="module")
def stack(six_cameras, within):
    """With one accident that was reported, shown and filmed."""
    enough = "min(hazardcast_recording_segments_total) >= 6"
    within(60, lambda: six_cameras.query(enough), what="video from before the accident")
    ear = six_cameras.hear("v2x/clips/+")
    before = six_cameras.value('hazardcast_alert_deadline_total{result="met"}')
    began = six_cameras.report(type="collision", lat=37.15, lon=127.15, camera="north")
    within(10, lambda: six_cameras.received(since=began), what="[RECV]")
    within(60, lambda: ear.first("v2x/clips/.+", state="ready"), what="a clip")
    six_cameras.before = before
    time.sleep(6)
    return six_cameras


def test_every_target_is_up(stack, within) -> None:
    def all_up() -> bool:
        up = stack.query("up")
        return {one["metric"]["job"] for one in up} == JOBS and all(one["value"][1] == "1" for one in up)  # fmt: skip

    within(30, all_up, what="every target up")


def test_the_kpis_move_with_an_accident(stack, within) -> None:
    met = 'hazardcast_alert_deadline_total{result="met"}'

    within(15, lambda: stack.value(met) > stack.before, what="an alert that met its deadline")

    assert stack.value('hazardcast_alert_latency_seconds_count{job="alerter",method="rtt_bound"}') > 0  # fmt: skip
    assert stack.value('hazardcast_alert_deadline_total{result=~"missed|lost"}') == 0
    assert stack.value('hazardcast_clips_total{result="ready"}') > 0
    assert stack.value("hazardcast_alerts_active{job='alerter'}") > 0


@pytest.mark.parametrize("expression", PANELS)
def test_every_query_of_every_panel_returns_data(stack, within, expression: str) -> None:
    for choice, value in CHOICES.items():
        expression = expression.replace(choice, value)
    assert "$" not in expression

    answer = within(40, lambda: stack.query(expression), what=expression, every_s=1)

    assert not re.search(r"\$\w", json.dumps(answer))


def test_every_rule_is_loaded_and_evaluates(stack, within) -> None:
    def rules() -> list[dict[str, str]]:
        with urllib.request.urlopen(
            f"http://{stack.port('prometheus', 9090)}/api/v1/rules"
        ) as answer:
            groups = json.load(answer)["data"]["groups"]
        return [rule for group in groups for rule in group["rules"]]

    within(30, lambda: {rule["health"] for rule in rules()} == {"ok"}, what="all rules evaluated")
    assert len(rules()) > 30


def test_nothing_fires_while_all_is_well(stack) -> None:
    firing = stack.query('ALERTS{alertstate="firing",alertname!="DiskFillsUp"}')  # it is small here

    assert not [alert["metric"] for alert in firing], stack.retained("v2x/clips/+")


@pytest.mark.parametrize(
    "command",
    ["check config /etc/prometheus/prometheus.yml", "test rules /etc/prometheus/tests/*.yml"],
)
def test_promtool_is_green(command: str) -> None:
    done = subprocess.run(
        ["docker", "run", "--rm", "-v", f"{ROOT}/prometheus:/etc/prometheus:ro", "--entrypoint", "sh",
         "prom/prometheus:v2.53.5", "-c", f"promtool {command}"],
        text=True, capture_output=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
