"""The few kinds of panel that the dashboards are made of, as Grafana's JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

Panel = dict[str, Any]
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
GREEN, ORANGE, RED, BLUE = "green", "orange", "red", "blue"
COLUMNS = 24
CONSOLE = "http://localhost:8088/"
"""As Compose publishes it when nothing else is set; a dashboard's file cannot ask."""


def query(
    expression: str, legend: str = "", *, instant: bool = False, table: bool = False
) -> Panel:
    """One PromQL query; `refId` is given when its panel is made."""
    return {
        "datasource": DATASOURCE,
        "expr": expression,
        "legendFormat": legend or "__auto",
        "instant": instant,
        "range": not instant,
        "format": "table" if table else "time_series",
    }


def steps(*pairs: tuple[float | None, str]) -> Panel:
    """Thresholds: from this value on, this colour."""
    return {
        "mode": "absolute",
        "steps": [{"value": value, "color": color} for value, color in pairs],
    }


def panel(
    kind: str, title: str, description: str, targets: Sequence[Panel], *,
    width: int, height: int = 8, unit: str = "short", thresholds: Panel | None = None,
    options: Panel | None = None, custom: Panel | None = None, **more: Any,
) -> Panel:  # fmt: skip
    """A panel of any kind, without its place."""
    defaults: Panel = {"unit": unit, "custom": custom or {}}
    if thresholds:
        defaults |= {"thresholds": thresholds, "color": {"mode": "thresholds"}}
    return {
        "type": kind,
        "title": title,
        "description": description,
        "datasource": DATASOURCE,
        "targets": [{**target, "refId": chr(65 + at)} for at, target in enumerate(targets)],
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": options or {},
        "gridPos": {"w": width, "h": height},
        **more,
    }


def stat(title: str, description: str, expression: str, *, unit: str = "short",
         thresholds: Panel | None = None, width: int = 4, mappings: Iterable[Panel] = ()) -> Panel:  # fmt: skip
    """One number and its recent course."""
    made = panel(
        "stat", title, description, [query(expression)], width=width, height=4, unit=unit,
        thresholds=thresholds or steps((None, BLUE)),
        options={"colorMode": "value", "graphMode": "area", "reduceOptions": {"calcs": ["lastNotNull"]}},
    )  # fmt: skip
    made["fieldConfig"]["defaults"]["mappings"] = list(mappings)
    return made


def lines(title: str, description: str, *targets: Panel, unit: str = "short", width: int = 12,
          limit: float | None = None, stacked: bool = False) -> Panel:  # fmt: skip
    """Courses over time, with a dashed line at `limit`."""
    custom: Panel = {"lineWidth": 1, "fillOpacity": 10, "showPoints": "never"}
    if stacked:
        custom["stacking"] = {"mode": "normal", "group": "A"}
    if limit is not None:
        custom["thresholdsStyle"] = {"mode": "dashed"}
    made = panel(
        "timeseries", title, description, targets, width=width, unit=unit, custom=custom,
        options={"legend": {"displayMode": "table", "placement": "bottom", "calcs": ["lastNotNull", "max"]},
                 "tooltip": {"mode": "multi", "sort": "desc"}},
    )  # fmt: skip
    if limit is not None:
        made["fieldConfig"]["defaults"]["thresholds"] = steps((None, GREEN), (limit, RED))
    return made


def states(title: str, description: str, target: Panel, *, words: dict[float, tuple[str, str]],
           width: int = 12) -> Panel:  # fmt: skip
    """What state each thing was in, over time; value → (word, colour)."""
    made = panel(
        "state-timeline", title, description, [target], width=width,
        options={"mergeValues": True, "showValue": "never", "rowHeight": 0.9,
                 "legend": {"displayMode": "list", "placement": "bottom"}},
        custom={"lineWidth": 0, "fillOpacity": 80},
    )  # fmt: skip
    made["fieldConfig"]["defaults"]["mappings"] = [mapping(words)]
    return made


def mapping(words: dict[float, tuple[str, str]]) -> Panel:
    """Values shown as words."""
    return {
        "type": "value",
        "options": {f"{value:g}": {"text": text, "color": color} for value, (text, color) in words.items()},
    }  # fmt: skip


def bars(title: str, description: str, *targets: Panel, unit: str, width: int = 12) -> Panel:
    """Horizontal bars of the present values, in the order of the queries."""
    return panel(
        "bargauge", title, description, targets, width=width, unit=unit, thresholds=steps((None, BLUE)),
        options={"orientation": "horizontal", "displayMode": "gradient", "valueMode": "color",
                 "reduceOptions": {"calcs": ["lastNotNull"]}},
    )  # fmt: skip


