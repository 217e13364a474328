"""The published contracts are what the code says."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml
from hazardcast_tools.generate import contracts, field_docs

from hazardcast.contract import vocabulary

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "tests" / "hazardcast" / "examples"


@pytest.mark.parametrize("name", sorted(contracts.render()))
def test_the_published_file_is_what_the_code_says(name: str) -> None:
    assert (ROOT / name).read_text() == contracts.render()[name], "run: make schemas"


def test_no_published_schema_is_left_over() -> None:
    published = {f"schemas/{path.name}" for path in (ROOT / "schemas").glob("*.json")}

    assert published == set(contracts.render()) - {"asyncapi.yaml"}


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.json")), ids=lambda path: path.stem)
def test_golden_examples_satisfy_the_published_schemas(path: Path) -> None:
    names = {contracts.kebab(model): model.__name__ for model in contracts._models()}
    kind = path.stem.split(".")[0]
    name = next(kebab for kebab, model in names.items() if model == kind)
    schema = json.loads((ROOT / "schemas" / f"{name}.json").read_text())

    jsonschema.validate(json.loads(path.read_text()), schema)


def test_asyncapi_refers_only_to_files_and_channels_that_exist() -> None:
    document = yaml.safe_load((ROOT / "asyncapi.yaml").read_text())

    for channel in document["channels"].values():
        reference = channel["messages"]["message"]["payload"].get("$ref")
        assert reference is None or (ROOT / reference).is_file()
    for operation in document["operations"].values():
        assert operation["channel"]["$ref"].removeprefix("#/channels/") in document["channels"]


@pytest.mark.parametrize("name", sorted(contracts.render()))
def test_every_published_field_says_what_it_means(name: str) -> None:
    if name == "asyncapi.yaml":
        return
    schema = json.loads((ROOT / name).read_text())
    parts = {"": schema, **schema.get("$defs", {})}

    assert not [
        f"{part}.{field}"
        for part, model in parts.items()
        for field, about in model.get("properties", {}).items()
        if not about.get("description")
    ]


@pytest.mark.parametrize(
    "words",
    [vocabulary.ServiceState, vocabulary.CameraState, vocabulary.ClipStage, vocabulary.GapCause],
)
def test_every_word_on_the_bus_says_what_it_means(words: type) -> None:
    assert not [word for word, meaning in field_docs.meanings(words).items() if not meaning]
