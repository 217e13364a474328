"""The names of the services, as they stand in topics, accounts, containers and log lines."""

from __future__ import annotations

SERVICES = ("camera", "recorder", "detector", "alerter", "clipper", "console")
"""Those of a station, in the order of the flow."""
VEHICLE_AGENT = "vehicle-agent"
EVERY_SERVICE = (*SERVICES, VEHICLE_AGENT)
