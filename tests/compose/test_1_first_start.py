"""A fresh clone: up, a fake accident, a clip; who may say what; down, and up again."""

from __future__ import annotations

import base64
import itertools
import json
import re
import subprocess
import tarfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from hazardcast.contract.service_names import EVERY_SERVICE as SERVICES
from tests.compose.browsing import FACTS, Truth, operator
from tests.console.acceptance.tab import ages_s, told_and_true_age_s

ROOT = Path(__file__).resolve().parents[2]
ALERT_WITHIN_S = 0.5
CLIP_WITHIN_S = 60.0
SEEN_S, AGE_S = 5.0, 3.0
HELD_MS = 1300
SECRETS = {
    "camera": "/run/hazardcast/hazardcast_mqtt_password",
    "recorder": "/run/hazardcast/hazardcast_mqtt_password",
    "detector": "/run/hazardcast/hazardcast_mqtt_password",
    "alerter": "/data/keys/hazardcast_mqtt_password /data/keys/station.jwk /data/keys/http.token",
    "clipper": "/run/hazardcast/hazardcast_mqtt_password /run/hazardcast/clipper.jwk",
    "console": "/run/hazardcast/hazardcast_mqtt_password /run/hazardcast/hazardcast_console_password",
    "vehicle-agent": "/run/hazardcast/hazardcast_mqtt_password",
}
KEY_MATERIAL = re.compile(rb'-----BEGIN [A-Z ]*PRIVATE KEY-----\s[A-Za-z0-9+/]{40}|"d": ?"[\w-]{43}"|\$7\$\d+\$[\w+/]{16}\$[\w+/]{80}')  # fmt: skip
SECRET_NAMES = re.compile(r"(^|/)(\.env|cameras\.env|station\.jwk|clipper\.jwk|http\.token|hazardcast_mqtt_password|hazardcast_console_password|ca\.key|server\.key|passwords)$")  # fmt: skip


@pytest.fixture(scope="module")
def stack(fresh):
    fresh.up()
    return fresh


def credentials(stack, service: str) -> tuple[str, str]:
    account = "vehicle-1" if service == "vehicle-agent" else service
    return account, stack.exec(service, "cat", SECRETS[service].split()[0]).strip()


def publish(stack, *topics: str, service: str | None = None, password: str | None = None) -> subprocess.CompletedProcess[str]:  # fmt: skip
    """Publish from another machine of the network, as a service or without an account."""
    login = ""
    if service is not None:
        account, right = credentials(stack, service)
        login = f"-u {account} -P {password or right}"
    shell = 'for topic; do mosquitto_pub -h mosquitto -q 1 $LOGIN -t "$topic" -m "{\\"forged\\":true}"; done'
    return subprocess.run(
        ["docker", "run", "--rm", "--network", f"{stack.project}_default", "-e", f"LOGIN={login}",
         "eclipse-mosquitto:2", "sh", "-c", shell, "sh", *topics],
        text=True, capture_output=True, check=False, timeout=60,
    )  # fmt: skip


def test_everything_is_healthy(stack) -> None:
    for service in (*SERVICES, "mosquitto", "prometheus"):
        assert stack.health(service) == ["healthy"], service


def test_every_service_says_that_it_is_online(stack, within) -> None:
    def online() -> bool:
        said = stack.retained("v2x/status/+/+").values()
        return {status["service"] for status in said if status["state"] == "online"} == set(
            SERVICES
        )

    assert within(15, online, what="all services online")


def test_every_line_that_a_service_writes_can_be_read_by_programs_and_none_complains(stack) -> None:
    """The vehicle's console is for people."""
    for service in set(SERVICES) - {"vehicle-agent"}:
        lines = [line.text for line in stack.lines(service)]
        levels = {json.loads(line)["level"] for line in lines}
        assert levels <= {"INFO", "WARNING"}, lines
    assert not [line.text for line in stack.lines("prometheus") if "level=error" in line.text]


def test_another_model_can_be_fetched_and_chosen(stack) -> None:
    stack.exec("detector", "sh", "-c", "touch /models/new && rm /models/new")
    models = stack.compose("run", "--rm", "-T", "--no-deps", "detector", "detector.models", "list")
    assert "yolox-nano" in models

    chosen = type(stack)(stack.project, HAZARDCAST_MODEL="yolox-nano")
    refused = chosen.compose(
        "run", "--rm", "-T", "--no-deps", "--entrypoint", "sh", "detector", "-c",
        "python -m detector 2>&1", check=False,
    )  # fmt: skip

    assert "HAZARDCAST_MODEL: yolox-nano is not at /models/yolox_nano.onnx; fetch it" in refused


