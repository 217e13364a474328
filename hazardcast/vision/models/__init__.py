"""Detection models: built in, fetched, or a file of one's own; opened the same way."""

from hazardcast.config.settings import forbid_telemetry

forbid_telemetry()
