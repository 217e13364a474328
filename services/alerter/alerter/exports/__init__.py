"""Alerts for other systems: DENM, CAP, POSTs to subscribers."""
