from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st
from vehicle_agent.sighting import Path
from vehicle_agent.tally import Tallies, Tally

from hazardcast.contract.messages import Datagram, ReceptionCounters
from hazardcast.testing import ManualClock, SignedStation

STATION = SignedStation(clock=ManualClock())


def alert(seq: int, tick: int, epoch: int = 1) -> Datagram:
    return Datagram(
        kind="alert", station=4097, epoch=epoch, seq=seq, tx=1.0, tick=tick, alert=STATION.alert()
    )


def heartbeat(seq: int, tick: int, epoch: int = 1) -> Datagram:
    beat = {"state": "ok", "interval_s": 10, "last_alert_seq": 0, "sent_alert_datagrams": 0, "sent_heartbeats": 1, "active_count": 0, "active_digest": ""}  # fmt: skip
    return Datagram.model_validate({"kind": "heartbeat", "station": 4097, "epoch": epoch, "seq": seq, "tx": 1.0, "tick": tick, "heartbeat": beat})  # fmt: skip


def count(*heard: Datagram | tuple[Datagram, Path]) -> ReceptionCounters:
    tallies = Tallies()
    for entry in heard:
        datagram, path = entry if isinstance(entry, tuple) else (entry, "multicast")
        tallies.count(datagram, path)
    (counters,) = tallies.counters()
    return counters


def ticks(counters: ReceptionCounters) -> tuple[int, int]:
    return counters.ticks_expected, counters.ticks_delivered


def datagrams(counters: ReceptionCounters) -> tuple[int, int]:
    return counters.datagrams_expected, counters.datagrams_unique


def test_what_came_before_the_vehicle_listened_is_not_its_loss() -> None:
    counters = count(alert(500, 80), alert(501, 80), alert(502, 81))

    assert ticks(counters) == (2, 2)
    assert datagrams(counters) == (3, 3)


def test_a_gap_is_a_loss_until_it_is_filled_late() -> None:
    assert datagrams(count(alert(1, 1), alert(4, 1))) == (4, 2)
    assert datagrams(count(alert(1, 1), alert(4, 1), alert(2, 1))) == (4, 3)


def test_one_copy_delivers_a_tick() -> None:
    assert ticks(count(alert(7, 1), alert(8, 2), alert(15, 3))) == (3, 3)


def test_a_tick_without_any_copy_is_lost() -> None:
    assert ticks(count(alert(1, 1), alert(9, 3))) == (3, 2)


def test_a_heartbeat_shows_what_was_lost_at_the_tail() -> None:
    counters = count(alert(1, 1), heartbeat(9, 3))

    assert ticks(counters) == (3, 1)
    assert datagrams(counters) == (9, 2)


def test_after_a_heartbeat_the_next_tick_is_the_first_expected() -> None:
    assert ticks(count(heartbeat(10, 5))) == (0, 0)
    assert ticks(count(heartbeat(10, 5), alert(11, 6))) == (1, 1)
    assert ticks(count(heartbeat(10, 5), alert(12, 7))) == (2, 1)


def test_a_group_that_goes_on_after_the_heartbeat_counts_as_heard() -> None:
    assert ticks(count(heartbeat(10, 5), alert(11, 5))) == (1, 1)


def test_a_new_epoch_counts_from_the_start() -> None:
    counters = count(alert(100, 50), alert(200, 90), alert(1, 1, epoch=2), alert(2, 1, epoch=2))

    assert (counters.epoch, ticks(counters), datagrams(counters)) == (2, (1, 1), (2, 2))


def test_the_second_path_delivers_ticks_but_the_radio_is_measured_by_itself() -> None:
    counters = count(alert(1, 1), (alert(2, 2), "mqtt"), (alert(9, 3), "mqtt"))

    assert ticks(counters) == (3, 3)
    assert datagrams(counters) == (9, 1)


def test_a_vehicle_that_only_has_the_second_path_reports_no_radio_loss() -> None:
    counters = count((alert(1, 1), "mqtt"), (alert(8, 2), "mqtt"))

    assert ticks(counters) == (2, 2)
    assert datagrams(counters) == (0, 0)


@given(st.sets(st.integers(0, 900), min_size=1), st.integers())
def test_a_tally_agrees_with_a_plain_set_whatever_the_order(numbers: set[int], seed: int) -> None:
    order = sorted(numbers) * 2
    random.Random(seed).shuffle(order)
    tally = Tally()
    for number in order:
        tally.deliver(number)

    assert tally.delivered == len(numbers)
    assert tally.expected == max(numbers) - min(numbers) + 1
