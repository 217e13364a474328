"""YAML with the line of every key; a key written twice is an error.

Plain words are read as YAML 1.2 reads them: `0010` is ten, `1:30` and `2024-01-01` are texts. Keys
are texts as they are written, so that `no:` and `017:` stay what they are.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

MOST_BYTES = 4_000_000
MOST_VALUES = 200_000
"""An alias counts as often as it is used: a few lines can mean billions of values."""
DEEPEST = 40
Path = tuple[str | int, ...]
_STR, _NULL, _BOOL, _INT, _FLOAT, _MERGE = (
    f"tag:yaml.org,2002:{name}" for name in ("str", "null", "bool", "int", "float", "merge")
)
_PLAIN = frozenset({_NULL, _BOOL, _INT, _FLOAT})
_TAGS = _PLAIN | {_STR, _MERGE, "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"}
_TRUE = frozenset({"true", "yes", "on"})
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class YamlError(Exception):
    """What is wrong with the text, in which line (from 1) if that is known, and under which key."""

    def __init__(self, message: str, line: int | None = None, path: Path = ()) -> None:
        self.line = line
        self.path = path
        super().__init__(message)


@dataclass(frozen=True)
class Document:
    """The values of a file, where they stand, and how the plain ones are written."""

    data: Any = None
    lines: dict[Path, int] = field(default_factory=dict)
    written: dict[Path, str] = field(default_factory=dict)


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012


for _tag, _pattern, _first in (
    (_MERGE, r"<<", "<"),
    (_NULL, r"~|null|Null|NULL|", "~nN\0"),
    (_BOOL, r"(?i:true|false|yes|no|on|off)", "tTfFyYnNoO"),
    (_INT, r"[-+]?[0-9]+(?:_[0-9]+)*|0x[0-9a-fA-F]+", "-+0123456789"),
    (_FLOAT, r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?", "-+.0123456789"),
    (_FLOAT, r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)", "-+."),
):
    _Loader.add_implicit_resolver(
        _tag, re.compile(rf"(?:{_pattern})\Z"), ["" if one == "\0" else one for one in _first]
    )


def read(raw: bytes) -> Document:
    """Read one document, in UTF-8 or, where its first bytes say so, UTF-16 or UTF-32.

    Raises:
        YamlError: it is none, has a key twice, or means more values than a configuration has.
    """
    if len(raw) > MOST_BYTES:
        raise YamlError(f"longer than {MOST_BYTES // 1_000_000} MB: no configuration")
    root = _composed(_decoded(raw))
    if root is None:
        return Document()
    builder = _Builder()
    return Document(builder.value(root, ()), builder.lines, builder.written)


def _decoded(raw: bytes) -> str:
    encoding = next((name for bom, name in _BOMS if raw.startswith(bom)), None)
    if encoding is None and b"\0" in raw[:2]:
        encoding = "utf-16-be" if raw[:1] == b"\0" else "utf-16-le"
    try:
        return raw.decode(encoding or "utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise YamlError("not UTF-8 text: save the file as UTF-8", line) from None


def _composed(text: str) -> yaml.Node | None:
    try:
        return yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise YamlError(_syntax(error), mark.line + 1 if mark else None) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise YamlError("not YAML: a control character", line) from None
    except yaml.YAMLError as error:
        raise YamlError(f"not YAML: {' '.join(str(error).split())}") from None
    except RecursionError:
        raise YamlError("nested too deeply") from None


def _syntax(error: yaml.MarkedYAMLError) -> str:
    problem = error.problem or "it cannot be read"
    if "'\\t'" in problem:
        problem = "a tab where blanks belong: indent with blanks"
    if "but found another document" in problem:
        problem = "a second document (---) in one file"
    return f"not YAML: {' '.join(problem.split())}"


class _Builder:
    """Makes values of nodes, and notes where they stand."""

    def __init__(self) -> None:
        self.lines: dict[Path, int] = {}
        self.written: dict[Path, str] = {}
        self._count = 0

    def value(self, node: yaml.Node, path: Path) -> Any:
        self._bound(node, path)
        self.lines.setdefault(path, _line(node))
        if isinstance(node, yaml.MappingNode):
            return {key: self._at(*pair, (*path, key)) for key, pair in self._pairs(node, path)}
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*path, at)) for at, item in enumerate(node.value)]
        return self._scalar(node, path)

    def _bound(self, node: yaml.Node, path: Path) -> None:
        self._count += 1
        if self._count > MOST_VALUES:
            raise YamlError("its aliases (*) stand for too many values", _line(node))
        if len(path) > DEEPEST:
            raise YamlError("nested too deeply", _line(node))
        if node.tag not in _TAGS:
            tag = node.tag.replace("tag:yaml.org,2002:", "!!")
            raise YamlError(f"the tag {tag} is not understood", _line(node), path)

    def _at(self, key: yaml.Node, value: yaml.Node, path: Path) -> Any:
        self.lines[path] = _line(key)
        return self.value(value, path)

    def _pairs(
        self, node: yaml.MappingNode, path: Path
    ) -> Iterator[tuple[str, tuple[yaml.Node, yaml.Node]]]:
        """Own keys as they stand; then those of merged mappings (`<<`), the first of a name."""
        seen: dict[str, int] = {}
        merged: list[yaml.MappingNode] = []
        for key, value in node.value:
            if key.tag == _MERGE:
                merged += _mappings(value, path)
                continue
            name = _name(key, path)
            if name in seen:
                again = f"written twice, first in line {seen[name]}"
                raise YamlError(again, _line(key), (*path, name))
            seen[name] = _line(key)
            yield name, (key, value)
        for other in merged:
            self._bound(other, (*path, "<<"))
            for name, pair in self._pairs(other, (*path, "<<")):
                if name not in seen:
                    seen[name] = _line(pair[0])
                    yield name, pair

    def _scalar(self, node: yaml.Node, path: Path) -> Any:
        if node.tag not in _PLAIN:
            return node.value
        if node.tag != _NULL:
            self.written[path] = node.value
        try:
            return _plain(node.tag, node.value)
        except ValueError:
            return node.value


def _plain(tag: str, text: str) -> bool | int | float | None:
    if tag == _NULL:
        return None
    if tag == _BOOL:
        return text.lower() in _TRUE
    if tag == _INT:
        return int(text, 16 if text.startswith("0x") else 10)
    lowered = text.lower()
    return float(lowered.replace(".inf", "inf").replace(".nan", "nan"))


def _mappings(value: yaml.Node, path: Path) -> list[yaml.MappingNode]:
    found = value.value if isinstance(value, yaml.SequenceNode) else [value]
    if not all(isinstance(one, yaml.MappingNode) for one in found):
        raise YamlError("<< takes a mapping, or a list of them", _line(value), path)
    return list(found)


def _name(key: yaml.Node, path: Path) -> str:
    if not isinstance(key, yaml.ScalarNode):
        raise YamlError("a key is one word, not a list or mapping", _line(key), path)
    return str(key.value)


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
