"""Debian's Chromium on a drawn console; what the browser complains of fails the test."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from hazardcast.testing import eventually
from tests.conftest import free_port, missing

NETWORK_CHANGED = "net::ERR_NETWORK_CHANGED"
"""Other tests make interfaces beside these; Chromium then drops its connections, and the page asks
again."""
ROOT = Path(__file__).resolve().parents[3]


def until(page: Any, code: str, argument: Any = None, within_s: float = 10.0) -> None:
    """Wait until `code` holds in the page, asked from outside: the page's policy forbids `eval`."""
    eventually(
        lambda: page.evaluate(code, argument) or page.wait_for_timeout(50),
        within_s=within_s,
        what=code,
    )


@dataclass
class Console:
    """The fake console as a process."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        """The base of its addresses."""
        return f"http://localhost:{self.port}/"

    def lever(self, path: str, **told: Any) -> Any:
        """Make something happen there."""
        body = json.dumps(told).encode()
        head = {"Content-Type": "application/json"}
        with urllib.request.urlopen(
            urllib.request.Request(f"{self.url}fake/{path}", body, head)
        ) as answer:
            return json.load(answer)

    def seen(self) -> Any:
        """What the page sent."""
        with urllib.request.urlopen(f"{self.url}fake/seen") as answer:
            return json.load(answer)

    def answers(self) -> bool:
        """Whether it is up and a picture has been drawn."""
        try:
            with urllib.request.urlopen(f"{self.url}api/v1/cameras/camera-1/picture.jpg") as answer:
                return bool(answer.read())
        except OSError:
            return False


@pytest.fixture(scope="module")
def console() -> Iterator[Console]:
    port = free_port()
    command = [sys.executable, "-m", "tests.console.page.fake_console", "--port", str(port)]
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        made = Console(port, process)
        eventually(made.answers, within_s=30, what="the fake console draws")
        yield made
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api")
    program = shutil.which("chromium") or str(missing("chromium"))
    with playwright.sync_playwright() as run:
        browser = run.chromium.launch(
            executable_path=program,
            args=["--no-sandbox", "--autoplay-policy=no-user-gesture-required"],
        )
        yield browser
        browser.close()


def visit(page: Any, url: str) -> None:
    """Go there, and again where an interface came or went meanwhile."""
    from playwright.sync_api import Error

    for _ in range(5):
        try:
            page.goto(url)
            return
        except Error as error:
            if NETWORK_CHANGED not in str(error):
                raise
            page.wait_for_timeout(500)


@dataclass
class Complaints:
    """What the browser said that it should not have."""

    told: list[str] = field(default_factory=list)
    borne: tuple[str, ...] = ()
    """Parts of complaints that the test itself asked for, such as a refused request."""

    def hear_said(self, message: Any) -> None:
        """Of what a page writes to its console only errors are complaints."""
        if message.type == "error":
            self.hear("console", message.text)

    def hear(self, kind: str, text: str) -> None:
        """Keep it, unless the test expects it."""
        if not any(part in text for part in (*self.borne, NETWORK_CHANGED)):
            self.told.append(f"{kind}: {text}")


@pytest.fixture
def complaints() -> Complaints:
    return Complaints()


@pytest.fixture
def open_page(
    console: Console, browser: Any, complaints: Complaints
) -> Iterator[Callable[..., Any]]:
    """`open_page("incidents", language="ko", size=(390, 844))`: a tab of its own browser profile."""
    contexts = []

    def opened(path: str = "", *, language: str = "en", size: tuple[int, int] = (1440, 900), scheme: str = "dark") -> Any:  # fmt: skip
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, color_scheme=scheme,
            locale={"en": "en-GB", "ko": "ko-KR"}[language], timezone_id="America/Chicago",
        )  # fmt: skip
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", complaints.hear_said)
        page.on("pageerror", lambda error: complaints.hear("uncaught", str(error)))
        page.add_init_script(
            "addEventListener('securitypolicyviolation', e => console.error('CSP', e.violatedDirective, e.blockedURI))"
        )
        visit(page, console.url + path)
        page.wait_for_selector("main :is(h1, h2, .wall-line):visible")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not complaints.told
