"""Accounts and tokens, as an admin gives them, and one's own password."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.console.page.conftest import Complaints, until
from tests.console.page.test_pages import PHONE, violations

Open = Callable[..., Any]


@pytest.fixture(autouse=True)
def admin(console: Any) -> Iterator[None]:
    console.lever("set", name="admin", role="admin")
    yield
    console.lever("set", name="kim", role="operator")


def test_an_admin_gives_an_account_for_one_camera(open_page: Open, console: Any) -> None:
    page = open_page("accounts")
    page.click("text=New account")
    page.fill("hc-account-form [name=name]", "olivia")
    page.select_option("hc-account-form [name=role]", "operator")
    page.fill("hc-account-form [name=password]", "correct horse")
    page.uncheck("fieldset :text('All cameras')")
    page.check("fieldset >> text=Mill Street bridge")
    assert not violations(page)
    page.click("text=Save")

    page.wait_for_selector(".accounts strong:text-is('olivia')")
    olivia = console.seen()["accounts"]["olivia"]
    assert (olivia["role"], olivia["cameras"]) == ("operator", ["camera-2"])


def test_an_account_is_disabled_and_keeps_its_cameras(open_page: Open, console: Any) -> None:
    page = open_page("accounts")
    page.click("[aria-label='Change lobby']")
    page.check("[name=disabled]")
    page.click("text=Save")

    page.wait_for_selector(".accounts .chip.danger")
    lobby = console.seen()["accounts"]["lobby"]
    assert (lobby["disabled"], lobby["role"], lobby["cameras"]) == (True, "kiosk", ["camera-1"])


def test_nobody_changes_their_own_rights_here_and_removing_is_held(open_page: Open, console: Any) -> None:  # fmt: skip
    page = open_page("accounts", size=PHONE, language="ko")
    page.wait_for_selector(".accounts li")
    assert not page.query_selector("[aria-label^='admin']")

    page.click("[aria-label='kim 변경']")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    remove = page.wait_for_selector("hc-account-form .hold")
    remove.click()
    assert "kim" in console.seen()["accounts"]
    remove.click(delay=1200)
    until(page, "() => !document.querySelector(\"[aria-label='kim 변경']\")")
    assert "kim" not in console.seen()["accounts"]
    console.lever("account", name="kim", role="operator", cameras=None)


def test_a_token_is_shown_once_and_withdrawn(open_page: Open, console: Any) -> None:
    page = open_page("accounts")
    page.click("text=New token")
    page.fill("[name=note]", "statistics of the city")
    assert not violations(page)
    page.click("hc-tokens form button")

    assert page.wait_for_selector(".secret code").inner_text() == "told-this-once"
    [token] = console.seen()["tokens"].values()
    assert (token["account"], token["scope"]) == ("admin", "look")
    assert token["until"] > 0
    page.wait_for_selector("hc-tokens .accounts .hold").click(delay=1200)
    page.wait_for_selector("text=There are none.")
    assert not console.seen()["tokens"]
    assert not page.query_selector(".secret")


def test_who_gives_no_accounts_sees_only_their_own(open_page: Open, console: Any, complaints: Complaints) -> None:  # fmt: skip
    complaints.borne = ("401",)
    console.lever("set", name="kim", role="operator")
    page = open_page("accounts")
    assert not page.query_selector("hc-tokens")
    page.fill("[name=old]", "wrong")
    page.fill("[name=new]", "a longer one than before")
    page.click("main form button")
    page.wait_for_selector(".said.danger")

    page.fill("[name=old]", "right")
    page.click("main form button")
    page.wait_for_selector(".said.ok")
    assert page.input_value("[name=new]") == ""
