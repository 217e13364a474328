"""What the fake console tells: cameras, alerts, clips and the rest, all invented."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

NAMES = ["Harbour Road junction", "Mill Street bridge", "North ring, exit 4", "Station square",
         "Tunnel portal east", "River crossing", "School lane", "Market gate", "Depot yard"]  # fmt: skip
LAT, LON = 37.12345, 127.12345


@dataclass
class Invented:
    """A small world as the contract tells it."""

    now: float
    count: int
    name: str | None = "kim"
    role: str = "operator"
    may_decide: bool = True
    refuse: bool = False
    broker: bool = True
    first_by: str = ""
    zone: str = "Asia/Seoul"
    map: str | None = None
    seq: int = 0
    events: list[dict[str, Any]] = field(default_factory=list)
    decisions: list[dict[str, Any]] = field(default_factory=list)
    raised: list[dict[str, Any]] = field(default_factory=list)
    drop: bool = False
    accounts: dict[str, dict[str, Any]] = field(default_factory=dict)
    tokens: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.cameras = [self._camera(n) for n in range(self.count)]
        self.alerts: dict[str, dict[str, Any]] = {}
        self.clips: dict[str, dict[str, Any]] = {}
        self.waiting: list[dict[str, Any]] = []
        for name, role in (("admin", "admin"), ("kim", "operator"), ("lobby", "kiosk")):
            self.account(
                name, {"role": role, "cameras": ["camera-1"] if role == "kiosk" else None}, self.now
            )
        self._yesterday()

    def account(self, name: str, told: dict[str, Any], now: float) -> None:
        """Give or change one."""
        self.accounts[name] = {"name": name, "role": told["role"], "cameras": told["cameras"],
                               "disabled": told.get("disabled", False), "changed_at": now}  # fmt: skip

    def _camera(self, n: int) -> dict[str, Any]:
        return {
            "id": f"camera-{n + 1}", "name": NAMES[n % len(NAMES)], "lat": LAT + 0.0011 * (n % 3),
            "lon": LON + 0.0016 * (n // 3) + 0.0004 * (n % 3), "heading_deg": (40 + 75 * n) % 360,
            "policy": {"mode": "auto"}, "state": "live", "detail": None, "last_frame_at": self.now,
            "playlist": f"api/live-monitoring/hls/camera-{n + 1}/live.m3u8", "codec": "avc1.42c01e",
            "width": 640, "height": 360,
        }  # fmt: skip

    def _yesterday(self) -> None:
        kinds = ["collision", "blockage", "fire", "collision", "rollover", "blockage"]
        severities = ["high", "medium", "critical", "low", "high", "medium"]
        ends = ["confirmed", "false_alarm", "confirmed", "expired", "cleared", "false_alarm"]
        for n, (kind, severity, end) in enumerate(zip(kinds, severities, ends, strict=True)):
            at = self.now - 3600 * (n + 1) * 2.3
            camera = self.cameras[n % self.count]["id"]
            alert = self.raise_alert(at, camera=camera, type=kind, severity=severity)
            alert.update(status="cancel", disposition=end, decided_by="lee" if n % 2 else "kim",
                         revision=2, updated_at=at + 240, reason="shadow" if end == "false_alarm" else "cleared")  # fmt: skip
            self.event(at, kind="alert", event_id=alert["event_id"], camera=camera, type=kind,
                       severity=severity, status="new", level="danger", revision=0)  # fmt: skip
            self.decisions.append(
                self._decision(at + 90, alert, "confirm" if end == "confirmed" else "negate")
            )
            self._clip(alert, at, n)

    def _clip(self, alert: dict[str, Any], at: float, n: int) -> None:
        window = {"start": at - 300, "end": at + 300}
        partial = n == 2
        self.clips[alert["event_id"]] = {
            "id": alert["event_id"], "event_id": alert["event_id"], "camera": alert["camera"],
            "state": "partial" if partial else "ready", "type": alert["type"], "severity": alert["severity"],
            "requested": window, "delivered": window, "coverage": 0.93 if partial else 1.0,
            "gaps": [{"start": at - 60, "end": at - 18, "cause": "camera_down"}] if partial else [],
            "size_bytes": 48_200_000 + n * 3_100_000, "held": n == 0,
            "signature": "broken" if n == 1 else "valid", "first_frame_at": at - 300, "updated_at": at + 320,
        }  # fmt: skip

    def camera(self, key: str) -> dict[str, Any]:
        """One camera."""
        return next(one for one in self.cameras if one["id"] == key)

    def event(self, ts: float, **told: Any) -> dict[str, Any]:
        """Write an event."""
        self.seq += 1
        event = {
            "seq": self.seq, "ts": ts, "site": "site-1", "source": "alerter", "category": "safety",
            "level": "info", "camera": None, "event_id": None, "revision": None, "type": None,
            "severity": None, "status": None, "confidence": None, "lat": None, "lon": None,
            "summary": "", "body": {}, **told,
        }  # fmt: skip
        self.events.insert(0, event)
        return event

    def events_after(self, seq: int) -> list[dict[str, Any]]:
        """What was missed, oldest first."""
        return [one for one in reversed(self.events) if one["seq"] > seq]

    def raise_alert(self, at: float, **told: Any) -> dict[str, Any]:
        """A new alert; `told` over what is usual."""
        key = f"4097-{len(self.alerts) + 1}"
        camera = told.get("camera", self.cameras[0]["id"])
        place = (
            self.camera(camera)
            if any(one["id"] == camera for one in self.cameras)
            else {"lat": LAT, "lon": LON}
        )
        self.alerts[key] = {
            "event_id": key, "revision": 0, "camera": camera, "type": "collision", "severity": "high",
            "status": "new", "confidence": 0.92, "detected_at": at, "detection_time": at, "updated_at": at,
            "reference_time": at, "lat": place["lat"] + 0.0002, "lon": place["lon"] + 0.0002,
            "seen_by": [camera], "disposition": "unconfirmed", "decided_by": None, "reason": None,
            "note": None, "clips": [], "evidence": True, "vehicles_reached": 3,
            "awareness_distance_m": 500, **told,
        }  # fmt: skip
        return self.alerts[key]

    def _decision(self, ts: float, alert: dict[str, Any], action: str) -> dict[str, Any]:
        return {"seq": len(self.decisions) + 1, "ts": ts, "by": "lee", "action": action,
                "event_id": alert["event_id"], "revision": alert["revision"],
                "reason": "shadow" if action == "negate" else "", "result": "done",
                "note": "low sun on the wet road" if action == "negate" else ""}  # fmt: skip

    def decide(self, key: str, told: dict[str, str], tag: str, now: float) -> dict[str, Any]:
        """A person's word."""
        alert = self.alerts[key]
        self.decisions.insert(
            0,
            {
                **self._decision(now, alert, told["action"]),
                **told,
                "if_match": tag,
                "by": self.name,
            },
        )
        words = {"confirm": "confirmed", "clear": "cleared", "negate": "false_alarm"}
        status = {"confirm": "update", "clear": "cancel", "negate": "negate"}[told["action"]]
        alert.update(status=status, disposition=words[told["action"]], decided_by=self.name,
                     revision=alert["revision"] + 1, updated_at=now, reason=told["reason"], note=told["note"])  # fmt: skip
        return alert

    def answer(self, name: str, query: dict[str, str], now: float) -> Any:
        """What a list answers; None: not to this one."""
        if name == "session":
            return None if self.refuse and not self.name else self._session(now)
        if name == "map.geojson":
            return {"type": "FeatureCollection", "features": self._ground()}
        if name == "cameras":
            return [
                {**one, "last_frame_at": now if one["state"] == "live" else one["last_frame_at"]}
                for one in self.cameras
            ]
        if name == "alerts":
            alerts = sorted(self.alerts.values(), key=lambda one: -one["detected_at"])
            only_open = query.get("state") == "open"
            return {
                "alerts": [
                    one for one in alerts if not only_open or one["status"] in ("new", "update")
                ],
                "next": None,
            }
        if name == "events":
            wanted = [
                one
                for one in self.events
                if query.get("q", "") in (one["event_id"] or "")
                and query.get("kind", "") in one["kind"]
            ]
            return {"events": wanted[: int(query.get("limit", 50))], "next": None}
        return {
            "pending": {"pending": self.waiting}, "clips": {"clips": list(self.clips.values()), "next": None},
            "journal": {"entries": self.decisions, "next": None}, "report": self._report(), "health": self._health(now),
        }[name]  # fmt: skip

    def one(self, kind: str, key: str) -> dict[str, Any] | None:
        """One alert or clip."""
        return {"alerts": self.alerts, "clips": self.clips}.get(kind, {}).get(key)

    def _session(self, now: float) -> dict[str, Any]:
        return {"name": self.name, "role": self.role if self.name else "viewer", "cameras": None, "free_view": True,
                "may_decide": bool(self.name) and self.may_decide,
                "may_administer": bool(self.name) and self.role == "admin", "may_export": self.role != "kiosk", "languages": ["en", "ko"], "version": "0.1.0", "map": self.map,
                "site": {"id": "site-1", "name": "Harbour district", "time_zone": self.zone}, "now": now}  # fmt: skip

    def _ground(self) -> list[dict[str, Any]]:
        """A street by the first camera, and a place on it."""
        lon, lat = self.cameras[0]["lon"], self.cameras[0]["lat"]
        street = {"type": "LineString", "coordinates": [[lon - 0.002, lat], [lon + 0.002, lat]]}
        shapes = [street, {"type": "Point", "coordinates": [lon, lat]}]
        return [{"type": "Feature", "properties": {}, "geometry": shape} for shape in shapes]

    def timeline(self, day: float, began: float, now: float) -> dict[str, Any]:
        """A day with two gaps; what was drawn since the start plays."""
        end = min(day + 86_400, now)
        holes = [
            (day + 20_000, day + 21_900, "camera_down"),
            (day + 48_000, day + 48_400, "recorder_stopped"),
        ]
        holes = [hole for hole in holes if hole[1] < end]
        segments, at = [], day
        for start, stop, _ in holes:
            segments.append([at, start])
            at = stop
        segments.append([at, end])
        incidents = [{"event_id": one["event_id"], "ts": one["detected_at"], "type": one["type"], "severity": one["severity"]}
                     for one in self.alerts.values() if day <= one["detected_at"] < day + 86_400]  # fmt: skip
        return {
            "segments": segments,
            "gaps": [list(hole) for hole in holes],
            "incidents": incidents,
        }

    def archives(self, day: float) -> list[dict[str, Any]]:
        """Two of a day, the newer one still growing."""
        return [{"name": f"archive_20261128_00{n}000.mp4", "start": day + n * 600, "end": day + n * 600 + 599.5,
                 "duration_s": 599.5, "segments": 60, "complete": not n} for n in (1, 0)]  # fmt: skip

    def analyses(self, camera: str, day: float) -> list[dict[str, Any]]:
        """One window of which two providers speak, one of them in words of its own."""
        return [{
            "camera": camera, "start": day, "end": day + 600, "safety_score": 55.0, "incident_count": 2,
            "providers": ["analyst", "detections"],
            "analysis_result": {"analyst": {"text": "<b>A lorry</b> stops on the lane."},
                                "detections": {"classes": {"car": {"tracks": 41}, "bus": {"tracks": 2}}}},
        }]  # fmt: skip

    def stats(self, camera: str, start: float, end: float, bucket: float) -> dict[str, Any]:
        """A day's tide of traffic."""
        buckets = []
        for n in range(int((end - start) / bucket)):
            at = start + n * bucket
            hour = (at + 9 * 3600) % 86_400 / 3600
            tide = math.exp(-((hour - 8.5) ** 2) / 5) + math.exp(-((hour - 18) ** 2) / 7) + 0.12
            cars = round(tide * bucket / 12 * (1 + 0.1 * math.sin(n * 1.7)))
            buckets.append({
                "start": at, "counts": {"car": cars, "truck": cars // 7, "bus": cars // 19, "motorcycle": cars // 26, "person": cars // 9},
                "speed_p50_mps": 11.5 - 3 * tide + 0.4 * math.sin(n), "speed_p85_mps": 14 - 3 * tide + 0.5 * math.sin(n * 1.3),
                "incidents": int(n % 61 == 60), "coverage": 0.998,
            })  # fmt: skip
        return {"camera": camera, "from": start, "to": end, "bucket_s": bucket, "buckets": buckets}

    def _report(self) -> dict[str, Any]:
        rows = [{"camera": one["id"], "day": "2026-11-27", "alarms": 6 - n % 3, "true": 4 - n % 3, "false": 1, "unknown": 1}
                for n, one in enumerate(self.cameras[:4])]  # fmt: skip
        precision = [
            {"auto_confidence": c, "alarms": a, "precision": p}
            for c, a, p in ((0.5, 21, 0.71), (0.7, 16, 0.81), (0.9, 9, 0.89))
        ]
        return {"rows": rows, "precision": precision}

    def _health(self, now: float) -> dict[str, Any]:
        services = ["alerter", "camera", "clipper", "detector", "recorder"]
        words = [
            {
                "service": one,
                "instance": "main",
                "state": "online",
                "version": "0.1.0",
                "ts": now - 3,
                "at": now - 3,
            }
            for one in services
        ]
        words.append(
            {
                "service": "vehicle-agent",
                "instance": "bus-7",
                "state": "stopped",
                "version": "0.1.0",
                "ts": now - 900,
                "at": now - 900,
            }
        )
        return {
            "figures_url": "http://localhost:3000/",
            "services": words, "cameras": [{**one, "at": now - 2, "last_frame_at": now} for one in self.cameras],
            "broker": {"connected": self.broker, "since": now - 86_000, "at": now},
            "disk": [{"name": "recordings", "free_bytes": 312e9, "total_bytes": 500e9, "at": now - 5},
                     {"name": "clips", "free_bytes": 3.1e9, "total_bytes": 50e9, "at": now - 5}],
            "clocks": [{"name": "alerter", "offset_s": 0.0012, "at": now - 4}, {"name": "bus-7", "offset_s": 0.71, "at": now - 70}],
        }  # fmt: skip
