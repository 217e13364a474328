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
from hazardcast_tools.cli import MODULES_RUN, VERBS, build
from hazardcast_tools.generate import contracts, reference

from hazardcast.config.settings import PREFIX, Settings
from hazardcast.contract.topics import ALL

ROOT = Path(__file__).resolve().parents[1]
READMES = [ROOT / "README.md", ROOT / "README.ko.md"]
REFERENCE = ROOT / "docs" / "reference"
KOREAN = REFERENCE / "index.ko.md"
DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("services/*/README.md")]
LABELS = {"camera", "kind", "reason", "result", "stage", "sender", "method"}
MADE = contracts.documents(ROOT)
LONGEST_README = 150


@pytest.mark.parametrize("name", sorted(MADE))
def test_a_documents_tables_are_made_from_the_code(name: str) -> None:
    assert MADE[name] == (ROOT / name).read_text(), "run: make schemas"


def test_the_whole_reference_is_made_from_the_code() -> None:
    made = "".join((ROOT / name).read_text() for name in MADE)

    assert set(re.findall(r"<!-- table: (\w+) -->", made)) == {
        "variables", "settings", "topics", "types", "metrics", "messages", "cameras", "commands",
    }  # fmt: skip


@pytest.mark.parametrize("readme", READMES, ids=lambda path: path.name)
def test_the_readme_is_read_in_one_sitting(readme: Path) -> None:
    assert len(readme.read_text().splitlines()) <= LONGEST_README


def test_both_readmes_lead_to_the_same_documents() -> None:
    english, korean = (set(_links(readme)) for readme in READMES)

    assert english - korean == {"README.ko.md"}
    assert korean - english == {"README.md", "docs/reference/index.ko.md"}


def test_every_text_of_the_tables_has_its_korean() -> None:
    assert not reference.texts(ROOT) - set(contracts.korean_words(ROOT))


@pytest.mark.parametrize("page", [REFERENCE / "settings.md", KOREAN], ids=lambda path: path.name)
def test_every_variable_stands_in_the_reference_with_its_default(page: Path) -> None:
    text = page.read_text()

    missing = [row for row in reference.settings_rows() if f"| {row[0]} | {row[1]} |" not in text]

    assert not missing


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_document_invents_a_variable(document: Path) -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    known |= set(re.findall(rf"\b{PREFIX}[A-Z0-9_]+", _COMPOSE))

    assert not set(re.findall(rf"\b{PREFIX}[A-Z0-9_]*[A-Z0-9]\b", document.read_text())) - known


_COMPOSE = "".join(path.read_text() for path in ROOT.glob("compose*.yaml"))


@pytest.mark.parametrize("page", [REFERENCE / "messages.md", KOREAN], ids=lambda path: path.name)
def test_every_topic_stands_in_the_reference(page: Path) -> None:
    text = page.read_text()

    assert not [topic.template for topic in ALL if f"| `{topic.template}` |" not in text]


@pytest.mark.parametrize("page", [REFERENCE / "metrics.md", KOREAN], ids=lambda path: path.name)
def test_every_metric_stands_in_the_reference(page: Path) -> None:
    text = page.read_text()

    assert not [
        metric.name for metric in reference.metrics(ROOT) if f"| `{metric.name}` |" not in text
    ]


def test_every_answer_of_the_alerter_stands_in_the_reference() -> None:
    """The routes themselves are asked, so that none is forgotten."""
    from alerter.doors.webhook import Doors, application

    from hazardcast.service.metrics import Health

    app = application(Doors(lambda *_: None, list, Health(), "token"))  # type: ignore[arg-type]
    routes = {f"{method.upper()} {path}" for path, methods in app.openapi()["paths"].items() for method in methods}  # fmt: skip
    text = (REFERENCE / "http.md").read_text()

    assert len(routes) > 5
    assert not [route for route in routes if f"| `{route}` |" not in text]


def test_every_verb_stands_in_the_reference() -> None:
    text = (REFERENCE / "cli.md").read_text()

    assert not [verb for verb in VERBS if f"## `hazardcast {verb}`" not in text]


def test_one_name_of_a_metric_has_one_meaning() -> None:
    names = [metric.name for metric in reference.metrics(ROOT)]

    assert not [name for name in names if names.count(name) > 1]


def test_metrics_keep_the_naming_rules() -> None:
    for metric in reference.metrics(ROOT):
        assert metric.name.startswith("hazardcast_"), metric
        assert metric.name.endswith("_total") == (metric.kind == "counter"), metric
        assert set(metric.labels) <= LABELS, metric


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_files_that_exist(document: Path) -> None:
    assert not [link for link in _links(document) if not (document.parent / link).exists()]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_to_a_heading_lead_to_one(document: Path) -> None:
    links = re.findall(r"\]\(([^)#\s:]*)#([^)]+)\)", document.read_text())

    assert not [
        f"{link}#{anchor}"
        for link, anchor in links
        if anchor not in _anchors(document.parent / link if link else document)
    ]


def test_each_question_of_the_architecture_is_answered_where_it_leads() -> None:
    page = ROOT / "docs" / "architecture.md"
    rows = re.findall(r"^\| ([^|]+\?) \| (.+) \|$", page.read_text(), re.MULTILINE)

    assert len(rows) >= 10
    for question, answer in rows:
        files = re.findall(r"\]\(([^)]+)\)", answer)
        told = "".join((page.parent / file).read_text() for file in files)
        named = re.findall(r"(?<!\[)`(\w+)`", answer)
        assert files, question
        assert [name for name in named if not re.search(rf"\b{name}\b", told)] == [], question


def _links(document: Path) -> list[str]:
    """The files that a document leads to."""
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", document.read_text())
    return [link for link in links if "://" not in link]


@functools.cache
def _anchors(document: Path) -> set[str]:
    """The headings as GitHub names them."""
    headings = re.findall(r"^#+ (.*)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


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
    blocks = re.findall(r"^```sh[^\n]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return "\n".join([*blocks, *re.findall(r"(?<!`)`([^`\n]+)`", text)])


@functools.cache
def _help(verb: str) -> str:
    """Every option of a verb and of what it consists of."""
    if verb in MODULES_RUN:
        found = importlib.util.find_spec(MODULES_RUN[verb])
        assert found, verb
        assert found.origin, verb
        file = Path(found.origin)
        return (file.with_name("__main__.py") if file.name == "__init__.py" else file).read_text()
    return " ".join(_options(_command(verb)))


def _command(verb: str) -> Any:
    return vars(typer.main.get_command(build(verb)))["commands"][verb]


def _parts(verb: str) -> set[str]:
    """What a verb consists of: `list`, `rotate`."""
    return set(getattr(_command(verb), "commands", ()))


def _options(command: Any) -> Iterator[str]:
    yield "--help"
    for parameter in command.params:
        yield from (*parameter.opts, *parameter.secondary_opts)
    for inner in getattr(command, "commands", {}).values():
        yield from _options(inner)


def test_what_is_run_in_containers_is_a_verb_of_the_command_line_or_a_program(documented_commands) -> None:  # fmt: skip
    """The Compose suite runs each of them."""
    programs = {"mosquitto_pub", "cat", "detector.models", "pg_dump"}
    elsewhere = {*MODULES_RUN, "demo", "up"}  # they need more than the image `cli` holds

    for service, (program, *_words) in documented_commands:
        if service == "cli" and program not in programs | {"VERB", "--help"}:
            assert program in set(VERBS) - elsewhere, program
        elif service == "keys":
            assert program in _parts("keys"), program
        elif service not in ("cli", "check"):
            assert program in programs, program

    assert len(documented_commands) > 12
