"""What an operating system refuses is said in words: where, why, what to do."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from hazardcast.machine import refusals
from hazardcast.machine.refusals import in_words


def refused(path: Path, number: int = 0) -> OSError:
    """The error of making a file there, or one of that number."""
    if number:
        return OSError(number, os.strerror(number), str(path))
    try:
        path.open("x").close()
    except OSError as error:
        return error
    raise AssertionError(f"{path} could be made")


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")

    words = in_words(refused(tmp_path / "data" / "clips" / "a"))

    assert f"{tmp_path}/data is a file where a folder is expected; move it away" in words


def test_a_link_that_leads_nowhere_is_named_with_its_target(tmp_path: Path) -> None:
    (tmp_path / "data").symlink_to("/not/there")

    words = in_words(refused(tmp_path / "data" / "a"))

    assert f"{tmp_path}/data is a link to /not/there, which is not there" in words


def test_links_in_a_circle(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")

    assert "circle" in in_words(refused(tmp_path / "a" / "file"))


def test_a_name_that_is_too_long_says_how_long_it_may_be(tmp_path: Path) -> None:
    words = in_words(refused(tmp_path / ("x" * 300)))

    assert "a name of 300 bytes, 255 at most; choose a shorter one" in words
    assert len(words) < 400, "the path is cut"


def test_a_path_that_is_too_long(tmp_path: Path) -> None:
    path = tmp_path.joinpath(*["x" * 200] * 25)

    assert "a path of" in in_words(refused(path))


def test_a_name_that_is_no_text_is_shown_by_its_bytes(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/no\xff/file"))

    assert "no\\xff/file" in in_words(refused(path))


@pytest.mark.parametrize(
    ("number", "word"),
    [
        (errno.EROFS, "mounted for reading only"),
        (errno.ENOSPC, "takes no more"),
        (errno.EDQUOT, "quota"),
        (errno.EIO, "disk fails"),
        (errno.ESTALE, "mount it again"),
        (errno.ENOTCONN, "mount it again"),
        (errno.EPERM, "not permitted"),
        (errno.EISDIR, "a folder where a file is expected"),
        (errno.ENOEXEC, "not a program"),
    ],
)
def test_every_kind_has_its_words(tmp_path: Path, number: int, word: str) -> None:
    words = in_words(refused(tmp_path, number))

    assert words.startswith(f"{tmp_path}: ")
    assert word in words
    assert "Errno" not in words


def test_the_setting_that_leads_there_is_named(tmp_path: Path) -> None:
    words = in_words(refused(tmp_path, errno.EROFS), lambda _: "HAZARDCAST_DATA_DIR")

    assert words.startswith(f"HAZARDCAST_DATA_DIR: {tmp_path}: ")
    assert words.endswith(", or set HAZARDCAST_DATA_DIR")


def test_limits_of_the_process_name_no_path(tmp_path: Path) -> None:
    words = in_words(refused(tmp_path, errno.EMFILE), lambda _: "HAZARDCAST_DATA_DIR")

    assert words.startswith("too many open files: this process may have ")
    assert "ulimit -n" in words
    assert str(tmp_path) not in words


def test_an_error_that_is_unknown_is_said_as_the_system_says_it(tmp_path: Path) -> None:
    assert in_words(refused(tmp_path, errno.ECHILD)).endswith(": no child processes")
    assert in_words(OSError("no such luck")) == "no such luck"


def test_only_the_first_and_the_last_of_a_long_path_are_shown() -> None:
    text = refusals.shown(Path("/" + "a" * 5000 + "/end"))

    assert len(text) == refusals.LONGEST_SHOWN + 1
    assert text.startswith("/aaa")
    assert text.endswith("/end")
