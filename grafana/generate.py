"""Writes grafana/dashboards/*.json: `python grafana/generate.py`. Panels read as a list, JSON does not."""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from panels import (
    GREEN,
    ORANGE,
    RED,
    Panel,
    bars,
    dashboard,
    geomap,
    lines,
    query,
    row,
    stat,
    states,
    steps,
    table,
)  # fmt: skip

HERE = Path(__file__).parent / "dashboards"
CAMERA = 'camera=~"$camera"'
UP = {1.0: ("up", GREEN), 0.0: ("down", RED)}
LATE = steps((None, GREEN), (0.4, ORANGE), (0.5, RED))
ENOUGH = steps((None, RED), (0.99, ORANGE), (0.999, GREEN))
STAGES = {
    "confirm_to_ingest": "1 confirmed → taken in",
    "ingest_to_send": "2 taken in → on the air",
    "send_to_receive_bound": "3 on the air → received (there and back)",
    "receive_to_display": "4 received → shown",
}


def quantile(share: float, histogram: str, by: str = "", window: str = "$__rate_interval") -> str:
    """The estimated quantile of a histogram, by labels."""
    labels = f"le, {by}" if by else "le"
    return f"histogram_quantile({share}, sum by ({labels}) (rate({histogram}[{window}])))"


def overview() -> Panel:
    """The promise, what is in force, and the state of everything."""
    kpi = "hazardcast:alert_latency_seconds"
    return dashboard(
        "hazardcast-overview", "Overview",
        "Is every accident shown in every vehicle within half a second, and is every camera recorded and watched?",
        [
            row("The promise"),
            stat("Latency p50", "Half of the alerts of the last hour were shown within this, measured without vehicle clocks (upper bound).",
                 f'{kpi}:p50_1h{{method="rtt_bound"}}', unit="s", thresholds=LATE),
            stat("Latency p95", "19 of 20 alerts of the last hour were shown within this.",
                 f'{kpi}:p95_1h{{method="rtt_bound"}}', unit="s", thresholds=LATE),
            stat("Latency p99", "The promise: 500 ms.", f'{kpi}:p99_1h{{method="rtt_bound"}}', unit="s", thresholds=LATE),
            stat("Reception", "Share of ticks of which vehicles heard at least one copy, by their receipts. The promise: 99 %.",
                 "hazardcast:reception:ratio_10m", unit="percentunit", thresholds=ENOUGH),
            stat("Alerts in force", "Alerts on the air now.", 'hazardcast_alerts_active{job="alerter"}',
                 thresholds=steps((None, GREEN), (1, RED))),
            stat("Rules that fire", "Alert rules of Prometheus that fire now.",
                 'count(ALERTS{alertstate="firing"}) or vector(0)', thresholds=steps((None, GREEN), (1, RED))),
            lines("Latency of alerts", "Incident confirmed → shown, of the last hour's alerts, against 500 ms.",
                  *(query(f'{kpi}:{name}_1h{{method="rtt_bound"}}', name) for name in ("p50", "p95", "p99")), unit="s", limit=0.5),
            lines("Reception", "By receipts (all vehicles) and as each vehicle-agent counts for itself.",
                  query("hazardcast:reception:ratio_10m", "all, by receipts"),
                  query('sum by (instance) (increase(hazardcast_vehicle_ticks_delivered_total{job="vehicle-agent"}[10m])) / (sum by (instance) (increase(hazardcast_vehicle_ticks_expected_total{job="vehicle-agent"}[10m])) > 0)', "{{instance}}"),
                  unit="percentunit"),
            row("Now"),
            geomap("Alerts in force", "The newest alert of each camera and kind.",
                   "hazardcast_alert_latitude_degrees", "hazardcast_alert_longitude_degrees"),
            table("Alerts in force", "The newest alert of each camera and kind; without a camera it was reported by a person or another system.",
                  query("hazardcast_alert_latitude_degrees", instant=True, table=True),
                  query("hazardcast_alert_longitude_degrees", instant=True, table=True),
                  names={"Value #A": "latitude", "Value #B": "longitude"}, hidden=["instance"]),
            row("Cameras and services"),
            states("Camera wall", "Whether frames of each camera arrive at the recorder.",
                   query(f"max by (camera) (hazardcast_recording_live{{{CAMERA}}})", "{{camera}}"),
                   words={1.0: ("live", GREEN), 0.0: ("no frames", RED)}),
            bars("Age of the newest recorded frame", "Grows without end while a camera is away.",
                 query(f"hazardcast:camera_last_frame_age:seconds{{{CAMERA}}}", "{{camera}}", instant=True), unit="s"),
            states("Services", "Whether each process answers Prometheus.", query("up", "{{job}} {{instance}}"), words=UP),
            states("Broker connections", "Whether each process is connected to the broker.",
                   query("hazardcast_mqtt_connected", "{{job}} {{instance}}"), words=UP),
        ],
    )  # fmt: skip


