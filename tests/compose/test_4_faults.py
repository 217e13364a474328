"""Things break one after the other; the rest goes on, and afterwards nothing is missing."""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator

import pytest

from hazardcast.contract.service_names import EVERY_SERVICE as SERVICES

LOCAL = ("north", "south", "east", "west", "bridge")
CAMERAS = (*LOCAL, "tunnel")
"""The last one is a camera of its own, which tests take away."""
BACK_WITHIN_S = 15.0
LARGEST_SEAM_S = 1.0
_places = iter(range(1, 1000))


@pytest.fixture(scope="module")
def stack(six_cameras):
    return six_cameras


def docker(*arguments: str) -> str:
    done = subprocess.run(["docker", *arguments], text=True, capture_output=True, check=False)
    assert done.returncode == 0, f"docker {' '.join(arguments)}: {done.stderr.strip()}"
    return done.stdout


def somewhere() -> dict[str, float]:
    """A place where nothing has happened yet, so that every accident is a new one."""
    return {"lat": round(36.0 + next(_places) * 0.01, 4), "lon": 127.0}


def crash(stack, service: str) -> float:
    """Kill a service's processes as a crash would; returns when. Compose starts it again."""
    container = stack.containers(service)[0]
    at = time.time()
    subprocess.run(["docker", "exec", container, "sh", "-c", "kill -KILL -1"], check=False, capture_output=True)  # fmt: skip
    return at


def signal_all(container: str, name: str) -> None:
    """Send a signal to every process of a container but its first, which only waits for the service.

    `docker pause` would do for a hang, but the freezer of cgroup v1 gives up on busy processes.
    """
    docker("exec", container, "sh", "-c", f"kill -{name} -1")


def online_since(stack, since: float, expected: int):
    """Every service has said `online` since a moment, and is healthy by its own word."""

    def look():
        said = stack.retained("v2x/status/+/+").values()
        online = {(s["service"], s["instance"]) for s in said if s["state"] == "online"}
        return len({service for service, _ in online}) == len(SERVICES) and len(online) >= expected

    return look


def segments(stack, camera: str) -> list[tuple[float, float]]:
    """What is on disk of a camera: (start, end), oldest first."""
    names = stack.exec("recorder", "sh", "-c", f"cd /data/recordings/{camera} && ls -1 */ 2>/dev/null || true")  # fmt: skip
    found = re.findall(r"(\d{13})-(\d{13})\.ts", names)
    return sorted((int(start) / 1000, int(end) / 1000) for start, end in found)


def seams(stack, camera: str, start: float, end: float) -> list[float]:
    """Lengths of the stretches without video between two moments, over the largest seam."""
    inside = [one for one in segments(stack, camera) if one[1] >= start and one[0] <= end]
    edges = [(start, start), *inside, (end, end)]
    return [
        round(after[0] - before[1], 2)
        for before, after in itertools.pairwise(edges)
        if after[0] - before[1] > LARGEST_SEAM_S
    ]


def recorded_throughout(stack, within, cameras, start: float, end: float) -> None:
    """The cameras have no gap between two moments."""
    for camera in cameras:
        within(
            20,
            lambda camera=camera: segments(stack, camera)[-1:] and segments(stack, camera)[-1][1] >= end,
            what=f"segments of {camera} up to the end",
        )  # fmt: skip
        assert not seams(stack, camera, start, end), camera


@contextlib.contextmanager
def nothing_else_breaks(stack, within, *, cameras=CAMERAS, expected: int = 9) -> Iterator[None]:
    """Recording of these cameras has no gap, and all are online soon after the block ends."""
    start = time.time()
    yield
    ended = time.time()
    within(BACK_WITHIN_S, online_since(stack, ended, expected), what="everyone online again")
    recorded_throughout(stack, within, cameras, start, ended)


def reported(stack, within, began: float, *, seconds: float = 20) -> str:
    """The event id under which the vehicle was shown an accident that began to be reported then."""
    line = within(seconds, lambda: stack.received(since=began, containing="NEW"), what="[RECV]")
    event_id = re.search(r"\b4097-\d+\b", line.text)
    assert event_id, line.text
    print(f"[RECV] {line.at - began:.2f} s after the report: {line.text}")
    return event_id[0]


