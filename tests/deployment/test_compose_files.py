"""The Compose files ask for nothing that a machine may lack."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted([*ROOT.glob("compose*.yaml"), *ROOT.glob("tests/compose/*.yaml")])
PROCESSORS = {"cpus", "cpu_count", "cpu_percent", "cpu_quota", "cpu_period", "cpu_rt_runtime", "cpu_rt_period", "cpuset"}  # fmt: skip
"""Docker refuses to start a container that asks for more of these than there is."""
ONE_CORE = ROOT / "tests/compose/one_core.yaml"
"""Holds a test to the one processor that every machine has."""
MOST_MEMORY_MB = 2048
ALERT_PATH = ("mosquitto", "alerter", "vehicle-agent")
UNITS_MB = {"m": 1, "g": 1024}


class Loader(yaml.SafeLoader):
    """Knows Compose's own tags, `!reset` and `!override`."""


def _untagged(loader: Loader, _suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    assert isinstance(node, yaml.MappingNode), node
    return loader.construct_mapping(node, deep=True)


Loader.add_multi_constructor("!", _untagged)


def load(path: Path) -> dict[str, Any]:
    return yaml.load(path.read_text(), Loader)  # a SafeLoader


def services(path: Path) -> dict[str, dict[str, Any]]:
    return {name: service or {} for name, service in load(path).get("services", {}).items()}


def resources(service: dict[str, Any]) -> dict[str, Any]:
    return service.get("deploy", {}).get("resources", {})


def keys(value: Any) -> Iterator[str]:
    """Every key at any depth."""
    if isinstance(value, dict):
        yield from value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():  # fmt: skip
        yield from keys(inner)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_container_asks_for_a_number_of_processors(path: Path) -> None:
    asked = {(name, key) for name, service in services(path).items() for key in keys(service) if key in PROCESSORS}  # fmt: skip

    allowed = {(name, "cpuset") for name in services(path)} if path == ONE_CORE else set()
    assert not asked - allowed
    assert {service.get("cpuset", "0") for service in services(path).values()} <= {"0"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_is_reserved_and_no_device_is_needed(path: Path) -> None:
    for name, service in services(path).items():
        assert "reservations" not in resources(service), name
        assert not {"mem_reservation", "devices", "gpus", "runtime", "ulimits", "sysctls", "platform"} & set(service), name  # fmt: skip


def test_every_container_has_a_bound_of_memory_and_processes() -> None:
    for name, service in services(ROOT / "compose.yaml").items():
        limits = resources(service)["limits"]
        told = re.fullmatch(r"(\d+)([mg])", limits["memory"])
        assert told, limits["memory"]
        size, unit = told.groups()
        assert int(size) * UNITS_MB[unit] <= MOST_MEMORY_MB, name
        assert limits["pids"] > 0, name


def test_where_processors_are_short_the_alert_goes_before_seeing_and_figures() -> None:
    weight = {name: service.get("cpu_shares", 1024) for name, service in services(ROOT / "compose.yaml").items()}  # fmt: skip

    first = min(weight[name] for name in ALERT_PATH)
    others = set(weight) - set(ALERT_PATH)
    assert all(first >= 4 * weight[name] for name in others), weight
    assert weight["recorder"] > weight["detector"] > weight["prometheus"]


def mounted(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Folders of this machine that containers see, as (default source, the mount)."""
    for service in services(path).values():
        for mount in service.get("volumes", []):
            long = isinstance(mount, dict)
            source = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", mount["source"] if long else mount)
            if source.startswith("."):
                yield source.split(":")[0], mount if long else {"source": mount}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_folders_that_containers_see_by_default_are_in_the_repository(path: Path) -> None:
    for source, _ in mounted(path):
        assert any((ROOT / source).iterdir()), source


def test_a_folder_that_a_setting_names_wrongly_is_an_error_and_not_a_new_empty_folder() -> None:
    named = [mount for _, mount in mounted(ROOT / "compose.yaml") if "${" in mount["source"]]

    assert {mount["target"] for mount in named} == {"/app/config", "/footage"}
    assert not [mount for mount in named if mount["bind"]["create_host_path"]]