def alert_path() -> Panel:
    """From a report to the console and back."""
    stage = 'histogram_quantile(0.5, sum by (le) (increase(hazardcast_alert_stage_seconds_bucket{stage="%s"}[$__range])))'
    return dashboard(
        "hazardcast-alert-path", "Alert path",
        "From a confirmed incident to a line on the vehicle's console and back: where time goes, what is lost, what is refused.",
        [
            row("Latency"),
            bars("Where the time goes (median)", "The stages of an alert's way in order; the third is there and back, so it needs no vehicle clock.",
                 *(query(stage % name, text, instant=True) for name, text in STAGES.items()), unit="s"),
            lines("Stages, p95", "The slow end of each stage over the last 10 minutes.",
                  query(quantile(0.95, "hazardcast_alert_stage_seconds_bucket", "stage", "10m"), "{{stage}}"), unit="s"),
            lines("Deadlines", "Alert versions per listening vehicle: shown within 0.5 s, later, or never.",
                  query("sum by (result) (increase(hazardcast_alert_deadline_total[5m]))", "{{result}}"), stacked=True),
            lines("Latency by method", "rtt_bound: at most this, without vehicle clocks; synced: by clocks known to agree (if any).",
                  query(quantile(0.99, 'hazardcast_alert_latency_seconds_bucket{job="alerter"}', "method", "10m"), "p99 {{method}}"),
                  unit="s", limit=0.5),
            row("On the air"),
            lines("Datagrams sent", "By kind; a heartbeat goes out every 10 s.",
                  query("sum by (kind) (rate(hazardcast_datagrams_sent_total[$__rate_interval]))", "{{kind}}"), unit="pps"),
            lines("Datagrams received", "By path, at each vehicle-agent.",
                  query("sum by (instance, kind) (rate(hazardcast_datagrams_received_total[$__rate_interval]))", "{{instance}} {{kind}}"), unit="pps"),
            lines("Datagrams rejected", "Not believed, by reason. Duplicates are the second path at work; signature and key reasons are somebody else.",
                  query("sum by (reason) (rate(hazardcast_datagrams_rejected_total[$__rate_interval]))", "{{reason}}"), unit="pps", stacked=True),
            lines("Ticks", "Transmission groups that vehicles should have heard, and of which they heard a copy.",
                  query('sum(rate(hazardcast_vehicle_ticks_expected_total{job="vehicle-agent"}[$__rate_interval]))', "expected"),
                  query('sum(rate(hazardcast_vehicle_ticks_delivered_total{job="vehicle-agent"}[$__rate_interval]))', "delivered")),
            lines("Tick lateness", "Planned → sent, of each copy.",
                  query(quantile(0.5, "hazardcast_tick_lateness_seconds_bucket", window="5m"), "p50"),
                  query(quantile(0.99, "hazardcast_tick_lateness_seconds_bucket", window="5m"), "p99"), unit="s"),
            lines("Loss and copies", "Loss that the worst vehicle reports, and how many copies each tick carries for it.",
                  query("hazardcast_reported_loss_ratio", "loss"), query("hazardcast_tick_copies", "copies")),
            row("In and back"),
            lines("Incidents taken", "By what they led to.",
                  query("sum by (result) (increase(hazardcast_alerts_ingested_total[5m]))", "{{result}}"), stacked=True),
            lines("Incidents refused", "By reason.",
                  query("sum by (reason) (increase(hazardcast_alerts_rejected_total[5m]))", "{{reason}}"), stacked=True),
            lines("Receipts", "Proofs of reception, by what they say.",
                  query("sum by (result) (increase(hazardcast_receipts_total[5m]))", "{{result}}"), stacked=True),
            lines("Vehicles and link", "Vehicles known to listen, and how long each agent has heard nothing.",
                  query("hazardcast_vehicles_online", "vehicles online"),
                  query("hazardcast_link_age_seconds", "silence at {{instance}} (s)")),
            lines("Vehicle: verification", "Judging one datagram that was believed.",
                  query(quantile(0.5, "hazardcast_verify_duration_seconds_bucket", window="5m"), "p50"),
                  query(quantile(0.99, "hazardcast_verify_duration_seconds_bucket", window="5m"), "p99"), unit="s"),
            lines("Vehicle: clock and speed", "Difference to the station's clock, and the speed that the policy asks for.",
                  query("hazardcast_clock_offset_seconds", "clock offset at {{instance}} (s)"),
                  query("hazardcast_speed_target_mps", "target speed of {{instance}} (m/s)")),
        ],
    )  # fmt: skip


