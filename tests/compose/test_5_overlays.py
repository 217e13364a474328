"""The overlays for real deployments: TLS at the broker, and a LAN on the host's own network."""

from __future__ import annotations

import json
import subprocess

import pytest


def mosquitto_pub(stack, *arguments: str) -> subprocess.CompletedProcess[str]:
    password = stack.exec("detector", "cat", "/run/hazardcast/hazardcast_mqtt_password").strip()
    ca = f"{stack.project}_credentials-authority:/ca:ro"
    return subprocess.run(
        ["docker", "run", "--rm", "--network", f"{stack.project}_default", "-v", ca, "eclipse-mosquitto:2",
         "timeout", "10", "mosquitto_pub", "-h", "mosquitto", "-u", "detector", "-P", password,
         "-q", "1", "-t", "v2x/detections/none", "-m", "{}", *arguments],
        text=True, capture_output=True, check=False, timeout=60,
    )  # fmt: skip


@pytest.mark.usefixtures("_built")
def test_with_tls_everything_works_and_nothing_goes_in_the_clear(clean, within) -> None:
    ports = {"HAZARDCAST_BROKER_PORT": "0"}
    with clean("hazardcast-tls", "compose.tls.yaml", **ports) as stack:
        stack.up()
        began = stack.report(type="collision", lat=37.2, lon=127.2)
        within(10, lambda: stack.received(since=began), what="[RECV]")

        assert mosquitto_pub(stack, "-p", "8883", "--cafile", "/ca/ca.crt").returncode == 0
        assert mosquitto_pub(stack, "-p", "8883").returncode != 0
        assert mosquitto_pub(stack, "-p", "8883", "--cafile", "/etc/ssl/certs/ca-certificates.crt").returncode != 0  # fmt: skip
        assert mosquitto_pub(stack, "-p", "1883").returncode != 0


def default_interface() -> str:
    out = subprocess.run(["ip", "-4", "route", "show", "default"], text=True, capture_output=True, check=False)  # fmt: skip
    words = out.stdout.split()
    if "dev" not in words:
        pytest.skip("no default route on this machine")
    return words[words.index("dev") + 1]


def free_port() -> str:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@pytest.mark.usefixtures("_built")
def test_on_the_hosts_network_multicast_goes_by_the_named_interface(clean, within) -> None:
    interface = default_interface()
    environment = {
        "HAZARDCAST_MULTICAST_INTERFACE": interface,
        "HAZARDCAST_LAN_BROKER_PORT": free_port(),
        "HAZARDCAST_HTTP_PORT": free_port(),
        "HAZARDCAST_MULTICAST_PORT": "15520",
    }
    with clean("hazardcast-lan", "compose.lan.yaml", **environment) as stack:
        stack.up()
        began = stack.report(type="collision", lat=37.2, lon=127.2)
        line = within(10, lambda: stack.received(since=began), what="[RECV]")

        assert "multicast" in line.text
        assert line.at - began < 0.5
        joined = subprocess.run(["ip", "maddr", "show", "dev", interface], text=True, capture_output=True, check=True)  # fmt: skip
        assert "239.20.20.20" in joined.stdout
        within(30, lambda: stack.value('sum(up{job=~"alerter|vehicle-agent"})') == 2, what="both are scraped on the host")  # fmt: skip
        checked(stack, interface)


def checked(stack, interface: str) -> None:
    """`hazardcast check` on the host's network finds the group joined, sent to and heard."""
    shown = stack.compose("run", "--rm", "-T", "cli", "check", "--json", check=False)
    findings = {one["what"]: one for one in json.loads(shown)["findings"]}
    multicast = findings["multicast"]

    assert multicast["result"] == "ok"
    assert f"joined (IGMP) on {interface}," in multicast["detail"]
    assert "heard again with TTL 1" in multicast["detail"]
    assert "multicast-to-unicast" in multicast["advice"]
    assert findings["broker"]["result"] == "ok"
    print([one for one in findings.values() if one["result"] != "ok"])


def test_the_lan_overlay_asks_for_the_interface() -> None:
    done = subprocess.run(
        ["docker", "compose", "-f", "compose.yaml", "-f", "compose.lan.yaml", "config", "-q"],
        text=True, capture_output=True, check=False, env={"PATH": "/usr/bin:/bin"},
    )  # fmt: skip

    assert done.returncode != 0
    assert "name the network interface" in done.stderr


def test_the_profile_postgres_gives_the_console_a_database_with_a_password_of_its_own() -> None:
    url = "postgresql://hazardcast@postgres/hazardcast"
    done = subprocess.run(
        ["docker", "compose", "-f", "compose.yaml", "--profile", "postgres", "config", "--format", "json"],
        text=True, capture_output=True, check=True, env={"PATH": "/usr/bin:/bin", "HAZARDCAST_DATABASE_URL": url},
    )  # fmt: skip
    services = json.loads(done.stdout)["services"]
    secrets = {name: mount["source"] for name, service in services.items() for mount in service.get("volumes", ()) if mount["source"].startswith("credentials-") and mount["target"] == "/run/hazardcast"}  # fmt: skip

    assert services["console"]["environment"]["HAZARDCAST_DATABASE_URL"] == url
    assert services["postgres"]["environment"]["POSTGRES_PASSWORD_FILE"].startswith(
        "/run/hazardcast/"
    )
    assert secrets["postgres"] == "credentials-postgres"
    assert "ports" not in services["postgres"]
    assert (
        f"--postgres-uid={services['postgres']['user'].split(':')[0]}"
        in services["init"]["command"]
    )
