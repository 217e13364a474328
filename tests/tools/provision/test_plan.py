from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hazardcast_tools.provision.plan import Owners, Plan, carry_out

from hazardcast.config import settings
from hazardcast.contract import topics
from hazardcast.contract.errors import ConfigError

ROOT = Path(__file__).resolve().parents[3]
NOW = 1_800_000_000.0


def plan(root: Path, *vehicles: str) -> Plan:
    return Plan(
        root=root,
        rules=ROOT / "mosquitto",
        station=4097,
        vehicles=vehicles or ("vehicle-1",),
        broker_names=("mosquitto", "localhost"),
        owners=Owners(),
    )


def files(root: Path) -> dict[str, str]:
    return {str(path.relative_to(root)): path.read_text() for path in root.rglob("*") if path.is_file()}  # fmt: skip


def test_everyone_gets_their_own_and_nobody_elses(tmp_path: Path) -> None:
    carry_out(plan(tmp_path), now=NOW)

    made = files(tmp_path)
    password_of = {name: text for name, text in made.items() if name.endswith("mqtt_password")}
    assert len(set(password_of.values())) == len(password_of) == 8
    assert (
        made["operator/hazardcast_mqtt_password"].strip() in made["mosquitto/clients/mosquitto_pub"]
    )
    assert {name for name in made if name.endswith((".jwk", "http.token"))} == {
        "alerter/station.jwk",
        "alerter/http.token",
        "clipper/clipper.jwk",
    }
    assert {name for name in made if name.endswith(".key")} == {
        "authority/ca.key",
        "mosquitto/server.key",
    }
    assert "d" not in json.loads(made["vehicle-agent/truststore.json"])["keys"][0]["jwk"]


def test_the_console_and_its_database_get_the_same_password(tmp_path: Path) -> None:
    carry_out(plan(tmp_path), now=NOW)
    carry_out(plan(tmp_path), now=NOW + 1)

    made = files(tmp_path)
    password = made["postgres/password"]
    assert len(password.strip()) >= 20
    assert made["console/hazardcast_database_password"] == password
    assert password not in [text for name, text in made.items() if name.endswith("mqtt_password")]


def test_each_pushed_camera_gets_a_token_that_the_camera_service_alone_reads(
    tmp_path: Path,
) -> None:
    carry_out(replace(plan(tmp_path), pushed=("push-1", "gate")), now=NOW)
    made = files(tmp_path)
    carry_out(replace(plan(tmp_path), pushed=("push-1", "push-2")), now=NOW)

    tokens = {name: text for name, text in files(tmp_path).items() if "push-token" in name}
    assert set(tokens) == {f"camera/push-token-{name}" for name in ("gate", "push-1", "push-2")}
    assert len(set(tokens.values())) == 3
    assert all(len(token.strip()) >= 32 for token in tokens.values())
    assert tokens["camera/push-token-push-1"] == made["camera/push-token-push-1"], "it stays"


def test_nothing_made_is_readable_by_others(tmp_path: Path) -> None:
    carry_out(replace(plan(tmp_path), pushed=("gate",)), now=NOW)

    assert not [path for path in tmp_path.rglob("*") if path.stat().st_mode & 0o077]


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    carry_out(plan(tmp_path), now=NOW)
    before = files(tmp_path)

    carry_out(plan(tmp_path), now=NOW + 86_400)

    assert files(tmp_path) == before


def test_a_new_vehicle_gets_an_account_of_its_own(tmp_path: Path) -> None:
    carry_out(plan(tmp_path), now=NOW)

    carry_out(plan(tmp_path, "vehicle-1", "vehicle-2"), now=NOW)

    made = files(tmp_path)
    assert "topic write v2x/receipts/vehicle-2" in made["mosquitto/acl"]
    assert "vehicle-2:$7$" in made["mosquitto/passwords"]
    assert "vehicles/vehicle-2/hazardcast_mqtt_password" in made


def test_a_service_reads_its_password_from_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    carry_out(plan(tmp_path), now=NOW)
    monkeypatch.setenv("HAZARDCAST_SECRETS_DIR", str(tmp_path / "detector"))

    password = settings.load().mqtt_password

    assert password
    assert password.get_secret_value() == files(tmp_path)["detector/hazardcast_mqtt_password"].strip()  # fmt: skip


@pytest.mark.parametrize("name", ["alerter", "operator", "a/b", "a+", "", "a:b"])
def test_a_vehicle_cannot_take_the_account_of_another(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="--vehicle"):
        plan(tmp_path, name)


def test_the_rules_grant_only_topics_that_there_are(tmp_path: Path) -> None:
    carry_out(plan(tmp_path), now=NOW)
    known = {topic.filter for topic in topics.ALL} | {"v2x/#", "$SYS/#"}
    granted = re.findall(r"^topic \w+ (\S+)$", files(tmp_path)["mosquitto/acl"], re.MULTILINE)

    strange = [path for path in granted if path not in known and not any(topic.match(path.replace("+", "x")) for topic in topics.ALL)]  # fmt: skip

    assert granted
    assert not strange


@pytest.mark.parametrize("topic", [topics.ACTIVE, topics.BROADCAST], ids=["active", "broadcast"])
def test_only_the_alerter_may_say_what_vehicles_believe(
    tmp_path: Path, topic: topics.Topic[Any]
) -> None:
    carry_out(plan(tmp_path), now=NOW)
    user, sayers = "anonymous", set()
    for line in files(tmp_path)["mosquitto/acl"].splitlines():
        if line.startswith("user "):
            user = line.split()[1]
        if re.fullmatch(rf"topic (write|readwrite) ({re.escape(topic.filter)}|v2x/#|#)", line):
            sayers.add(user)

    assert sayers == {"alerter"}
