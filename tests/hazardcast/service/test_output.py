"""Who writes lines never waits for who reads them."""

from __future__ import annotations

import io
import os
import sys
import threading
from collections.abc import Iterator
from typing import TextIO

import pytest

from hazardcast.service.output import Output
from hazardcast.testing import eventually


class Pipe:
    """A pipe of which nobody reads until told to."""

    def __init__(self, encoding: str = "utf-8") -> None:
        self._out, descriptor = os.pipe()
        self.stream: TextIO = os.fdopen(descriptor, "w", encoding=encoding)

    def fill(self) -> None:
        """Leave no room, so that the next write(2) waits."""
        os.set_blocking(self.stream.fileno(), False)
        try:
            while True:
                os.write(self.stream.fileno(), b"." * 4096)
        except BlockingIOError:
            os.set_blocking(self.stream.fileno(), True)

    def read(self) -> str:
        return os.read(self._out, 1_000_000).decode("utf-8")

    def hang_up(self) -> None:
        os.close(self._out)
        self._out = -1

    def close(self) -> None:
        """Let who still writes go, then end."""
        if self._out >= 0:
            self.hang_up()
        self.stream.close()


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    one = Pipe()
    yield one
    one.close()


def test_lines_arrive_in_order(pipe: Pipe) -> None:
    output = Output(pipe.stream)

    output.put("one", grave=True)
    output.put(lambda: "two")
    output.put("three", grave=True)

    assert output.flush(5)
    assert pipe.read() == "one\ntwo\nthree\n"


def test_nobody_waits_for_a_reader_and_the_next_line_says_how_many_are_lost(pipe: Pipe) -> None:
    counted: list[int] = []
    output = Output(pipe.stream, most=10, count=lambda: counted.append(1))
    pipe.fill()
    output.put("in hand")
    eventually(lambda: output._busy)

    for number in range(25):
        output.put(f"line {number}")
    assert not output.flush(0.05)
    pipe.read()
    assert output.flush(5)

    assert pipe.read().splitlines() == [
        "in hand",
        "(15 lines were lost: nobody read them in time)",
        *[f"line {number}" for number in range(15, 25)],
    ]
    assert len(counted) == 15


def test_grave_lines_give_way_last(pipe: Pipe) -> None:
    output = Output(pipe.stream, most=3)
    pipe.fill()
    output.put("in hand")
    eventually(lambda: output._busy)

    output.put("error", grave=True)
    for number in range(9):
        output.put(f"line {number}")
    pipe.read()
    assert output.flush(5)

    lines = pipe.read().splitlines()
    assert lines[-3:] == ["error", "line 7", "line 8"]


def test_a_reader_who_has_gone_costs_lines_and_nothing_else(pipe: Pipe) -> None:
    counted: list[int] = []
    output = Output(pipe.stream, count=lambda: counted.append(1))
    pipe.hang_up()

    output.put("one")
    output.put("two")

    assert output.flush(5)
    assert len(counted) == 2


def test_a_line_that_cannot_be_made_costs_itself_only(pipe: Pipe) -> None:
    def fail() -> str:
        raise RuntimeError("no such line")

    output = Output(pipe.stream)

    output.put(fail)
    output.put("after")

    assert output.flush(5)
    assert pipe.read().splitlines()[-1] == "after"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp949"])
def test_letters_that_the_reader_cannot_show_are_spelt_out(encoding: str) -> None:
    pipe = Pipe(encoding)
    output = Output(pipe.stream)

    output.put("한 é \U0001f600 \udc80")

    assert output.flush(5)
    assert os.read(pipe._out, 1000).decode(encoding).endswith("\\U0001f600 \\udc80\n")
    pipe.close()


def test_a_terminal_that_somebody_made_nonblocking_still_gets_whole_lines(pipe: Pipe) -> None:
    os.set_blocking(pipe.stream.fileno(), False)
    output = Output(pipe.stream)
    line = "x" * 60_000

    for _ in range(5):
        output.put(line)
    read = ""
    while read.count("\n") < 5:
        read += pipe.read()

    assert read == f"{line}\n" * 5


def test_a_stream_without_a_descriptor_is_written_to_as_well() -> None:
    stream = io.StringIO()
    output = Output(stream)

    output.put("one")

    assert output.flush(5)
    assert stream.getvalue() == "one\n"


def test_a_closed_output_leaves_no_thread_behind() -> None:
    before = threading.active_count()
    output = Output(sys.stderr)

    output.close()

    eventually(lambda: threading.active_count() <= before)