def test_the_console_opens_on_this_machine_and_knows_the_first_password(stack) -> None:
    address = f"http://{stack.port('console', 8088)}"
    with urllib.request.urlopen(f"{address}/", timeout=10) as page:
        assert page.headers["content-type"].startswith("text/html")
    with urllib.request.urlopen(f"{address}/api/v1/session", timeout=10) as answer:
        assert json.load(answer)["free_view"] is True

    password = stack.exec("console", "cat", SECRETS["console"].split()[1]).strip()
    body = json.dumps({"name": "admin", "password": password}).encode()
    login = urllib.request.Request(
        f"{address}/api/v1/login", body, {"content-type": "application/json"}
    )
    with urllib.request.urlopen(login, timeout=10) as answer:
        assert answer.status == 204
        assert "HttpOnly" in answer.headers["set-cookie"]
    assert (
        stack.exec("console", "sh", "-c", "touch /archive/x 2>&1 || echo refused")
        .strip()
        .endswith("refused")
    )


@pytest.fixture
def desk(stack) -> Iterator[Any]:
    """The provisioned admin's tab on the published port; gone before the stack is stopped."""
    password = stack.exec("console", "cat", SECRETS["console"].split()[1]).strip()
    address = stack.port("console", 8088).replace("127.0.0.1", "localhost")
    with operator(f"http://{address}/", password) as page:
        yield page


def test_a_browser_sees_the_drawn_junction_live(desk) -> None:
    before = desk.eval_on_selector("hc-tile video", "video => video.currentTime")
    [ages] = ages_s(desk, SEEN_S)
    after = desk.eval_on_selector("hc-tile video", "video => video.currentTime")
    told, true = told_and_true_age_s(desk)
    print(f"age of the picture: p50 {middle(ages):.2f} s, oldest {max(ages):.2f} s of {len(ages)}")

    assert after - before > SEEN_S / 2
    assert len(ages) > SEEN_S
    assert middle(ages) < AGE_S
    assert told is not None
    assert true is not None
    assert abs(told - true) < 0.5
    assert desk.locator(".tile.live .age:not(.stale)").count() == 1
    assert desk.locator(".tile .veil").count() == 0


def middle(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2]


def test_boxes_are_drawn_on_the_cars(stack, desk) -> None:
    truth = Truth.told_by(stack.exec("camera", "python", "-c", FACTS))
    told = desk.evaluate("seconds => probe.drawnBoxes(seconds)", SEEN_S)
    frames = [one for one in told["frames"] if one["seen"] and one["seen"]["objects"]]

    on_time, late = truth.overlaps(frames), truth.overlaps(frames, late_s=1.0)
    steps = [after - before for before, after in itertools.pairwise(told["told"])]
    print(f"{len(on_time)} boxes in {len(frames)} of {len(told['frames'])} frames, overlap p50 {middle(on_time):.2f}; a second later {middle(late):.2f}; detections every {middle(steps):.2f} s, worst {max(steps):.2f}")  # fmt: skip
    assert len(on_time) > 20
    assert middle(on_time) > 0.5
    assert middle(late) < middle(on_time) / 2, "other boxes would not do"
    assert {one["painted"] for one in frames} - {None} == {True}


def test_an_accident_told_by_hand_is_on_the_page_and_a_false_alarm_ends_it_in_the_vehicle(stack, desk, within) -> None:  # fmt: skip
    ear = stack.hear("v2x/active/+")
    desk.evaluate("probe.watchRows()")
    known = [event for event, _ in desk.evaluate("probe.newRows([])")]

    began = stack.report()
    alert = within(5, lambda: ear.first("v2x/active/.+", after=began, type="collision", camera=None), what="the alert", every_s=0.02)  # fmt: skip
    event = alert.json["event_id"]
    shown = within(5, lambda: desk.evaluate("event => probe.rowAt(event)", event), what="a row", every_s=0.05)  # fmt: skip
    print(f"mosquitto_pub to a row on the page: {(shown - began) * 1000:.0f} ms")
    assert event not in known
    assert shown - began < 1.0

    desk.click(f"a.card.alert[href$='{event}']")
    desk.wait_for_selector(".detail hc-hold-button[kind=negate]")
    desk.keyboard.down("f")
    desk.wait_for_timeout(HELD_MS)
    desk.keyboard.up("f")
    desk.wait_for_selector(".detail .chip.false_alarm")
    [line] = within(5, lambda: ended_by_negation(stack, event, began), what="NEGATE")
    print(line.text)


