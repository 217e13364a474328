"""What the documents say is what the code does."""

from __future__ import annotations

import functools
import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from hazardcast import contracts, reference
from hazardcast.cli import MODULES_RUN, VERBS, build
from hazardcast.settings import PREFIX, Settings
from hazardcast.topics import ALL

ROOT = Path(__file__).resolve().parents[1]
READMES = [ROOT / "README.md", ROOT / "README.ko.md"]
DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("services/*/README.md")]
LABELS = {"camera", "kind", "reason", "result", "stage", "sender", "method"}


@pytest.mark.parametrize("readme", READMES, ids=lambda path: path.name)
def test_the_readmes_tables_are_made_from_the_code(readme: Path) -> None:
    assert contracts.readmes(ROOT)[readme.name] == readme.read_text(), "run: make schemas"


def test_every_text_of_the_tables_has_its_korean() -> None:
    assert not reference.texts(ROOT) - set(contracts.korean_words(ROOT))


@pytest.mark.parametrize("readme", READMES, ids=lambda path: path.name)
def test_every_variable_stands_in_the_readme_with_its_default(readme: Path) -> None:
    text = readme.read_text()

    missing = [row for row in reference.settings_rows() if f"| {row[0]} | {row[1]} |" not in text]
    invented = set(re.findall(rf"`({PREFIX}[A-Z0-9_]+)`", text)) - {
        PREFIX + name.upper() for name in Settings.model_fields
    }

    assert (missing, invented) == ([], set())


@pytest.mark.parametrize("readme", READMES, ids=lambda path: path.name)
def test_every_topic_stands_in_the_readme(readme: Path) -> None:
    text = readme.read_text()

    assert not [topic.template for topic in ALL if f"| `{topic.template}` |" not in text]


@pytest.mark.parametrize("readme", READMES, ids=lambda path: path.name)
def test_every_metric_stands_in_the_readme(readme: Path) -> None:
    text = readme.read_text()

    assert not [
        metric.name for metric in reference.metrics(ROOT) if f"| `{metric.name}` |" not in text
    ]


def test_metrics_keep_the_naming_rules() -> None:
    for metric in reference.metrics(ROOT):
        assert metric.name.startswith("hazardcast_"), metric
        assert metric.name.endswith("_total") == (metric.kind == "counter"), metric
        assert set(metric.labels) <= LABELS, metric


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_files_that_exist(document: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", document.read_text())

    broken = [link for link in links if "://" not in link and not (document.parent / link).exists()]

    assert not broken


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_make_targets_that_are_named_exist(document: Path) -> None:
    makefile = (ROOT / "Makefile").read_text()

    named = set(re.findall(r"`make ([a-z0-9-]+)", document.read_text()))

    assert not [target for target in named if not re.search(rf"^{target}:", makefile, re.MULTILINE)]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_verbs_and_options_of_the_command_line_that_are_named_exist(document: Path) -> None:
    for verb, rest in re.findall(r"\bhazardcast ([a-z]+)\b([^`\n#]*)", _code(document)):
        assert verb in VERBS, verb
        known = _help(verb)
        assert not [option for option in re.findall(r"--[a-z-]+", rest) if option not in known], verb  # fmt: skip


def _code(document: Path) -> str:
    """What stands in a document's code blocks and spans."""
    text = document.read_text()
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return "\n".join([*blocks, *re.findall(r"(?<!`)`([^`\n]+)`", text)])


@functools.cache
def _help(verb: str) -> str:
    """Every option of a verb and of what it consists of."""
    if verb in MODULES_RUN:
        file = importlib.util.find_spec(MODULES_RUN[verb]).origin
        return Path(file).read_text()
    return " ".join(_options(typer.main.get_command(build(verb)).commands[verb]))


def _options(command: Any) -> Iterator[str]:
    yield "--help"
    for parameter in command.params:
        yield from (*parameter.opts, *parameter.secondary_opts)
    for inner in getattr(command, "commands", {}).values():
        yield from _options(inner)


def test_what_is_run_in_containers_is_a_verb_of_the_command_line_or_a_program(documented_commands) -> None:  # fmt: skip
    """The Compose suite runs each of them."""
    programs = {"mosquitto_pub", "cat", "detector.models"}
    elsewhere = {*MODULES_RUN, "demo", "up"}  # they need more than the image `cli` holds

    for service, (program, *words) in documented_commands:
        if service == "cli" and program not in programs | {"VERB", "--help"}:
            assert program in set(VERBS) - elsewhere, program
        elif service != "cli":
            assert program in programs | {"hazardcast"}, program
            assert program != "hazardcast" or words[0] in VERBS, words

    assert len(documented_commands) > 12
