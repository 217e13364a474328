"""When what waits is decided by nobody: its time is over, or no decision can be expected. Pure."""

from __future__ import annotations

from dataclasses import replace

from alerter.deciding.operators import Operators
from alerter.deciding.waiting import MOST_PROLONGED_S, Waiting
from hazardcast.config.alerting import OnTimeout

AWAY_S = 30.0
"""A broker that is away for longer keeps a broadcast waiting for nothing: the air needs none."""
LEAST_PROLONGED_S = 1.0
"""Less is a connection made anew, and not worth a word."""


def nobody(operators: Operators, on_timeout: OnTimeout, now: float) -> bool:
    """Whether nobody is to be waited for, before what `on_timeout` says is done.

    A broker that is away is no absence: who was there is believed to be. A drop waits for its own
    time all the same; a broadcast, which every second delays, for `AWAY_S` at most.
    """
    if not operators.present(now):
        return True
    return on_timeout == "broadcast" and operators.out_of_reach_s(now) > AWAY_S


def is_due(item: Waiting, operators: Operators, now: float) -> bool:
    """Whether its time is over, or nobody is to be waited for."""
    if item.closed is not None:
        return False
    if item.mode == "confirm" and nobody(operators, item.on_timeout, now):
        return True
    return now >= item.decide_by + _lost_s(item, operators.out_of_reach_s(now), now)


def prolonged(item: Waiting, away_s: float, now: float) -> Waiting:
    """As it waits on when the broker is back after `away_s`: what the outage took is given back."""
    lost_s = _lost_s(item, away_s, now)
    if item.closed is not None or lost_s < LEAST_PROLONGED_S:
        return item
    prolonged_s = item.prolonged_s + lost_s
    return replace(item, decide_by=item.decide_by + lost_s, prolonged_s=prolonged_s, updated_at=now)


def _lost_s(item: Waiting, away_s: float, now: float) -> float:
    """For how long no decision on it could come; `MOST_PROLONGED_S` for each at most, in all.

    A broadcast is not put off, and nothing is decided on what is in shadow.
    """
    if item.mode != "confirm" or item.on_timeout != "drop":
        return 0.0
    return max(0.0, min(away_s, now - item.since, MOST_PROLONGED_S - item.prolonged_s))
