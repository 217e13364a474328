"""YAML with lines: nothing is dropped without a word, and words stay what they are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hazardcast.config import yaml_lines
from hazardcast.config.yaml_lines import YamlError


def refused(raw: bytes) -> YamlError:
    with pytest.raises(YamlError) as caught:
        yaml_lines.read(raw)
    return caught.value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0010", 10),
        ("0x1F", 31),
        ("1_000", 1000),
        ("-3", -3),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("1:30", "1:30"),
        ("2024-01-01", "2024-01-01"),
        ("0o10", "0o10"),
        ("true", True),
        ("no", False),
        ("'no'", "no"),
        ("!!str 007", "007"),
        ("~", None),
        ("", None),
        ("한글", "한글"),
    ],
)
def test_plain_words_are_read_as_people_mean_them(text: str, value: object) -> None:
    read = yaml_lines.read(f"a: {text}".encode()).data["a"]

    assert (read, type(read)) == (value, type(value))


def test_keys_and_plain_values_keep_their_spelling() -> None:
    document = yaml_lines.read(b"no: 007\n017: on\n1e3: x\n12:30: y\n2024-01-01: z")

    assert list(document.data) == ["no", "017", "1e3", "12:30", "2024-01-01"]
    assert document.written == {("no",): "007", ("017",): "on"}


def test_every_key_and_item_knows_its_line() -> None:
    lines = yaml_lines.read(b"a:\r\n  b: 1\r\n  c:\r\n    - x\r\n    - y\r\n").lines

    assert lines[("a",)] == 1
    assert lines[("a", "b")] == 2
    assert lines[("a", "c")] == 3
    assert lines[("a", "c", 1)] == 5


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])  # fmt: skip
def test_any_unicode_file_is_read(encoding: str) -> None:
    assert yaml_lines.read("name: 교차로".encode(encoding)).data == {"name": "교차로"}


def test_merged_mappings_are_laid_under_and_keep_their_lines() -> None:
    document = yaml_lines.read(
        b"x: &x {a: 1, b: 2}\nz: &z\n  c: 3\ny:\n  <<: [*x, *z, {a: 9, d: 4}]\n  b: 7"
    )

    assert document.data["y"] == {"b": 7, "a": 1, "c": 3, "d": 4}
    assert [document.lines[("y", key)] for key in "abcd"] == [1, 6, 3, 5]


@pytest.mark.parametrize(
    ("raw", "line", "said"),
    [
        (b"a: 1\nb: 2\na: 3", 3, "written twice, first in line 1"),
        (b"a:\n  no: 1\n  'no': 2", 3, "written twice, first in line 2"),
        (b"a:\n\tb: 1", 2, "a tab where blanks belong"),
        (b"a: 1\n---\nb: 2", 2, "a second document"),
        (b"a: 1\n b: 2", 2, "not YAML"),
        (b"a: 1\nb: *x", 2, "undefined alias"),
        (b"a: 1\nb: \x07", 2, "a control character"),
        ("a: 1\nb: 한".encode("cp949"), 2, "save the file as UTF-8"),
        (b"a: 1\n? [1]\n: 2", 2, "a key is one word"),
        (b"a: 1\nb: {<<: 3}", 2, "<< takes a mapping"),
        (b"a: 1\nb: !!python/object/apply:os.system [ls]", 2, "is not understood"),
        (b"a: &a [*a]", 1, "nested too deeply"),
        (b"a: &a\n  <<: *a", 1, "nested too deeply"),
        (b"[" * 5000, None, "nested too deeply"),
        (b"#" * (yaml_lines.MOST_BYTES + 1), None, "no configuration"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(raw: bytes, line: int | None, said: str) -> None:
    error = refused(raw)

    assert said in str(error)
    assert error.line == line


def test_a_few_lines_that_mean_billions_of_values_are_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]

    assert "too many values" in str(refused("\n".join(lines).encode()))


@pytest.mark.parametrize("raw", [b"", b"# nothing", b"\n\n"])
def test_an_empty_file_is_an_empty_document(raw: bytes) -> None:
    assert yaml_lines.read(raw) == yaml_lines.Document()


@given(
    st.binary(max_size=60)
    | st.text(alphabet="ab:{}[]&*!<>-?'\"\n\t #|1.", max_size=60).map(str.encode)
)
def test_no_bytes_crash_the_reader(raw: bytes) -> None:
    try:
        yaml_lines.read(raw)
    except YamlError as error:
        assert str(error)
