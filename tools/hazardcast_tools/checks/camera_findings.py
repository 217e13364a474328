"""What `hazardcast check` finds at the cameras: reached, recorded and watched, or why not."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from hazardcast.config import site
from hazardcast.config.settings import Settings
from hazardcast.config.site import Camera, SiteConfig
from hazardcast.contract.errors import HazardcastError
from hazardcast.contract.trials import Waiting
from hazardcast.machine import refusals
from hazardcast.media import camera_address
from hazardcast.media.ffmpeg import find_ffmpeg
from hazardcast.net import ports
from hazardcast.service import video_file
from hazardcast_tools.checks import camera_trials, retention_findings
from hazardcast_tools.checks.camera_trials import DETECTOR, RECORDER, Tried
from hazardcast_tools.checks.camera_words import describe
from hazardcast_tools.checks.findings import Finding, Result, records_here

ANSWER_S = 3.0
AT_ONCE = 16
UNREACHED = "look at its power, its cable and its address"


@dataclass(frozen=True)
class _Answering:
    """A camera that can be tried."""

    shown: str
    second: str | None
    secrets: tuple[str, ...]


def cameras(
    settings: Settings, config: SiteConfig, tell: Callable[[Waiting], None]
) -> Iterator[Finding]:
    """Each camera, opened as recorder and detector open it where they are; then all together.

    Args:
        settings: of this deployment.
        config: the cameras.
        tell: hears of a camera that must be waited for.
    """
    chosen = config.chosen(settings.camera_ids)
    modules = modules_here(settings)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        looks = dict(
            zip(
                chosen,
                pool.map(lambda one: _look(settings, *one, tried=bool(modules)), chosen.items()),
                strict=True,
            )
        )
    to_try = [name for name, look in looks.items() if isinstance(look, _Answering)]
    tried = camera_trials.run(modules, to_try, tell=tell) if to_try and modules else Tried()
    kept = retention_findings.Kept.of(settings, chosen, tried.recording)
    for name, look in looks.items():
        found = look if isinstance(look, Finding) else _judged(name, look, modules, tried)
        yield kept.noted(name, found)
    yield from kept.findings()


def modules_here(settings: Settings) -> tuple[str, ...]:
    """Of recorder and detector those that are here, and the former where it may write."""
    wanted = (RECORDER, DETECTOR) if records_here(settings) else (DETECTOR,)
    return tuple(module for module in wanted if camera_trials.is_here(module))


def _look(settings: Settings, name: str, camera: Camera, *, tried: bool) -> Finding | _Answering:
    try:
        return _quick_look(settings, name, camera, tried=tried)
    except HazardcastError as error:
        return Finding(f"camera {name}", "failed", str(error))


def _quick_look(
    settings: Settings, name: str, camera: Camera, *, tried: bool
) -> Finding | _Answering:
    what = f"camera {name}"
    if camera.is_local:
        return _local_camera(settings, what, name, camera, tried=tried)
    return _network_camera(settings, what, name, camera, tried=tried)


def _there(what: str, camera: Camera) -> Finding:
    """Whether a device or a file is there."""
    if camera.device:
        device = Path(camera.device)
        result: Result = "ok" if device.exists() else "failed"
        return Finding(what, result, f"{device}" + ("" if device.exists() else ": no such device"))
    if camera.folder:
        return _folder(what, camera.folder, moves=camera.finished == "move")
    file = camera.file
    assert file
    if problem := video_file.system_problem(file):
        return Finding(what, "failed", f"{file}: {problem}")
    return Finding(what, "ok", str(file))


def _folder(what: str, folder: Path, *, moves: bool) -> Finding:
    try:
        files = sum(one.is_file() for one in folder.iterdir())
    except OSError as error:
        return Finding(what, "failed", f"{folder}: {refusals.why(error)}")
    if moves and not os.access(folder, os.W_OK | os.X_OK):
        advice = "let the camera service write there, or leave out finished: move"
        return Finding(what, "failed", f"{folder}: played files cannot be moved", advice)
    return Finding(what, "ok", f"{folder}: {files} files")


def _local_camera(
    settings: Settings, what: str, name: str, camera: Camera, *, tried: bool
) -> Finding | _Answering:
    """Where the camera service runs its stream is tried; before, one frame of a file is read."""
    url = site.stream_url(name, camera, camera_server=settings.camera_server)
    host, port = camera_address.host_port(url)
    is_served = tried and ports.answers(host, port, timeout_s=ANSWER_S)
    may_be_seen = records_here(settings) if not is_served else host == ports.LOOPBACK
    if camera.scheme != "demo" and may_be_seen:
        finding = _there(what, camera)
        if finding.result != "ok":
            return finding
    if is_served:
        return _Answering(f"{camera.url}, by the camera service", None, ())
    if camera.scheme == "demo":
        return Finding(what, "ok", f"{camera.url}: drawn by the camera service")
    if not may_be_seen:
        return Finding(what, "ok", f"{camera.url}: read by the camera service, not from here")
    return _first_frame(settings, what, camera.file) if camera.file else finding


def _network_camera(
    settings: Settings, what: str, name: str, camera: Camera, *, tried: bool
) -> Finding | _Answering:
    server = settings.camera_server
    url = site.stream_url(name, camera, camera_server=server) if tried else camera.url
    host, port = camera_address.host_port(url)
    if not ports.answers(host, port, timeout_s=ANSWER_S):
        return Finding(what, "failed", f"unreachable: nothing answers at {host}:{port}", UNREACHED)
    if not tried:
        return Finding(what, "ok", f"{host}:{port} answers; frames are read where it is recorded")
    secrets = camera_address.secrets_of(url)
    second = None
    if camera.detect_url:
        detect_url = site.stream_url(name, camera, camera_server=server, detect=True)
        second = camera_address.shown(detect_url)
        secrets += camera_address.secrets_of(detect_url)
    return _Answering(camera_address.shown(url), second, secrets)


def _judged(name: str, look: _Answering, modules: tuple[str, ...], tried: Tried) -> Finding:
    recording, watching = tried.recording.get(name), tried.watching.get(name)
    missing = {RECORDER: recording, DETECTOR: watching}
    for module in modules:
        if missing[module] is None:
            why = tried.problems.get(module, "it told nothing")
            service = module.partition(".")[0]
            detail = f"{look.shown}: the {service} could not try it: {why}"
            return Finding(f"camera {name}", "failed", camera_address.scrub(detail, look.secrets))
    return describe(name, look.shown, recording, watching, second_stream=look.second)


def _first_frame(settings: Settings, what: str, file: Path) -> Finding:
    if problem := video_file.problem_of(file, find_ffmpeg(settings.ffmpeg)):
        return Finding(what, "failed", f"{file}: {problem}")
    return Finding(what, "ok", f"{file}: a frame was read")