def filmed(stack, within, event_id: str, *, seconds: float = 60) -> None:
    """The clip of an event comes to be, whole or with its gaps named."""

    def done():
        clips = stack.retained(f"v2x/clips/{event_id}").values()
        return [clip for clip in clips if clip["state"] in ("ready", "partial")]

    clip = within(seconds, done, what=f"the clip of {event_id}", every_s=1)[0]
    print(f"clip of {event_id}: {clip['state']}, coverage {clip['coverage']:.3f}")


@pytest.mark.parametrize("service", ["alerter", "clipper", "vehicle-agent", "detector"])
def test_a_service_that_crashes_comes_back_and_what_was_reported_meanwhile_arrives(stack, within, service: str) -> None:  # fmt: skip
    with nothing_else_breaks(stack, within):
        crash(stack, service)
        began = stack.report(type="collision", camera="north", **somewhere())
        event_id = reported(stack, within, began)

    filmed(stack, within, event_id)


def test_a_recorder_that_crashes_goes_on_within_seconds(stack, within) -> None:
    with nothing_else_breaks(stack, within, cameras=()):
        crashed = crash(stack, "recorder")
        began = stack.report(type="collision", camera="north", **somewhere())
        event_id = reported(stack, within, began)

    within(20, lambda: segments(stack, "north")[-1][1] > crashed + 8, what="new segments")
    for camera in CAMERAS:
        gap = sum(seams(stack, camera, crashed - 10, segments(stack, camera)[-1][1]))
        print(f"{camera}: {gap:.1f} s lost")
        assert gap < 15
    filmed(stack, within, event_id)


def test_a_camera_service_that_crashes_leaves_other_cameras_alone(stack, within) -> None:
    with nothing_else_breaks(stack, within, cameras=("tunnel",)):
        crash(stack, "camera")
        began = stack.report(type="collision", camera="tunnel", **somewhere())
        event_id = reported(stack, within, began)

    filmed(stack, within, event_id)
    live = 'sum(hazardcast_recording_live{job="recorder"})'
    within(60, lambda: stack.value(live) == len(CAMERAS), what="all cameras recorded again")


@pytest.mark.parametrize("how", ["stop", "freeze"])
def test_a_camera_that_stops_or_freezes_does_not_touch_the_others(stack, within, how: str) -> None:
    camera = stack.containers("flaky")[0]
    stop, go_on = {
        "stop": (lambda: stack.compose("stop", "flaky"), lambda: stack.compose("start", "flaky")),
        "freeze": (lambda: signal_all(camera, "STOP"), lambda: signal_all(camera, "CONT")),
    }[how]
    with nothing_else_breaks(stack, within, cameras=LOCAL):
        stop()
        stale = 'hazardcast_recording_live{camera="tunnel"} == 0'
        within(30, lambda: stack.query(stale), what="noticed that the camera is away")
        began = stack.report(type="collision", camera="north", **somewhere())
        event_id = reported(stack, within, began)
        go_on()

    live = 'hazardcast_recording_live{camera="tunnel"} == 1'
    within(60, lambda: stack.query(live), what="the camera is recorded again")
    filmed(stack, within, event_id)


