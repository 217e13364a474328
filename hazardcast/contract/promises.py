"""What the system promises, and when a figure counts as proof: the limits of every KPI."""

from __future__ import annotations

LATENCY_TARGET_S = 0.5
"""An incident's confirmation → the line on a vehicle's console, for every version of an alert."""
RECEPTION_TARGET = 0.99
"""Share of an alert's ticks of which a vehicle hears at least one copy."""
COVERAGE_TARGET = 0.999
"""Share of a clip's window with video; the rest is what single frames round away."""
MAX_CLOCK_ERROR_S = LATENCY_TARGET_S / 10
"""A clock known less well says nothing about the latency."""
