"""What `hazardcast check` finds at the cameras: reachable or not, and why."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from hazardcast import ports, site
from hazardcast.cli.findings import Finding, Result
from hazardcast.errors import HazardcastError
from hazardcast.ffmpeg import find_ffmpeg
from hazardcast.processes import run_captured
from hazardcast.settings import Settings
from hazardcast.site import Camera, SiteConfig

CAMERA_TIMEOUT_S = 8.0
DEFAULT_PORTS = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}


def cameras(settings: Settings, config: SiteConfig) -> Iterator[Finding]:
    """Each camera's stream; one frame is read where that needs no camera service."""
    for camera_id, camera in config.chosen(settings.camera_ids).items():
        try:
            yield _camera(settings, camera_id, camera)
        except HazardcastError as error:
            yield Finding(f"camera {camera_id}", "failed", str(error))


def _camera(settings: Settings, camera_id: str, camera: Camera) -> Finding:
    what, scheme = f"camera {camera_id}", urlsplit(camera.url).scheme
    if scheme == "demo":
        return Finding(what, "ok", f"{camera.url}: drawn by the camera service")
    if scheme == "v4l2":
        device = Path(urlsplit(camera.url).path)
        result: Result = "ok" if device.exists() else "failed"
        return Finding(what, result, f"{device}" + ("" if device.exists() else ": no such device"))
    if camera.file:
        return _file_camera(settings, what, camera.file)
    return _network_camera(settings, what, camera_id, camera)


def _file_camera(settings: Settings, what: str, file: Path) -> Finding:
    if not file.exists():
        return Finding(what, "failed", f"{file}: no such file")
    return _first_frame(settings, what, str(file), str(file), ())


def _network_camera(settings: Settings, what: str, camera_id: str, camera: Camera) -> Finding:
    url = site.stream_url(camera_id, camera, camera_server=settings.camera_server)
    parts = urlsplit(camera.url)
    host, port = parts.hostname or "", parts.port or DEFAULT_PORTS[parts.scheme]
    if not ports.answers(host, port, timeout_s=3.0):
        advice = "look at its power, its cable and its address"
        return Finding(what, "failed", f"unreachable: nothing answers at {host}:{port}", advice)
    is_rtsp = parts.scheme.startswith("rtsp")
    options = ("-rtsp_transport", camera.rtsp_transport) if is_rtsp else ()
    return _first_frame(settings, what, url, camera.url, options)


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
    reason = (problem.strip().splitlines() or ["no frame"])[-1].replace(url, shown)[:200]
    if "401" in problem or "Unauthorized" in problem:
        return Finding(what, "failed", f"{shown}: {reason}", "look at the camera's `credentials`")
    return Finding(what, "failed", f"{shown}: {reason}")