def recording() -> Panel:
    """Segments, gaps, disk and clips."""
    none = f"0 * max by (camera) (hazardcast_recording_live{{{CAMERA}}})"
    grown = "sum by (camera) (increase(%s{" + CAMERA + "}[10m])) or " + none
    return dashboard(
        "hazardcast-recording", "Recording and clips",
        "Is every camera on disk without gaps, does it fit, and is every clip whole?",
        [
            row("Recording"),
            states("Live", "Whether frames arrive.",
                   query(f"max by (camera) (hazardcast_recording_live{{{CAMERA}}})", "{{camera}}"),
                   words={1.0: ("live", GREEN), 0.0: ("no frames", RED)}),
            lines("Age of the newest recorded frame", "A saw-tooth of a few seconds is normal.",
                  query(f"hazardcast:camera_last_frame_age:seconds{{{CAMERA}}}", "{{camera}}"), unit="s", limit=30),
            lines("Written", "Bytes of closed segments a second.",
                  query(f"sum by (camera) (rate(hazardcast_recording_bytes_total{{{CAMERA}}}[1m]))", "{{camera}}"), unit="Bps"),
            lines("Segments", "Closed segments a minute.",
                  query(f"60 * sum by (camera) (rate(hazardcast_recording_segments_total{{{CAMERA}}}[1m]))", "{{camera}}")),
            lines("Gaps", "Stretches without video in ten minutes.", query(grown % "hazardcast_recording_gaps_total", "{{camera}}"), stacked=True),
            lines("Coverage of the last hour", "Share of the hour for which there is video.",
                  query(f"hazardcast:recording_coverage:ratio_1h{{{CAMERA}}} or 1 + {none}", "{{camera}}"), unit="percentunit"),
            lines("Reconnects", "In ten minutes.", query(grown % "hazardcast_recording_reconnects_total", "{{camera}}"), stacked=True),
            lines("Clock of the streams", "Estimated error of stream time against this machine's clock.",
                  query(f"hazardcast_recording_clock_error_seconds{{{CAMERA}}} or {none}", "{{camera}}"), unit="s"),
            row("Disk"),
            stat("Free", "On the volume of recordings and clips.", "min(hazardcast_recording_free_bytes)", unit="bytes",
                 thresholds=steps((None, RED), (2e9, ORANGE), (10e9, GREEN)), width=6),
            stat("Recordings", "All segments on disk.", "sum(hazardcast_recording_retained_bytes)", unit="bytes", width=6),
            stat("Full in", "By the last hour's trend; a year or more is shown as a year.",
                 "clamp(min(hazardcast_recording_free_bytes) / clamp_min(-min(deriv(hazardcast_recording_free_bytes[1h])), 1), 0, 31536000)",
                 unit="s", thresholds=steps((None, RED), (14400, ORANGE), (86400, GREEN)), width=6),
            stat("Segments removed by retention", "In the shown time.", "sum(increase(hazardcast_recording_removed_total[$__range])) or vector(0)", width=6),
            row("Clips"),
            lines("Clips finished", "By how; partial ones name what is missing in their manifest.",
                  query("sum by (result) (increase(hazardcast_clips_total[10m]))", "{{result}}"), stacked=True),
            lines("Jobs", "Clips not there yet (they wait for their last minutes).", query("sum(hazardcast_clips_pending)", "pending")),
            lines("Coverage of clips", "Mean share of the requested window that finished clips have.",
                  query("sum(hazardcast_clip_coverage_ratio_sum) / (sum(hazardcast_clip_coverage_ratio_count) > 0)", "mean"), unit="percentunit"),
            lines("Time to build", "From the last segment needed to the clip with its manifest.",
                  query('histogram_quantile(0.95, sum by (le) (hazardcast_clip_build_seconds_bucket))', "p95 since start"), unit="s"),
            row("Drawn, file and USB cameras"),
            lines("Frames sent", "By the camera service, to all its clients.",
                  query(f"sum by (camera) (rate(hazardcast_camera_frames_sent_total{{{CAMERA}}}[$__rate_interval]))", "{{camera}}"), unit="hertz"),
            lines("Clients", "Who reads each stream: the recorder and a detector.",
                  query(f"sum by (camera) (hazardcast_camera_clients{{{CAMERA}}})", "{{camera}}")),
        ],
    )  # fmt: skip