def test_twenty_seconds_without_a_broker_cost_nothing(stack, within) -> None:
    port = stack.port("alerter", 8080)
    token = stack.exec("alerter", "cat", "/data/keys/http.token").strip()
    incident = {"type": "fire", "camera": "south", **somewhere()}
    request = urllib.request.Request(
        f"http://{port}/alert", json.dumps(incident).encode(),
        {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )  # fmt: skip

    with nothing_else_breaks(stack, within):
        stack.compose("stop", "mosquitto")
        stopped = time.time()
        began = time.time()
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert answer.status == 202
        event_id = reported(stack, within, began, seconds=5)
        time.sleep(max(0.0, 20 - (time.time() - stopped)))
        stack.compose("start", "mosquitto")

    filmed(stack, within, event_id)
    began = stack.report(type="collision", camera="north", **somewhere())
    reported(stack, within, began, seconds=10)


def in_network_of(stack, service: str, *command: str) -> None:
    """Run a command of this machine inside a container's network, as its administrator."""
    pid = stack.inspect(stack.containers(service)[0])["State"]["Pid"]
    subprocess.run(["nsenter", "-t", str(pid), "-n", *command], check=True, capture_output=True)


def test_a_vehicle_that_loses_multicast_hears_by_the_second_path(stack, within) -> None:
    if shutil.which("nsenter") is None or shutil.which("iptables") is None:
        pytest.skip("nsenter or iptables is missing on this machine")
    rule = ("INPUT", "-p", "udp", "--dport", "5520", "-j", "DROP")

    with nothing_else_breaks(stack, within):
        in_network_of(stack, "vehicle-agent", "iptables", "-A", *rule)
        try:
            began = stack.report(type="collision", camera="north", **somewhere())
            event_id = reported(stack, within, began, seconds=5)
            line = stack.received(since=began, containing=event_id)
        finally:
            in_network_of(stack, "vehicle-agent", "iptables", "-D", *rule)

    assert "mqtt" in line.text
    assert line.at - began < 0.5
    filmed(stack, within, event_id)


def test_a_vehicle_cut_off_is_counted_as_lost_and_learns_on_its_return(stack, within) -> None:
    container = stack.containers("vehicle-agent")[0]
    network = f"{stack.project}_default"
    lost = 'hazardcast_alert_deadline_total{result="lost"}'
    before = stack.value(lost)

    with nothing_else_breaks(stack, within):
        docker("network", "disconnect", network, container)
        began = stack.report(type="collision", camera="north", **somewhere())
        within(30, lambda: stack.value(lost) > before, what="the loss is counted")
        docker("network", "connect", "--alias", "vehicle-agent", network, container)
        event_id = reported(stack, within, began, seconds=40)

    filmed(stack, within, event_id)


def test_two_replicas_that_both_claim_a_camera_make_one_alert(stack, within) -> None:
    place = somewhere()
    ear = stack.hear("v2x/active/+")

    began = stack.report(type="collision", camera="east", event_id="claim-a", **place)
    stack.report(type="collision", camera="east", event_id="claim-b", **place)
    event_id = reported(stack, within, began)
    time.sleep(2)

    here = {said.topic for said in ear.heard if said.payload and said.json["lat"] == place["lat"]}
    assert here == {f"v2x/active/{event_id}"}
    filmed(stack, within, event_id)


def test_a_detector_that_hung_gives_back_what_others_took_over(stack, within) -> None:
    def settled(replicas: int):
        owners = stack.owners()
        names = {name for names in owners.values() for name in names}
        single = all(len(set(names)) == 1 for names in owners.values())
        return set(owners) == set(CAMERAS) and single and len(names) == replicas

    within(20, lambda: settled(3), what="three replicas")
    victim = stack.containers("detector")[0]

    with nothing_else_breaks(stack, within):
        signal_all(victim, "STOP")
        try:
            within(60, lambda: settled(2), what="two take over from the one that hangs")
        finally:
            signal_all(victim, "CONT")
        within(30, lambda: settled(3), what="three share again, none twice")


def test_a_full_disk_stops_nothing_but_recording(stack, within) -> None:
    with nothing_else_breaks(stack, within, cameras=()):
        stack.exec(
            "recorder", "sh", "-c", "dd if=/dev/zero of=/data/filler bs=1M 2>/dev/null; true"
        )
        time.sleep(8)
        began = stack.report(type="collision", camera="north", **somewhere())
        event_id = reported(stack, within, began, seconds=5)
        restarts = [stack.inspect(box)["RestartCount"] for box in stack.containers("recorder")]
        stack.exec("recorder", "rm", "/data/filler")
        freed = time.time()

    assert restarts == [stack.inspect(box)["RestartCount"] for box in stack.containers("recorder")]
    for camera in LOCAL:
        within(45, lambda camera=camera: segments(stack, camera)[-1][1] > freed + 2, what=f"{camera} is recorded again")  # fmt: skip
    filmed(stack, within, event_id)


def test_in_the_end_every_clip_is_accounted_for(stack, within) -> None:
    def open_jobs():
        clips = stack.retained("v2x/clips/+", wait_s=2)
        assert len(clips) >= 10
        return all(clip["state"] in ("ready", "partial") for clip in clips.values())

    within(60, open_jobs, what="no clip is lost", every_s=2)