def ended_by_negation(stack, event: str, since: float) -> list[Any]:
    lines = stack.lines("vehicle-agent", since=since - 1)
    return [line for line in lines if "[RECV]" in line.text and " NEGATE " in line.text and event in line.text][:1]  # fmt: skip


def test_a_fake_accident_reaches_the_vehicle_and_leaves_a_clip(stack, within) -> None:
    ear = stack.hear("v2x/clips/+")

    began = stack.report(type="collision", lat=37.2, lon=127.2)
    line = within(10, lambda: stack.received(since=began), what="[RECV]")
    print(f"mosquitto_pub to [RECV]: {(line.at - began) * 1000:.0f} ms")

    assert line.at - began < ALERT_WITHIN_S
    clip = within(CLIP_WITHIN_S, lambda: ear.first(r"v2x/clips/.+", state="ready"), what="the clip")
    path = clip.json["path"]
    size = int(stack.exec("clipper", "sh", "-c", f"cd /data && stat -c %s '{path}'"))
    assert size > 10_000
    manifest = path.removesuffix(".mp4") + ".json"
    assert json.loads(stack.exec("clipper", "sh", "-c", f"cd /data && cat '{manifest}'"))
    assert seconds_of_video(stack, path) > 5
    assert_is_as_signed(stack, path)


def assert_is_as_signed(stack, path: str) -> None:
    """Whoever runs the command line says yes to the clip, and no to a copy with one byte changed."""
    verdict = stack.compose(
        "run", "--rm", "-T", "cli", "verify", str(PurePosixPath("/data") / path)
    )
    assert "as signed by" in verdict
    stem = PurePosixPath("/data") / path.removesuffix(".mp4")
    shell = (
        f"cd /data && mkdir -p changed && cp {stem}.* changed/ && cd changed && "
        "printf x | dd of=$(basename *.mp4) bs=1 seek=5000 conv=notrunc status=none && echo *.mp4"
    )
    changed = stack.exec("clipper", "sh", "-c", shell).strip()
    verdict = stack.compose("run", "--rm", "-T", "cli", "verify", f"/data/changed/{changed}", check=False)  # fmt: skip
    stack.exec("clipper", "rm", "-r", "/data/changed")
    assert "REJECTED" in verdict
    assert changed in verdict


def seconds_of_video(stack, path: str) -> float:
    """How much of a clip decodes, every frame of it without an error."""
    shell = f"cd /data && ffmpeg -v error -xerror -i '{path}' -f framecrc -map 0:v:0 - 2>&1"
    lines = stack.exec("clipper", "sh", "-c", shell).splitlines()
    frames = [line.split(",") for line in lines if re.match(r"\d+,", line)]
    base = re.search(r"#tb 0: (\d+)/(\d+)", "\n".join(lines))
    assert base, lines[:3]
    assert frames
    assert all(line.startswith("#") or re.match(r"\d+,", line) for line in lines), lines[-3:]
    return (int(frames[-1][1]) - int(frames[0][1])) * int(base[1]) / int(base[2])


def test_the_shortest_report_is_enough(stack, within) -> None:
    began = stack.report()

    line = within(10, lambda: stack.received(since=began), what="[RECV]")
    assert line.at - began < ALERT_WITHIN_S


def test_what_the_documents_run_in_containers_is_there(stack, documented_commands) -> None:
    for service, (program, *words) in sorted(set(map(_hashable, documented_commands))):
        if program == "cat":
            assert _run(stack, service, "--entrypoint", "cat", arguments=words)
        elif service in ("cli", "keys", "check"):
            verbs = [] if program in ("", "VERB", "--help") else [program, *words]
            assert "Usage" in _run(stack, service, arguments=[*verbs, "--help"])
        elif program == "detector.models":
            assert "usage" in _run(stack, service, arguments=[program, *words, "--help"])
        else:
            stack.exec(service, program, *words, "--help", check=False)


