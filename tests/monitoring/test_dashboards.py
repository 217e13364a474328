"""The dashboards and rules are whole and speak of metrics that there are."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
DASHBOARDS = sorted((ROOT / "grafana" / "dashboards").glob("*.json"))
RULES = [rule for path in sorted((ROOT / "prometheus" / "rules").glob("*.yml")) for group in yaml.safe_load(path.read_text())["groups"] for rule in group["rules"]]  # fmt: skip
ALERTS = [rule for rule in RULES if "alert" in rule]
METRIC = re.compile(r"\bhazardcast_[a-z_]+\b")
SUFFIXES = ("_bucket", "_sum", "_count")


def panels(path: Path) -> list[dict[str, Any]]:
    return [panel for panel in json.loads(path.read_text())["panels"] if panel["type"] != "row"]


def declared() -> set[str]:
    """Every metric name in the code."""
    sources = [
        *(ROOT / "services").rglob("metrics.py"),
        ROOT / "hazardcast" / "service" / "metrics.py",
    ]
    return {name for path in sources for name in METRIC.findall(path.read_text())}


def base(name: str, known: set[str]) -> str:
    for suffix in SUFFIXES:
        if name not in known and name.endswith(suffix):
            return name.removesuffix(suffix)
    return name


def test_the_dashboards_are_what_the_generator_writes() -> None:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "grafana" / "generate.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    assert {path.name: path.read_text() for path in DASHBOARDS} == module.render(), "run: python grafana/generate.py"  # fmt: skip


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_every_panel_says_what_it_shows_and_in_which_unit(path: Path) -> None:
    for panel in panels(path):
        assert panel["title"]
        assert len(panel["description"]) >= 10, panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert panel["targets"]


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_a_dashboard_has_choices_and_marks_for_every_alert(path: Path) -> None:
    content = json.loads(path.read_text())

    assert [variable["name"] for variable in content["templating"]["list"]] == ["datasource", "camera"]  # fmt: skip
    assert any('result="new"' in mark["expr"] for mark in content["annotations"]["list"])
    assert content["description"]


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_no_two_panels_overlap(path: Path) -> None:
    cells: set[tuple[int, int]] = set()
    for panel in json.loads(path.read_text())["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        taken = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}  # fmt: skip
        assert not cells & taken, panel["title"]
        cells |= taken


def test_dashboards_and_rules_ask_only_for_metrics_that_there_are() -> None:
    known = declared()
    asked = {name: path.name for path in DASHBOARDS for panel in panels(path) for target in panel["targets"] for name in METRIC.findall(target["expr"])}  # fmt: skip
    asked |= {name: rule.get("alert") or rule["record"] for rule in RULES for name in METRIC.findall(rule["expr"])}  # fmt: skip

    assert len(asked) > 40
    assert not {name: where for name, where in asked.items() if base(name, known) not in known}


def test_recorded_series_are_recorded() -> None:
    recorded = {rule["record"] for rule in RULES if "record" in rule}
    texts = [*(path.read_text() for path in DASHBOARDS), *(rule["expr"] for rule in ALERTS)]

    assert {name for text in texts for name in re.findall(r"hazardcast:[a-z_0-9:]+", text)} <= recorded  # fmt: skip


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_an_alert_says_how_grave_it_is_and_what_to_do(rule: dict[str, Any]) -> None:
    path, _, anchor = rule["annotations"]["runbook"].partition("#")
    headings = re.findall(r"^#+ (.+)$", (ROOT / path).read_text(), re.MULTILINE)

    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert rule["annotations"]["summary"]
    assert anchor in {re.sub(r"[^a-z0-9 -]", "", text.lower()).replace(" ", "-") for text in headings}  # fmt: skip


def test_every_alert_is_tested() -> None:
    tested = {
        case["alertname"]
        for path in (ROOT / "prometheus" / "tests").glob("*.yml")
        for test in yaml.safe_load(path.read_text())["tests"]
        for case in test.get("alert_rule_test", [])
        if case["exp_alerts"]
    }

    assert tested == {rule["alert"] for rule in ALERTS}


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_every_dashboard_leads_to_the_console(path: Path) -> None:
    links = json.loads(path.read_text())["links"]

    assert [one["url"] for one in links if one["title"] == "Console"] == ["http://localhost:8088/"]
