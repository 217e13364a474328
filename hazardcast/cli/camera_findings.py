"""What `hazardcast check` finds at the cameras: reachable or not, and why."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from hazardcast import camera_address, ports, site
from hazardcast.cli.findings import Finding, Result, records_here
from hazardcast.errors import HazardcastError
from hazardcast.ffmpeg import find_ffmpeg, rtsp_options
from hazardcast.ffmpeg_reasons import reason_of
from hazardcast.processes import TIMED_OUT, run_captured
from hazardcast.redirect import Redirect
from hazardcast.rtsp_challenge import why_refused
from hazardcast.settings import Settings
from hazardcast.site import Camera, SiteConfig

CAMERA_TIMEOUT_S = 8.0
SILENT = "no picture came within"


def cameras(settings: Settings, config: SiteConfig) -> Iterator[Finding]:
    """Each camera's stream; one frame is read where that needs no camera service."""
    for camera_id, camera in config.chosen(settings.camera_ids).items():
        try:
            yield _camera(settings, camera_id, camera)
        except HazardcastError as error:
            yield Finding(f"camera {camera_id}", "failed", str(error))


def _camera(settings: Settings, camera_id: str, camera: Camera) -> Finding:
    what = f"camera {camera_id}"
    if camera.scheme == "demo":
        return Finding(what, "ok", f"{camera.url}: drawn by the camera service")
    if (camera.device or camera.file) and not records_here(settings):
        return Finding(what, "ok", f"{camera.url}: read by the camera service, not from here")
    if camera.device:
        device = Path(camera.device)
        result: Result = "ok" if device.exists() else "failed"
        return Finding(what, result, f"{device}" + ("" if device.exists() else ": no such device"))
    if camera.file:
        return _file_camera(settings, what, camera.file)
    return _network_camera(settings, what, camera_id, camera)


def _file_camera(settings: Settings, what: str, file: Path) -> Finding:
    try:
        is_folder = stat.S_ISDIR(file.stat().st_mode)
    except FileNotFoundError:
        return Finding(what, "failed", f"{file}: no such file")
    except OSError as error:
        return Finding(what, "failed", f"{file}: {error.strerror}")
    if is_folder:
        return Finding(what, "failed", f"{file}: a folder, not a video file")
    return _first_frame(settings, what, f"file:{file}", str(file), ())


def _network_camera(settings: Settings, what: str, camera_id: str, camera: Camera) -> Finding:
    here = records_here(settings)
    server = settings.camera_server
    url = site.stream_url(camera_id, camera, camera_server=server) if here else camera.url
    host, port = camera_address.host_port(url)
    if not ports.answers(host, port, timeout_s=3.0):
        advice = "look at its power, its cable and its address"
        return Finding(what, "failed", f"unreachable: nothing answers at {host}:{port}", advice)
    if not here:
        return Finding(what, "ok", f"{host}:{port} answers; frames are read where it is recorded")
    if not url.startswith("rtsp"):
        return _live_frame(settings, what, url, ())
    finding = _live_frame(settings, what, url, rtsp_options(camera.rtsp_transport))
    if finding.result == "ok" or camera.rtsp_transport != "auto":
        return finding
    if SILENT in finding.detail:
        by_udp = _live_frame(settings, what, url, rtsp_options("udp"))
        return by_udp if by_udp.result == "ok" else finding
    return finding


def _live_frame(settings: Settings, what: str, url: str, options: tuple[str, ...]) -> Finding:
    with Redirect(url) as way:
        finding = _first_frame(settings, what, way.url, camera_address.shown(url), options)
    if finding.advice and (why := why_refused(url)):
        return replace(finding, detail=f"{camera_address.shown(url)}: {why}")
    return replace(
        finding, detail=camera_address.scrub(finding.detail, camera_address.secrets_of(url))
    )


def _first_frame(
    settings: Settings, what: str, url: str, shown: str, options: tuple[str, ...]
) -> Finding:
    program = find_ffmpeg(settings.ffmpeg)
    command = [program, "-v", "error", "-nostdin", *options, "-i", url, "-map", "0:v:0"]
    code, _, problem = run_captured(
        [*command, "-frames:v", "1", "-f", "null", "-"], timeout_s=CAMERA_TIMEOUT_S
    )
    if code == 0:
        return Finding(what, "ok", f"{shown}: a frame was read")
    if code == TIMED_OUT:
        return Finding(what, "failed", f"{shown}: it answers, but {SILENT} {CAMERA_TIMEOUT_S:g} s")
    lines = problem.strip().splitlines()
    reason = next((found for line in reversed(lines) if (found := reason_of(line))), None)
    words = reason.words if reason else (lines or ["no frame"])[-1].replace(url, shown)[:200]
    advice = "look at the camera's `credentials`"
    is_refused = reason is not None and reason.kind == "unauthorised"
    return Finding(what, "failed", f"{shown}: {words}", advice if is_refused else None)
