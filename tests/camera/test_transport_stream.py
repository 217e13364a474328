from __future__ import annotations

import subprocess
from itertools import pairwise

import pytest
from camera import encoder, probe
from camera.transport_stream import Chunk, Splitter, ticks_after
from hypothesis import given
from hypothesis import strategies as st

from hazardcast.media.mpegts import PACKET_BYTES, WRAP


def made(ffmpeg: str, *output: str, seconds: float = 4.0) -> bytes:
    """A transport stream of a test picture."""
    command = [ffmpeg, "-loglevel", "error", "-f", "lavfi"]
    command += ["-i", f"testsrc=size=320x180:rate=15:duration={seconds:g}", *output]
    command += encoder.transport_stream()
    return subprocess.run(command, capture_output=True, check=True, timeout=60).stdout


@pytest.fixture(scope="session")
def stream(ffmpeg: str) -> bytes:
    return made(ffmpeg, *encoder.h264(15, preset="ultrafast", crf=28))


def frames(chunks: list[Chunk]) -> list[Chunk]:
    return [chunk for chunk in chunks if chunk.starts_frame]


@pytest.mark.network
def test_every_frame_is_found_with_its_time_and_the_keyframes(stream: bytes) -> None:
    splitter = Splitter()
    found = frames(splitter.feed(stream))

    assert len(found) == 60
    assert [number for number, chunk in enumerate(found) if chunk.keyframe] == [0, 15, 30, 45]
    decoded = [chunk.dts for chunk in found if chunk.dts is not None]
    assert len(decoded) == len(found)
    assert {ticks_after(a, b) for a, b in pairwise(decoded)} == {6000}
    assert splitter.stream_type == 0x1B
    assert len(splitter.tables) == 2 * PACKET_BYTES


@pytest.mark.network
@given(data=st.data())
def test_pieces_of_any_size_give_the_same_bytes_and_frames(
    stream: bytes, data: st.DataObject
) -> None:
    part = stream[: 120 * PACKET_BYTES]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(part)), max_size=30)))
    splitter, chunks = Splitter(), []
    for start, end in zip([0, *cuts], [*cuts, len(part)], strict=True):
        chunks += splitter.feed(part[start:end])
    whole = Splitter().feed(part)

    assert b"".join(c.data for c in chunks) == b"".join(c.data for c in whole)
    assert [(c.keyframe, c.pts) for c in frames(chunks)] == [
        (c.keyframe, c.pts) for c in frames(whole)
    ]


@pytest.mark.network
@given(st.binary(min_size=1, max_size=400))
def test_it_finds_its_way_back_after_rubbish(stream: bytes, rubbish: bytes) -> None:
    splitter = Splitter()
    splitter.feed(stream[: 40 * PACKET_BYTES])
    splitter.feed(rubbish)
    found = frames(splitter.feed(stream[40 * PACKET_BYTES :]))

    assert any(chunk.keyframe for chunk in found)


@given(st.lists(st.binary(max_size=600), max_size=8))
def test_no_bytes_break_it(pieces: list[bytes]) -> None:
    splitter = Splitter()
    for piece in pieces:
        for chunk in splitter.feed(piece):
            assert len(chunk.data) % PACKET_BYTES == 0


@given(st.lists(st.binary(min_size=187, max_size=187), max_size=8))
def test_no_packets_break_it(bodies: list[bytes]) -> None:
    sent = b"".join(b"\x47" + body for body in bodies)

    told = b"".join(chunk.data for chunk in Splitter().feed(sent))

    assert len(told) % PACKET_BYTES == 0
    assert all(told[at : at + PACKET_BYTES] in sent for at in range(0, len(told), PACKET_BYTES))


@given(st.integers(0, WRAP - 1), st.integers(0, WRAP - 1))
def test_times_wrap(first: int, length: int) -> None:
    assert ticks_after(first, (first + length) % WRAP) == length


@pytest.mark.network
@pytest.mark.parametrize(
    ("output", "copy", "reason"),
    [
        (["-c:v", "libx264", "-g", "15", "-bf", "0"], True, "no B-frames"),
        (["-c:v", "libx264", "-g", "15", "-bf", "2", "-sc_threshold", "0"], False, "B-frames"),
        (["-c:v", "libx264", "-g", "300", "-bf", "0"], False, "apart"),
        (["-c:v", "mpeg2video"], False, "H.264"),
    ],
)
def test_only_what_clients_can_join_quickly_is_copied(
    ffmpeg: str, output: list[str], copy: bool, reason: str
) -> None:
    splitter = Splitter()
    chunks = splitter.feed(made(ffmpeg, *output, "-pix_fmt", "yuv420p"))
    verdict = probe.judge(splitter.stream_type, chunks)

    assert verdict.copy is copy
    assert reason in verdict.reason


@given(st.text())
def test_a_duration_is_read_or_not_known(words: str) -> None:
    probe.duration_s(words)
    assert probe.duration_s(f"{words}\n  Duration: 01:02:03.50, start: 0.0") is not None


def test_a_duration_in_seconds() -> None:
    assert probe.duration_s("  Duration: 01:02:03.50, start: 0.000000") == 3723.5
    assert probe.duration_s("  Duration: N/A, start: 0.000000") is None
