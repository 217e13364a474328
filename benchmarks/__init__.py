"""Speed and memory, each figure beside the bare limit measured in the same run."""

from hazardcast.config.settings import forbid_telemetry

forbid_telemetry()
