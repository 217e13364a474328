"""Who gets which secrets at a first start; run again, it changes only what is missing or stale."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from hazardcast.contract.errors import ConfigError
from hazardcast.contract.service_names import SERVICES
from hazardcast.signing import trust
from hazardcast_tools.provision import certificates, passwords

log = logging.getLogger(__name__)

PEOPLE = "operator"
PASSWORD_FILE = "hazardcast_mqtt_password"  # noqa: S105 - a file's name
CONSOLE_PASSWORD_FILE = "hazardcast_console_password"  # noqa: S105 - a file's name
DATABASE_PASSWORD_FILE = "hazardcast_database_password"  # noqa: S105 - a file's name
GRAFANA_PASSWORD_FILE = "admin_password"  # noqa: S105 - a file's name
AUTHORITY_NAME = "Hazardcast broker authority"


@dataclass(frozen=True)
class Owners:
    """The user ids that read what is made; None keeps the user that runs this."""

    service: int | None = None
    mosquitto: int | None = None
    grafana: int | None = None
    postgres: int | None = None


@dataclass(frozen=True)
class Plan:
    """A folder below `root` for each that has secrets, so that each can be given its own alone."""

    root: Path
    rules: Path
    """The folder of `acl` and `vehicle.acl`."""
    station: int
    vehicles: tuple[str, ...]
    broker_names: tuple[str, ...]
    owners: Owners
    pushed: tuple[str, ...] = ()
    """The cameras that clients bring, and that `cameras.yaml` gives no token."""

    def __post_init__(self) -> None:
        taken = {*SERVICES, PEOPLE}
        for vehicle in self.vehicles:
            if vehicle in taken or not vehicle or set(vehicle) & set(":/+#"):
                raise ConfigError(f"--vehicle: {vehicle!r} cannot be an account's name")


def carry_out(plan: Plan, *, now: float) -> None:
    """Make what is missing, renew what ends soon, leave the rest as it is."""
    accounts = {name: _password(plan, name, name) for name in (*SERVICES, PEOPLE)}
    accounts |= {name: _password(plan, _vehicle_folder(plan, name), name) for name in plan.vehicles}
    trust.ensure_keys(plan.root / "alerter", station=plan.station)
    trust.ensure_clip_key(
        plan.root / "clipper" / trust.CLIP_KEY_FILE,
        station=plan.station,
        truststore=plan.root / "alerter" / trust.TRUSTSTORE_FILE,
    )
    _broker(plan, accounts, now=now)
    _hand_out(plan)
    _grafana(plan)
    _console(plan)
    _database(plan)
    _push_tokens(plan)


def _vehicle_folder(plan: Plan, vehicle: str) -> str:
    """The first vehicle's folder is `vehicle-agent`, the one of the agent that Compose starts."""
    return "vehicle-agent" if vehicle == plan.vehicles[0] else f"vehicles/{vehicle}"


def _password(plan: Plan, folder: str, account: str) -> str:
    path = plan.root / folder / PASSWORD_FILE
    if not path.exists():
        _write(path, passwords.new_password() + "\n", plan.owners.service)
        log.info("account made", extra={"account": account})
    return path.read_text(encoding="utf-8").strip()


def _broker(plan: Plan, accounts: dict[str, str], *, now: float) -> None:
    folder, owner = plan.root / "mosquitto", plan.owners.mosquitto
    entries = passwords.password_file(accounts, before=_read(folder / "passwords"))
    _write(folder / "passwords", entries, owner)
    _write(folder / "acl", _rules(plan), owner)
    for client in ("mosquitto_pub", "mosquitto_sub"):  # their own files of default options
        options = f"-u {PEOPLE}\n-P {accounts[PEOPLE]}\n"
        _write(folder / "clients" / client, options, owner)
    authority = _authority(plan, now=now)
    if not certificates.serves(_read(folder / "server.crt"), plan.broker_names, now=now):
        server = certificates.make_server(plan.broker_names, authority, now=now)
        _write(folder / "server.key", server.key, owner)
        _write(folder / "server.crt", server.certificate, owner)
        log.info("broker certificate made", extra={"names": ",".join(plan.broker_names)})


def _rules(plan: Plan) -> str:
    """The broker's access rules: those of the services, then those of each vehicle."""
    template = (plan.rules / "vehicle.acl").read_text(encoding="utf-8")
    vehicles = [template.replace("{vehicle}", name) for name in plan.vehicles]
    return "\n".join([(plan.rules / "acl").read_text(encoding="utf-8"), *vehicles])


def _authority(plan: Plan, *, now: float) -> certificates.Pair:
    certificate, key = plan.root / "authority" / "ca.crt", plan.root / "authority" / "ca.key"
    if not certificate.exists():
        pair = certificates.make_authority(AUTHORITY_NAME, now=now)
        _write(key, pair.key, None)
        _write(certificate, pair.certificate, None)
    return certificates.Pair(_read(certificate), _read(key))


def _hand_out(plan: Plan) -> None:
    """Give every client the authority's certificate, and whoever verifies the keys to trust."""
    vehicles = [_vehicle_folder(plan, name) for name in plan.vehicles]
    authority = _read(plan.root / "authority" / "ca.crt")
    keys = _read(plan.root / "alerter" / trust.TRUSTSTORE_FILE)
    for folder in (*SERVICES, PEOPLE, *vehicles):
        _write(plan.root / folder / "ca.crt", authority, plan.owners.service)
    for folder in (PEOPLE, "console", *vehicles):
        _write(plan.root / folder / trust.TRUSTSTORE_FILE, keys, plan.owners.service)
    _own(plan.root / "alerter", plan.owners.service)


def _grafana(plan: Plan) -> None:
    path = plan.root / "grafana" / GRAFANA_PASSWORD_FILE
    if not path.exists():
        _write(path, passwords.new_password() + "\n", plan.owners.grafana)


def _console(plan: Plan) -> None:
    """The first password of the operators' console: of its account `admin`."""
    path = plan.root / "console" / CONSOLE_PASSWORD_FILE
    if not path.exists():
        _write(path, passwords.new_password() + "\n", plan.owners.service)


def _database(plan: Plan) -> None:
    """The console's password at the PostgreSQL that Compose can start, told to both."""
    path = plan.root / "postgres" / "password"
    text = _read(path) or passwords.new_password() + "\n"
    _write(path, text, plan.owners.postgres)
    _write(plan.root / "console" / DATABASE_PASSWORD_FILE, text, plan.owners.service)


def _push_tokens(plan: Plan) -> None:
    """What opens each camera that a client brings, for the camera service alone."""
    for camera in plan.pushed:
        trust.ensure_token(plan.root / "camera" / trust.push_token_file(camera))
    _own(plan.root / "camera", plan.owners.service)


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _write(path: Path, text: str, owner: int | None) -> None:
    """Write what is new, readable by `owner` alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if _read(path) != text:
        trust.write_private(path, text)
    _own(path.parent, owner)


def _own(folder: Path, owner: int | None) -> None:
    """Give a folder with its files to `owner`, and close both to everybody else."""
    files: Iterable[Path] = [path for path in folder.iterdir() if path.is_file()]
    for path, mode in ((folder, 0o700), *((path, 0o600) for path in files)):
        if owner is not None and os.geteuid() == 0:
            os.chown(path, owner, owner)
        path.chmod(mode)
