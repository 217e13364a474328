"""One real stand of nine cameras for all cases, Debian's Chromium, and figures that are told at the end."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import RealBroker, missing
from tests.console.acceptance.stand import PASSWORD, Stand

CAMERAS = 9
ONE = "one"
"""An account that may see the first camera alone."""


SHORT = "test_words.py"
"""These cases need no video: they run always, the others with `make long-console`."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--full-length"):
        return
    alone = pytest.mark.skip(reason="nine cameras and an hour: make long-console")
    here = [item for item in items if Path(__file__).parent in item.path.parents]
    for item in here:
        if item.path.name != SHORT:
            item.add_marker(alone)


@pytest.fixture(scope="session")
def broker(
    mosquitto_program: str, mosquitto_clients: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RealBroker]:
    server = RealBroker(tmp_path_factory.mktemp("broker"), "mosquitto")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def stand(broker: RealBroker, ffmpeg: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:  # fmt: skip
    stand = Stand(tmp_path_factory.mktemp("stand"), broker, cameras=CAMERAS, scene="demo://normal")
    try:
        stand.start()
        stand.give_account(ONE, "viewer", ["camera-1"])
        yield stand
    finally:
        stand.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api")
    program = shutil.which("chromium") or str(missing("chromium"))
    with playwright.sync_playwright() as run:
        browser = run.chromium.launch(executable_path=program, args=["--no-sandbox", "--js-flags=--expose-gc"])  # fmt: skip
        yield browser
        browser.close()


@pytest.fixture
def profile(browser: Any) -> Iterator[Callable[..., Any]]:
    """`profile(url, "one")`: a browser profile of its own, signed in; without a name as a guest."""
    made = []

    def new(url: str, name: str | None = None, **options: Any) -> Any:
        context = browser.new_context(**{"viewport": {"width": 1440, "height": 900}, **options})
        made.append(context)
        if name:
            typed = {"name": name, "password": PASSWORD}
            answer = context.request.post(f"{url}api/v1/login", data=typed)
            assert answer.status == 204, answer.text()
        return context

    yield new
    for context in made:
        context.close()


@pytest.fixture
def figure(record_property: Callable[[str, object], None]) -> Callable[..., None]:
    """`figure("age p95", 1.6, "s", "≤ 3 s")`: told at the end of the run, whatever else fails."""

    def told(name: str, value: float, unit: str, aim: str = "") -> None:
        record_property("figure", f"{name}: {value:.3g} {unit}{f'  (aim {aim})' if aim else ''}")

    return told


@pytest.fixture
def slack(full_length: bool) -> float:
    """Beside other tests a short run bears so many times what is aimed at; a long one is alone."""
    return 1.0 if full_length else 3.0