def _hashable(command: tuple[str, list[str]]) -> tuple[str, tuple[str, ...]]:
    return command[0], tuple(command[1])


def _run(stack, service: str, *options: str, arguments: Sequence[str]) -> str:
    return stack.compose("run", "--rm", "-T", "--no-deps", *options, service, *arguments)


@pytest.mark.parametrize("command", [("cli", "check"), ("check",)])
def test_a_check_finds_nothing_wrong_where_nothing_is(stack, command: tuple[str, ...]) -> None:
    report = json.loads(stack.compose("run", "--rm", "-T", *command, "--json"))

    assert report["ok"], report


@pytest.mark.parametrize("topic", ["v2x/alert", "v2x/active/1", "v2x/broadcast"])
def test_the_network_is_refused_without_an_account(stack, topic: str) -> None:
    refused = publish(stack, topic)

    assert refused.returncode == 5, refused.stderr
    assert "not authorised" in refused.stderr


def test_nobody_is_anonymous_inside_the_brokers_container_either(stack) -> None:
    shell = "XDG_CONFIG_HOME=/nowhere mosquitto_pub -t v2x/alert -m '{}'; echo $?"

    assert stack.exec("mosquitto", "sh", "-c", shell).strip().endswith("5")


def test_a_wrong_password_is_refused(stack) -> None:
    assert publish(stack, "v2x/alert", service="detector", password="wrong").returncode == 5


FORBIDDEN = [
    ("vehicle-agent", "v2x/alert"),
    ("vehicle-agent", "v2x/active/4097-1"),
    ("vehicle-agent", "v2x/broadcast"),
    ("vehicle-agent", "v2x/receipts/vehicle-2"),
    ("vehicle-agent", "v2x/status/vehicle-agent/vehicle-2"),
    ("vehicle-agent", "v2x/status/alerter/alerter"),
    ("vehicle-agent", "v2x/clip-request"),
    ("detector", "v2x/active/4097-1"),
    ("detector", "v2x/broadcast"),
    ("detector", "v2x/status/recorder/recorder"),
    ("recorder", "v2x/alert"),
    ("recorder", "v2x/evidence/none"),
    ("recorder", "v2x/broadcast"),
    ("clipper", "v2x/active/4097-1"),
    ("clipper", "v2x/broadcast"),
    ("camera", "v2x/alert"),
    ("detector", "v2x/decision/none"),
    ("console", "v2x/active/4097-1"),
    ("console", "v2x/broadcast"),
    ("console", "v2x/clips/none"),
    ("alerter", "v2x/receipts/vehicle-1"),
]
ALLOWED = [
    ("vehicle-agent", "v2x/receipts/vehicle-1"),
    ("detector", "v2x/detections/none"),
    ("detector", "v2x/evidence/none"),
    ("alerter", "v2x/broadcast"),
    ("console", "v2x/verdict/none"),
]


def test_each_account_says_its_own_topics_and_nothing_else(stack, within) -> None:
    ear = stack.hear("v2x/#")

    for service in SERVICES:
        topics = [topic for account, topic in (*FORBIDDEN, *ALLOWED) if account == service]
        publish(stack, *topics, service=service)
    within(10, lambda: ear.first("v2x/broadcast", forged=True), what="what is allowed")

    heard = {said.topic for said in ear.heard if "forged" in said.payload}
    assert heard == {topic for _, topic in ALLOWED}


def test_people_at_the_machine_say_no_more_than_people_may(stack) -> None:
    ear = stack.hear("v2x/#")

    for topic in (
        "v2x/active/4097-1",
        "v2x/broadcast",
        "v2x/receipts/vehicle-1",
        "v2x/decision/4097-1",
    ):
        stack.exec("mosquitto", "mosquitto_pub", "-t", topic, "-m", '{"forged":true}')
    stack.exec("mosquitto", "mosquitto_pub", "-t", "v2x/clip-request", "-m", '{"forged":true}')

    assert {said.topic for said in ear.heard if "forged" in said.payload} <= {"v2x/clip-request"}


