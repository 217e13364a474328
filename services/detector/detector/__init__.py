"""Sees incidents in video."""

from hazardcast.settings import forbid_telemetry

forbid_telemetry()
