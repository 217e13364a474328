"""Sees incidents in video."""

from hazardcast.config.settings import forbid_telemetry

forbid_telemetry()