@pytest.mark.parametrize("service", [*SERVICES, "mosquitto", "prometheus"])
def test_a_container_can_do_little_beyond_its_work(stack, service: str) -> None:
    for container in stack.containers(service):
        facts = stack.inspect(container)
        host, config = facts["HostConfig"], facts["Config"]
        assert config["User"] not in ("", "0", "root", "0:0")
        assert host["ReadonlyRootfs"]
        assert host["CapDrop"] == ["ALL"]
        assert not host["CapAdd"]
        assert not host["Privileged"]
        assert "no-new-privileges:true" in host["SecurityOpt"]
        assert host["Init"]
        assert host["Memory"] > 0
        assert host["NanoCpus"] == host["CpuQuota"] == 0  # a machine may have one
        assert host["CpuShares"] > 0
        assert host["PidsLimit"] > 0
        assert host["LogConfig"]["Config"].keys() >= {"max-size", "max-file"}
        assert "/tmp" in host["Tmpfs"]
        addresses = [binding["HostIp"] for bindings in host["PortBindings"].values() for binding in bindings]  # fmt: skip
        assert set(addresses) <= {"127.0.0.1"}


def test_the_main_process_of_each_service_is_not_root(stack) -> None:
    for service in SERVICES:
        assert stack.exec(service, "id", "-u").strip() == "10001"


def test_a_service_holds_its_own_secrets_alone(stack) -> None:
    owned = {service: stack.exec(service, "cat", *SECRETS[service].split()) for service in SERVICES}

    assert len(set(owned.values())) == len(SERVICES)
    for service in SERVICES:
        listed = stack.exec(service, "sh", "-c", "ls /run/hazardcast /data/keys 2>/dev/null; true")
        assert ("station.jwk" in listed) == (service == "alerter")
        assert ("clipper.jwk" in listed) == (service == "clipper")
        environment = stack.inspect(stack.containers(service)[0])["Config"]["Env"]
        assert not [pair for pair in environment if re.search(r"PASSWORD=|TOKEN=", pair)]


def layers_of_all_images() -> Iterator[tuple[str, bytes]]:
    """Every small file of every layer, deleted ones included, of all images that are built here."""
    listed = subprocess.run(["docker", "image", "ls", "-q", "hazardcast/*"], text=True, capture_output=True, check=True)  # fmt: skip
    images = sorted(set(listed.stdout.split()))
    with (
        subprocess.Popen(["docker", "save", *images], stdout=subprocess.PIPE) as saving,
        tarfile.open(fileobj=saving.stdout, mode="r|") as archive,
    ):
        for member in archive:
            layer = member.name.endswith("layer.tar") or member.name.startswith("blobs/")
            if layer and member.isfile():
                yield from _small_files(archive, member)


def _small_files(archive: tarfile.TarFile, layer: tarfile.TarInfo) -> Iterator[tuple[str, bytes]]:
    try:
        inner = tarfile.open(fileobj=archive.extractfile(layer), mode="r|*")  # noqa: SIM115
    except tarfile.ReadError:
        return  # not a layer
    for member in inner:
        packaged = member.name.startswith(("usr/share/", "usr/lib/", "opt/venv/lib/", "var/lib/"))
        if member.isfile():
            small = member.size < 100_000 and not packaged
            yield member.name, inner.extractfile(member).read() if small else b""  # type: ignore[union-attr]


def test_no_secret_is_in_any_image_layer(stack) -> None:
    secrets = [text.encode() for text in _all_secrets(stack)]
    found, seen = [], 0
    for name, content in layers_of_all_images():
        seen += 1
        leaked = any(secret in content for secret in secrets)
        if leaked or SECRET_NAMES.search(name) or KEY_MATERIAL.search(content):
            found.append(name)

    assert seen > 1000
    assert not found


def test_no_secret_is_in_the_repository(stack) -> None:
    secrets = [text.encode() for text in _all_secrets(stack)]
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    paths = [ROOT / name for name in tracked.stdout.decode().split("\0") if name]

    found = []
    for path in (path for path in paths if path.is_file()):
        content = path.read_bytes()
        if SECRET_NAMES.search(str(path)) or KEY_MATERIAL.search(content) or any(secret in content for secret in secrets):  # fmt: skip
            found.append(str(path.relative_to(ROOT)))

    assert len(paths) > 100
    assert not found


def _all_secrets(stack) -> list[str]:
    texts = [stack.exec(name, "cat", path) for name, paths in SECRETS.items() for path in paths.split()]  # fmt: skip
    return [json.loads(text)["d"] if text.startswith("{") else text.strip() for text in texts]