def detection() -> Panel:
    """Frames, owners and incidents."""

    def rate(metric: str) -> str:
        return f"sum by (camera) (rate({metric}{{{CAMERA}}}[$__rate_interval]))"

    return dashboard(
        "hazardcast-detection", "Detection",
        "Does a live detector analyse every camera in time, and what does it see?",
        [
            row("Frames"),
            lines("Analysed", "Frames a second.", query(rate("hazardcast_frames_processed_total"), "{{camera}}"), unit="hertz"),
            lines("Captured", "Frames a second as the cameras deliver them.", query(rate("hazardcast_frames_captured_total"), "{{camera}}"), unit="hertz"),
            lines("Skipped", "Share of due frames that a newer one overtook.",
                  query(f"hazardcast:frames_dropped:ratio_5m{{{CAMERA}}} or 0 * sum by (camera) (hazardcast_frames_processed_total{{{CAMERA}}})", "{{camera}}"), unit="percentunit", limit=0.2),
            lines("Age of the frame analysed last", "Capture → analysis.",
                  query(f"max by (camera) (hazardcast_frame_lag_seconds{{{CAMERA}}})", "{{camera}}"), unit="s", limit=0.5),
            lines("Inference", "Time the model takes for a frame.",
                  query(quantile(0.5, "hazardcast_inference_seconds_bucket", window="1m"), "p50"),
                  query(quantile(0.95, "hazardcast_inference_seconds_bucket", window="1m"), "p95"), unit="s"),
            lines("Capture → detections published", "Half a second is a bucket edge.",
                  query(quantile(0.5, "hazardcast_frame_latency_seconds_bucket", window="1m"), "p50"),
                  query(quantile(0.95, "hazardcast_frame_latency_seconds_bucket", window="1m"), "p95"), unit="s", limit=0.5),
            row("Who watches what"),
            table("Owners", "The replica that analyses each camera, and at how many frames a second. Two rows for a camera are one too many.",
                  query(f"sum by (camera, instance) (rate(hazardcast_frames_processed_total{{{CAMERA}}}[30s])) > 0", instant=True, table=True),
                  names={"Value": "frames/s", "instance": "replica"}),
            lines("Cameras of each replica", "Shared evenly; a dead replica's cameras move within seconds.",
                  query("hazardcast_cameras_owned", "{{instance}}"), stacked=True),
            row("What it sees"),
            lines("Incidents reported", "By kind, in ten minutes.",
                  query("sum by (kind) (increase(hazardcast_incidents_total[10m])) or label_replace(0 * sum(hazardcast_cameras_owned), \"kind\", \"any\", \"\", \"\")", "{{kind}}"), stacked=True),
            lines("Incidents open", "By camera.",
                  query(f"sum by (camera) (hazardcast_incidents_active{{{CAMERA}}}) or 0 * sum by (camera) (hazardcast_frames_processed_total{{{CAMERA}}})", "{{camera}}"), stacked=True),
            row("Cost"),
            lines("Processor", "Of each process, in cores.",
                  query('sum by (job, instance) (rate(process_cpu_seconds_total{job!="prometheus"}[1m]))', "{{job}} {{instance}}"), stacked=True),
            lines("Memory", "Resident, of each process.",
                  query('sum by (job, instance) (process_resident_memory_bytes{job!="prometheus"})', "{{job}} {{instance}}"), unit="bytes", stacked=True),
        ],
    )  # fmt: skip


DASHBOARDS = {
    "overview": overview,
    "alert-path": alert_path,
    "recording": recording,
    "detection": detection,
}


def render() -> dict[str, str]:
    """File name → text."""
    return {
        f"{name}.json": json.dumps(make(), indent=1, ensure_ascii=False) + "\n"
        for name, make in DASHBOARDS.items()
    }


if __name__ == "__main__":
    HERE.mkdir(exist_ok=True)
    for name, text in render().items():
        (HERE / name).write_text(text, encoding="utf-8")