def table(title: str, description: str, *targets: Panel, width: int = 12, unit: str = "short",
          names: dict[str, str] | None = None, hidden: Iterable[str] = ()) -> Panel:  # fmt: skip
    """Rows joined on their labels; `names` renames columns."""
    drop = dict.fromkeys(["Time", "__name__", "job", *hidden], True)
    organize = {"excludeByName": drop, "renameByName": names or {}, "indexByName": {}}
    return panel(
        "table", title, description, targets, width=width, unit=unit,
        transformations=[{"id": "merge", "options": {}}, {"id": "organize", "options": organize}],
    )  # fmt: skip


def geomap(
    title: str, description: str, latitude: str, longitude: str, *, width: int = 12
) -> Panel:
    """Markers at two queries' values, on OpenStreetMap tiles."""
    layer = {
        "type": "markers",
        "name": "alerts",
        "location": {"mode": "coords", "latitude": "Value #A", "longitude": "Value #B"},
        "config": {"style": {"color": {"fixed": RED}, "size": {"fixed": 12}, "opacity": 0.8}},
        "tooltip": True,
    }
    return panel(
        "geomap", title, description,
        [query(latitude, instant=True, table=True), query(longitude, instant=True, table=True)],
        width=width, height=12,
        options={"basemap": {"type": "default"}, "layers": [layer], "view": {"id": "fit", "allLayers": True},
                 "controls": {"showZoom": True, "showAttribution": True}},
        transformations=[{"id": "merge", "options": {}}],
    )  # fmt: skip


def row(title: str) -> Panel:
    """A heading across the page."""
    return {
        "type": "row",
        "title": title,
        "collapsed": False,
        "panels": [],
        "gridPos": {"w": COLUMNS, "h": 1},
    }


def placed(panels: Sequence[Panel]) -> list[Panel]:
    """The panels from left to right, row by row, numbered."""
    x = y = tallest = 0
    result = []
    for number, each in enumerate(panels, 1):
        width, height = each["gridPos"]["w"], each["gridPos"]["h"]
        if x + width > COLUMNS:
            x, y, tallest = 0, y + tallest, 0
        result.append({**each, "id": number, "gridPos": {"x": x, "y": y, "w": width, "h": height}})
        x, tallest = x + width, max(tallest, height)
    return result


def variable(name: str, label: str, expression: str) -> Panel:
    """A choice of label values, all by default."""
    return {
        "name": name, "label": label, "type": "query", "datasource": DATASOURCE,
        "query": {"query": expression, "refId": name}, "definition": expression, "refresh": 2,
        "multi": True, "includeAll": True, "allValue": ".*", "current": {"text": "All", "value": "$__all"},
        "sort": 1,
    }  # fmt: skip


def annotation(name: str, expression: str, text: str, color: str) -> Panel:
    """Marks on every course, where a query has a value."""
    return {
        "name": name, "datasource": DATASOURCE, "enable": True, "iconColor": color, "expr": expression,
        "titleFormat": name, "textFormat": text, "step": "5s", "useValueForTime": False,
    }  # fmt: skip


def dashboard(uid: str, title: str, description: str, panels: Sequence[Panel]) -> Panel:
    """A whole dashboard with the choices and marks that all share."""
    datasource = {
        "name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus",
        "current": {"text": "Prometheus", "value": "prometheus"}, "hide": 0,
    }  # fmt: skip
    return {
        "uid": uid,
        "title": title,
        "description": description,
        "tags": ["hazardcast"],
        "timezone": "browser",
        "schemaVersion": 39,
        "version": 1,
        "editable": False,
        "refresh": "5s",
        "graphTooltip": 1,
        "time": {"from": "now-30m", "to": "now"},
        "templating": {
            "list": [
                datasource,
                variable("camera", "Camera", "label_values(hazardcast_recording_live, camera)"),
            ]
        },
        "annotations": {
            "list": [
                annotation("Alert broadcast", 'increase(hazardcast_alerts_ingested_total{result="new"}[15s]) > 0', "a new alert", RED),
                annotation("Alert ended", 'increase(hazardcast_alerts_ingested_total{result="cancel"}[15s]) > 0', "an alert was cancelled", GREEN),
                annotation("Rule fires", 'ALERTS{alertstate="firing"}', "{{alertname}} {{camera}} {{job}}", ORANGE),
            ]
        },
        "links": [
            {"type": "dashboards", "tags": ["hazardcast"], "asDropdown": False, "title": "Hazardcast", "includeVars": True, "keepTime": True},
            {"type": "link", "icon": "external link", "title": "Console", "url": CONSOLE, "tooltip": "See it live, and decide", "targetBlank": True},
        ],
        "panels": placed(panels),
    }  # fmt: skip
