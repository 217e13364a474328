from __future__ import annotations

import pytest
from camera.channel import MOST_WAITING_BYTES, Channel
from camera.pacing import next_turn
from camera.transport_stream import Chunk
from hypothesis import given
from hypothesis import strategies as st

TABLES = b"tables"
KEY = Chunk(b"key", starts_frame=True, keyframe=True)
REST = Chunk(b"rest", starts_frame=False)
FRAME = Chunk(b"frame", starts_frame=True)


def test_a_client_begins_with_the_tables_and_the_next_keyframe() -> None:
    channel = Channel("one")
    client = channel.join()

    for chunk in (REST, FRAME, KEY, REST, FRAME):
        channel.send(chunk, TABLES)

    assert client.take(0) == b"tableskeyrestframe"
    channel.send(KEY, TABLES)
    assert client.take(0) == b"key"


def test_all_clients_get_the_same() -> None:
    channel = Channel("one")
    clients = [channel.join() for _ in range(3)]

    channel.send(KEY, TABLES)
    channel.send(FRAME, TABLES)

    assert {client.take(0) for client in clients} == {b"tableskeyframe"}


def test_a_slow_client_is_cut_off_and_others_are_not() -> None:
    channel = Channel("one")
    slow, quick = channel.join(), channel.join()
    large = Chunk(bytes(MOST_WAITING_BYTES // 8), starts_frame=True, keyframe=True)

    for _ in range(12):
        channel.send(large, TABLES)
        assert quick.take(0)

    assert slow.take(0) is None
    assert slow.closed_because == "slow"
    channel.send(FRAME, TABLES)
    assert quick.take(0) == b"frame"


def test_when_the_stream_ends_clients_are_let_go() -> None:
    channel = Channel("one")
    client = channel.join()

    channel.cut("stream ended")

    assert client.take(0) is None


def test_who_left_gets_nothing_more() -> None:
    channel = Channel("one")
    client = channel.join()

    channel.leave(client)
    channel.send(KEY, TABLES)

    assert client.take(0) is None
    assert client.closed_because == "left"


def test_a_client_that_waits_in_vain_gets_nothing_and_stays() -> None:
    client = Channel("one").join()

    assert client.take(0.01) == b""
    assert client.closed_because is None


@given(st.integers(0, 10_000), st.floats(0, 1_000), st.sampled_from([10.0, 15.0, 25.0, 30.0]))
def test_the_next_frame_is_never_one_whose_moment_has_passed(
    number: int, elapsed_s: float, fps: float
) -> None:
    turn = next_turn(number, elapsed_s, fps)

    assert turn.number > number
    assert turn.skipped == turn.number - number - 1
    assert turn.due_s == pytest.approx(turn.number / fps)
    assert turn.due_s > elapsed_s - 1 / fps
    if turn.skipped:
        assert turn.due_s > elapsed_s - 1e-4
        assert turn.due_s <= elapsed_s + 1 / fps + 1e-4


def test_a_frame_in_time_is_not_skipped() -> None:
    assert next_turn(14, 14 / 15 + 0.03, 15).number == 15
    assert next_turn(14, 15 / 15 + 0.03, 15).skipped == 0
    assert next_turn(14, 17.5 / 15, 15).skipped == 3
