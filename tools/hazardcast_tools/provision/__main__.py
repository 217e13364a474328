"""`python -m hazardcast_tools.provision`: the one-shot first step of a deployment."""

from __future__ import annotations

import argparse
import threading
from pathlib import Path

from hazardcast.config import site
from hazardcast.config.settings import Settings
from hazardcast.machine.clock import SystemClock
from hazardcast.service import lifecycle
from hazardcast_tools.provision.plan import Owners, Plan, carry_out


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m hazardcast_tools.provision",
        description="Make accounts, keys, tokens and certificates where they do not exist yet.",
    )
    parser.add_argument("--root", type=Path, default=Path("/provision"), help="one folder each")
    parser.add_argument("--rules", type=Path, default=Path("mosquitto"), help="the ACL's folder")
    parser.add_argument("--vehicle", action="append", default=[], help="a vehicle's account name")
    parser.add_argument("--broker-name", action="append", default=[], help="for its certificate")
    parser.add_argument("--service-uid", type=int, help="who reads what the services get")
    parser.add_argument("--mosquitto-uid", type=int, help="who reads what the broker gets")
    parser.add_argument("--grafana-uid", type=int, help="who reads what Grafana gets")
    parser.add_argument("--postgres-uid", type=int, help="who reads what PostgreSQL gets")
    return parser.parse_args()


def serve(settings: Settings, _stop: threading.Event) -> None:
    """Carry out the plan that arguments and configuration make."""
    arguments = _arguments()
    config = site.load(settings.config)
    plan = Plan(
        root=arguments.root,
        rules=arguments.rules,
        station=config.site.station_id,
        vehicles=tuple(arguments.vehicle or [settings.vehicle]),
        broker_names=tuple(dict.fromkeys(["mosquitto", "localhost", *arguments.broker_name])),
        owners=Owners(
            service=arguments.service_uid,
            mosquitto=arguments.mosquitto_uid,
            grafana=arguments.grafana_uid,
            postgres=arguments.postgres_uid,
        ),
        pushed=tuple(config.without_token),
    )
    carry_out(plan, now=SystemClock().now())


if __name__ == "__main__":
    lifecycle.run_service(serve)
