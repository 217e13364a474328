"""Libraries are what the lock says, and the page's words are whole in both languages."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "services/console/console/page"
LOCK = json.loads((ROOT / "services/console/vendor.json").read_text("utf-8"))
FILES = {row["path"]: row["sha512"] for package in LOCK["packages"] for row in package["files"]}
CATALOGUES = {
    name: json.loads((PAGE / f"words/{name}.json").read_text("utf-8")) for name in ("en", "ko")
}
OWN = [path for path in PAGE.rglob("*.js") if "vendor" not in path.parts]
VALUE = re.compile(r"\{\w+\}")


@pytest.mark.parametrize("path", FILES)
def test_a_library_is_the_one_that_was_locked(path: str) -> None:
    assert hashlib.sha512((ROOT / path).read_bytes()).hexdigest() == FILES[path]


def test_nothing_stands_among_the_libraries_that_no_lock_names() -> None:
    folders = (PAGE / "vendor", Path(__file__).with_name("vendor"))
    there = {path.relative_to(ROOT).as_posix() for one in folders for path in one.rglob("*") if path.is_file()}  # fmt: skip

    assert there == set(FILES)


def test_every_library_may_be_given_away_with_the_page() -> None:
    licences = {package["name"]: package["licence"] for package in LOCK["packages"]}
    shown = {name for name in licences if name != "axe-core"}

    assert all(licences[name] in {"BSD-3-Clause", "BSD-2-Clause", "MIT", "Apache-2.0"} for name in shown)  # fmt: skip


def test_both_languages_say_the_same_things() -> None:
    assert CATALOGUES["en"].keys() == CATALOGUES["ko"].keys()


@pytest.mark.parametrize("key", CATALOGUES["en"])
def test_both_languages_fill_in_the_same_values(key: str) -> None:
    english, korean = (CATALOGUES[name][key] for name in ("en", "ko"))

    assert sorted(VALUE.findall(english)) == sorted(VALUE.findall(korean))
    assert korean.strip()


def test_every_word_that_the_page_asks_for_is_in_the_catalogue() -> None:
    asked = {
        key for path in OWN for key in re.findall(r'\bt\(\s*"([\w.]+)"', path.read_text("utf-8"))
    }

    assert asked
    assert not sorted(asked - CATALOGUES["en"].keys())


def test_the_page_names_no_other_host() -> None:
    told = {path.name: re.findall(r"https?://(?!www\.w3\.org)", path.read_text("utf-8"))
            for path in PAGE.rglob("*") if path.suffix in {".js", ".css", ".html", ".svg"} and "vendor" not in path.parts}  # fmt: skip

    assert not {name: hosts for name, hosts in told.items() if hosts}


def test_no_text_becomes_markup() -> None:
    ways = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|unsafeHTML|\beval\(|style=\""
    )

    assert not {path.name for path in OWN if ways.search(path.read_text("utf-8"))}


def test_no_module_outgrows_a_readers_patience() -> None:
    assert not {path.name for path in OWN if len(path.read_text("utf-8").splitlines()) > 300}