def test_images_say_what_they_are(stack) -> None:
    for service in SERVICES:
        labels = stack.inspect(stack.containers(service)[0])["Config"]["Labels"]
        for name in ("title", "description", "version", "revision", "licenses"):
            assert labels[f"org.opencontainers.image.{name}"]


@pytest.mark.parametrize(
    "overlay", ["", "compose.tls.yaml", "compose.lan.yaml", "compose.mediamtx.yaml"]
)
def test_the_files_are_valid(overlay: str) -> None:
    files = ["-f", "compose.yaml", *(["-f", overlay] if overlay else [])]
    done = subprocess.run(
        ["docker", "compose", *files, "--profile", "*", "config", "--quiet"],
        cwd=ROOT, text=True, capture_output=True, check=False,
        env={
            "PATH": "/usr/bin:/bin", "HAZARDCAST_MULTICAST_INTERFACE": "eth0",
            "HAZARDCAST_PUBLISHER_PASSWORD": "x",
        },
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert not done.stderr


def test_keys_rotate_as_the_operations_page_says_while_everything_runs(stack, within) -> None:
    def command(*words: str) -> str:
        return stack.compose("run", "--rm", "-T", "--no-deps", "keys", *words)

    def keys() -> dict[str, str]:
        listed = json.loads(command("list", "--json"))["keys"]
        return {key["state"] + " signs" * key["signs"]: key["kid"] for key in listed}

    def told() -> bool:
        # Not the place of another try: it would be that accident.
        lat = 37.5 + time.time() % 1000 / 5000
        began = stack.report(type="collision", lat=lat, lon=127.5)
        return bool(within(20, lambda: stack.received(since=began), what="[RECV]"))

    started = {name: stack.inspect(stack.containers(name)[0])["State"]["StartedAt"] for name in SERVICES}  # fmt: skip
    old = keys()["active signs"]
    command("rotate", "--prepare")
    stack.up()
    command("rotate")
    new = keys()["active signs"]
    within(10, lambda: _on_air(stack)["kid"] == new, what="the new key signs")
    assert told()
    command("revoke", old)
    stack.up()

    assert told()
    assert keys() == {"revoked": old, "active signs": new}
    assert started == {name: stack.inspect(stack.containers(name)[0])["State"]["StartedAt"] for name in SERVICES}  # fmt: skip


def test_a_stop_is_clean_and_a_second_start_goes_on(stack, within) -> None:
    began = stack.report(type="fire", lat=37.3, lon=127.3)
    within(10, lambda: stack.received(since=began, containing="fire"), what="[RECV]")
    active = stack.retained("v2x/active/+").items()  # what cameras saw may end meanwhile
    before = {topic for topic, alert in active if alert["lat"] == 37.3}
    secrets, epoch = _all_secrets(stack), _epoch(stack)
    containers = {name: stack.containers(name)[0] for name in SERVICES}

    stack.compose("stop")
    codes = {name: stack.inspect(box)["State"]["ExitCode"] for name, box in containers.items()}
    stack.compose("start", "mosquitto")
    states = within(10, lambda: stack.retained("v2x/status/+/+"), what="what was said last")
    stack.compose("down")
    stack.up()

    assert codes == dict.fromkeys(SERVICES, 0)
    assert {status["state"] for status in states.values()} == {"stopped"}
    assert _all_secrets(stack) == secrets
    assert _epoch(stack) > epoch
    assert before
    assert before <= set(stack.retained("v2x/active/+"))
    began = stack.report(type="blockage", lat=37.4, lon=127.4)
    within(10, lambda: stack.received(since=began, containing="blockage"), what="[RECV]")


def _epoch(stack) -> int:
    """The epoch that is on the air."""
    return int(_on_air(stack)["epoch"])


def _on_air(stack) -> dict[str, Any]:
    """Header and payload of a datagram that is on the air, in one."""
    ear = stack.hear("v2x/broadcast")
    try:
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            if ear.heard:
                parts = ear.heard[-1].payload.split(".")[:2]
                header, payload = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in parts)  # fmt: skip
                return header | payload
            time.sleep(0.1)
        pytest.fail("nothing on the second path")
    finally:
        ear.process.terminate()
