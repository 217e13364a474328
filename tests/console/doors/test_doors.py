"""Signing in, and what each role may, over real HTTP."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import httpx
import pytest
from console.doors.account_file import AccountFile
from console.doors.accounts import Book
from console.doors.attempts import MOST_KNOWN
from console.doors.passwords import Passwords
from console.doors.privacy import Privacy
from console.doors.sessions import LASTS_S
from console.doors.viewer import Role
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from hazardcast.contract.errors import ConfigError
from hazardcast.testing import ManualClock

from .conftest import PASSWORD, House

PROBLEM = "application/problem+json"


def test_signing_in_gives_a_cookie_that_no_script_reads(house: House) -> None:
    client = house.browser(host="console.example")
    assert client.get("/api/v1/session").status_code == 401

    answer = client.post("/api/v1/login", json={"name": "olivia", "password": PASSWORD})

    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("hazardcast=")
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    told = client.get("/api/v1/session").json()
    assert (told["name"], told["role"], told["free_view"], told["may_decide"]) == ("olivia", "operator", False, True)  # fmt: skip
    assert told["site"]["time_zone"] == "UTC"


def test_free_view_is_nobody_who_looks_at_everything(house: House) -> None:
    told = house.browser(host="localhost").get("/api/v1/session").json()

    assert (told["name"], told["role"], told["cameras"], told["free_view"]) == (None, "viewer", None, True)  # fmt: skip
    assert not told["may_decide"]


@pytest.mark.parametrize(
    "typed",
    [{"name": "olivia", "password": "wrong"}, {"name": "nobody", "password": PASSWORD}],
    ids=["password", "name"],
)
def test_what_was_wrong_is_not_told(house: House, typed: dict[str, str]) -> None:
    answer = house.browser().post("/api/v1/login", json=typed)

    assert answer.status_code == 401
    assert answer.json()["detail"] == "name or password is wrong"
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "body", ["", "[]", '{"name":"olivia"}', '{"name":"olivia","password":"\\ud800"}', "nonsense",
             '{"name":"olivia","password":"x","more":1}']
)  # fmt: skip
def test_a_login_that_is_none_is_a_problem_that_repeats_nothing(house: House, body: str) -> None:
    answer = house.browser().post("/api/v1/login", content=body, headers={"content-type": "application/json"})  # fmt: skip

    assert answer.status_code == 422
    assert answer.headers["content-type"] == PROBLEM
    assert "olivia" not in answer.text


def test_guessing_is_limited_for_the_account_from_wherever_it_comes(house: House) -> None:
    def guess(address: str) -> httpx.Response:
        headers = {"x-forwarded-for": address}
        return house.browser(**headers).post(
            "/api/v1/login", json={"name": "olivia", "password": "?"}
        )

    assert [guess(f"203.0.113.{n}").status_code for n in range(6)] == [401] * 5 + [429]
    assert guess("203.0.113.200").headers["retry-after"] == "12"
    house.clock.advance(13)
    assert guess("203.0.113.201").status_code == 401


def test_guessing_is_limited_for_the_address_whatever_the_account(house: House) -> None:
    def guess(name: str) -> int:
        return (
            house.browser().post("/api/v1/login", json={"name": name, "password": "?"}).status_code
        )

    assert [guess(f"name-{n}") for n in range(6)] == [401] * 5 + [429]


def test_many_unknown_names_make_no_guesses_at_a_known_one_forgotten(house: House) -> None:
    def guess(name: str, address: str) -> int:
        typed = {"name": name, "password": "?"}
        return house.browser(**{"x-forwarded-for": address}).post("/api/v1/login", json=typed).status_code  # fmt: skip

    assert [guess("olivia", f"203.0.113.{n}") for n in range(6)] == [401] * 5 + [429]
    attempts = house.reception._attempts
    for number in range(MOST_KNOWN + 1):
        attempts.allows(None, f"10.{number >> 8}.{number & 255}.1", house.clock.monotonic())
    assert guess("olivia", "203.0.113.200") == 429
    assert guess("nobody", "203.0.113.201") == 429, "names that nobody has share one bucket"


def test_each_proxy_may_add_a_line_of_its_own(house: House) -> None:
    def guess(name: str, *lines: str) -> int:
        headers = [("x-forwarded-for", line) for line in lines]
        return house.browser().post("/api/v1/login", json={"name": name, "password": "?"}, headers=headers).status_code  # fmt: skip

    names = ["admin", "olivia", "victor", "wall", "admin"]
    for place, name in enumerate(names):
        assert guess(name, f"192.0.2.{place}", "203.0.113.9, 10.9.0.1") == 401
    assert guess("olivia", "192.0.2.99", "203.0.113.9", "10.9.0.1") == 429
    assert guess("olivia", "203.0.113.9", "198.51.100.1") == 401


def test_who_knows_the_password_is_never_too_often(house: House) -> None:
    for _ in range(12):
        house.signed_in("olivia").close()


def test_a_new_login_takes_no_session_id_from_the_browser(house: House) -> None:
    client = house.browser(host="console.example")
    client.cookies.set("hazardcast", "chosen-by-an-attacker")
    client.post("/api/v1/login", json={"name": "olivia", "password": PASSWORD})

    fixed = house.browser(host="console.example", cookie="hazardcast=chosen-by-an-attacker")
    assert fixed.get("/api/v1/session").status_code == 401


def stolen(house: House, client: httpx.Client) -> httpx.Client:
    return house.browser(
        host="console.example", cookie=f"hazardcast={client.cookies['hazardcast']}"
    )


def test_a_stolen_cookie_ends_with_the_logout(house: House) -> None:
    client = house.signed_in("olivia")
    thief = stolen(house, client)
    assert thief.get("/api/v1/session").status_code == 200

    assert client.post("/api/v1/logout").status_code == 204

    assert thief.get("/api/v1/session").status_code == 401
    assert client.get("/api/v1/session").status_code == 401


def test_another_password_ends_every_other_session(house: House) -> None:
    client = house.signed_in("olivia")
    thief = stolen(house, client)

    answer = client.post("/api/v1/password", json={"old": PASSWORD, "new": "another long one"})

    assert answer.status_code == 204
    assert thief.get("/api/v1/session").status_code == 401
    assert client.get("/api/v1/session").json()["name"] == "olivia"


def test_a_password_is_changed_by_who_knows_the_old_one(house: House) -> None:
    client = house.signed_in("olivia")
    assert client.post("/api/v1/password", json={"old": "?", "new": "another long one"}).status_code == 401  # fmt: skip
    assert client.post("/api/v1/password", json={"old": PASSWORD, "new": "short"}).status_code == 422  # fmt: skip


def test_a_new_password_brings_no_old_right_back(house: House, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    client = house.signed_in("olivia")
    hashed = Passwords.hashed

    def hashed_late(passwords: Passwords, password: str) -> str:
        monkeypatch.undo()
        house.reception.put("olivia", Role.VIEWER, frozenset({"north"}), None)
        return hashed(passwords, password)

    monkeypatch.setattr(Passwords, "hashed", hashed_late)
    answer = client.post("/api/v1/password", json={"old": PASSWORD, "new": "another long one"})

    assert answer.status_code == 204
    account = house.reception.file.book.accounts["olivia"]
    assert (account.role, account.cameras) == (Role.VIEWER, frozenset({"north"}))
    assert house.reception.sign_in("olivia", "another long one", "a") is not None


def test_a_token_changes_no_password_whatever_cookie_comes_with_it(house: House) -> None:
    secret, _ = house.reception.give_token("olivia", "decide")
    headers = {"authorization": f"Bearer {secret}", "cookie": "hazardcast=anything"}
    script = house.browser(host="console.example", **headers)

    answer = script.post("/api/v1/password", json={"old": PASSWORD, "new": "another long one"})

    assert answer.status_code == 403


def test_a_session_from_before_the_last_change_is_none(house: House) -> None:
    client = house.signed_in("olivia")
    kept = list(house.sessions._held.values())
    house.clock.advance(1)
    house.reception.put("olivia", Role.OPERATOR, None, "another long one")
    house.sessions._held = {one.secret: one for one in kept}  # as after a disk that was full

    assert client.get("/api/v1/session").status_code == 401
    assert house.guard.operators_present() == 0


def test_who_signs_in_while_the_password_is_changed_is_not_let_in(house: House, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    matches = Passwords.match

    def matched_early(passwords: Passwords, password: str, kept: str | None) -> bool:
        held = matches(passwords, password, kept)
        house.reception.put("olivia", Role.OPERATOR, None, "another long one")
        return held

    monkeypatch.setattr(Passwords, "match", matched_early)
    assert house.reception.sign_in("olivia", PASSWORD, "a") is None
    assert not house.sessions._held


def test_a_clock_that_was_set_back_keeps_nobody_out(house: House) -> None:
    house.clock.advance(3600)
    house.reception.put("olivia", Role.OPERATOR, None, PASSWORD)
    house.clock.advance(-3600)

    assert house.signed_in("olivia").get("/api/v1/session").status_code == 200


def test_a_session_ends_after_its_time_and_a_walls_does_not(house: House) -> None:
    person, wall = house.signed_in("olivia"), house.signed_in("wall")
    house.clock.advance(LASTS_S + 1)

    assert person.get("/api/v1/session").status_code == 401
    assert wall.get("/api/v1/session").status_code == 200


def test_a_restart_signs_nobody_out_and_keeps_no_secret(house: House, free: object) -> None:
    client = house.signed_in("olivia")
    kept = (house.folder / "sessions.json").read_text() + (house.folder / "accounts.json").read_text()  # fmt: skip
    assert client.cookies["hazardcast"] not in kept
    assert PASSWORD not in kept
    for file in ("sessions.json", "accounts.json"):
        assert stat.S_IMODE((house.folder / file).stat().st_mode) == 0o600

    again = House(house.folder, house.clock, free)  # type: ignore[arg-type]
    assert stolen(again, client).get("/api/v1/session").json()["name"] == "olivia"
    again.server.close()


def test_a_right_that_is_taken_is_gone_at_once(house: House) -> None:
    client = house.signed_in("olivia")
    assert client.post("/api/v1/deed").json() == "olivia"

    house.reception.put("olivia", Role.VIEWER, None, None)
    assert client.post("/api/v1/deed").status_code == 401, "she signs in anew"
    again = house.signed_in("olivia")
    assert again.post("/api/v1/deed").status_code == 403

    house.reception.remove("olivia")
    assert again.get("/api/v1/session").status_code == 401


def test_each_account_sees_its_cameras(house: House) -> None:
    client = house.signed_in("victor")
    assert client.get("/api/v1/session").json()["cameras"] == ["north"]
    assert client.get("/api/v1/seen/north").json() is True
    assert client.get("/api/v1/seen/south").json() is False


def test_a_wall_looks_and_takes_nothing_away(house: House) -> None:
    client = house.signed_in("wall")
    assert client.get("/api/v1/seen/north").json() is True
    assert client.get("/api/v1/take").status_code == 403
    assert client.post("/api/v1/deed").status_code == 403


@pytest.mark.parametrize("name", ["olivia", "victor", "wall"])
@pytest.mark.parametrize("path", ["accounts", "tokens"])
def test_only_an_admin_gives_accounts(house: House, name: str, path: str) -> None:
    assert house.signed_in(name).get(f"/api/v1/{path}").status_code == 403


def test_at_the_machine_itself_nobody_gives_accounts(house: House) -> None:
    local = house.browser(host="localhost")
    assert local.get("/api/v1/accounts").status_code == 401
    assert local.post("/api/v1/deed").status_code == 401


def test_an_admin_gives_changes_and_takes_accounts(house: House) -> None:
    admin = house.signed_in("admin")
    wanted = {"role": "operator", "cameras": ["north"], "password": PASSWORD}

    assert admin.put("/api/v1/accounts/new", json={"role": "viewer"}).status_code == 404
    assert (
        admin.put("/api/v1/accounts/new", json={**wanted, "password": "short"}).status_code == 422
    )
    assert admin.put("/api/v1/accounts/new", json=wanted).json()["cameras"] == ["north"]
    assert "argon2" not in admin.get("/api/v1/accounts").text
    assert house.signed_in("new").get("/api/v1/seen/south").json() is False
    assert admin.delete("/api/v1/accounts/new").status_code == 204
    assert admin.delete("/api/v1/accounts/new").status_code == 404


def test_the_last_admin_stays(house: House) -> None:
    admin = house.signed_in("admin")
    assert admin.delete("/api/v1/accounts/admin").status_code == 409
    assert admin.put("/api/v1/accounts/admin", json={"role": "viewer"}).status_code == 409


def test_who_is_disabled_is_out_at_once_with_every_token_and_comes_back_when_enabled(house: House) -> None:  # fmt: skip
    admin, olivia = house.signed_in("admin"), house.signed_in("olivia")
    secret = admin.post("/api/v1/tokens", json={"account": "olivia"}).json()["secret"]
    script = house.browser(host="console.example", authorization=f"Bearer {secret}")
    assert script.get("/api/v1/session").status_code == 200
    wanted = {"role": "operator", "disabled": True}

    told = admin.put("/api/v1/accounts/olivia", json=wanted).json()
    assert (told["disabled"], told["role"]) == (True, "operator")
    assert olivia.get("/api/v1/session").status_code == 401
    assert script.get("/api/v1/session").status_code == 401
    typed = {"name": "olivia", "password": PASSWORD}
    assert house.browser(host="console.example").post("/api/v1/login", json=typed).status_code == 401  # fmt: skip
    assert house.guard.operators_present() == 1  # the admin

    admin.put("/api/v1/accounts/olivia", json={**wanted, "disabled": False})
    assert house.signed_in("olivia").get("/api/v1/session").status_code == 200
    assert script.get("/api/v1/session").status_code == 200


def test_an_admin_who_is_disabled_gives_no_accounts_to_the_last_one(house: House) -> None:
    admin = house.signed_in("admin")
    admin.put("/api/v1/accounts/ada", json={"role": "admin", "password": PASSWORD})
    assert admin.put("/api/v1/accounts/ada", json={"role": "admin", "disabled": True}).status_code == 200  # fmt: skip

    assert admin.put("/api/v1/accounts/admin", json={"role": "admin", "disabled": True}).status_code == 409  # fmt: skip
    assert admin.delete("/api/v1/accounts/admin").status_code == 409


def test_accounts_of_the_version_before_are_taken_up(house: House, tmp_path: Path) -> None:
    path = tmp_path / "old" / "accounts.json"
    path.parent.mkdir()
    book = json.loads((house.folder / "accounts.json").read_text())
    accounts = [{k: v for k, v in one.items() if k != "disabled"} for one in book["accounts"]]
    path.write_text(json.dumps({**book, "version": 1, "accounts": accounts}))

    assert AccountFile(path.parent).book == house.reception.file.book


def test_a_token_does_what_it_was_given_for_until_it_is_withdrawn(house: House) -> None:
    admin = house.signed_in("admin")
    made = admin.post("/api/v1/tokens", json={"account": "olivia", "scope": "look", "cameras": ["north"]}).json()  # fmt: skip
    script = house.browser(host="console.example", authorization=f"Bearer {made['secret']}")

    assert script.get("/api/v1/seen/north").json() is True
    assert script.get("/api/v1/seen/south").json() is False
    assert script.post("/api/v1/deed").status_code == 403
    assert made["secret"] not in admin.get("/api/v1/tokens").text

    assert admin.delete(f"/api/v1/tokens/{made['id']}").status_code == 204
    assert script.get("/api/v1/seen/north").status_code == 401


def test_a_token_never_has_more_rights_than_its_account(house: House) -> None:
    secret, _ = house.reception.give_token(
        "victor", "decide", cameras=frozenset({"south", "north"})
    )
    script = house.browser(host="console.example", authorization=f"Bearer {secret}")

    assert script.get("/api/v1/session").json()["cameras"] == ["north"]
    assert script.post("/api/v1/deed").status_code == 403


def test_a_token_ends_by_its_time_and_with_its_account(house: House) -> None:
    secret, _ = house.reception.give_token("olivia", "decide", until=house.clock.now() + 60)
    other, _ = house.reception.give_token("olivia", "decide")
    first = house.browser(host="c", authorization=f"Bearer {secret}")
    second = house.browser(host="c", authorization=f"bearer {other}")
    assert first.post("/api/v1/deed").json() == "olivia"

    house.clock.advance(61)
    assert first.get("/api/v1/session").status_code == 401
    assert second.get("/api/v1/session").status_code == 200
    house.reception.remove("olivia")
    assert second.get("/api/v1/session").status_code == 401


@pytest.mark.parametrize("shown", ["Bearer", "Bearer wrong", "Basic YTpi", "x" * 5000, "Bearer ☃"])
def test_a_wrong_token_looks_at_nothing_even_at_the_machine_itself(
    house: House, shown: str
) -> None:
    headers = [("host", "localhost"), ("authorization", shown.encode())]
    answer = house.browser().get("/api/v1/session", headers=headers)  # type: ignore[arg-type]
    assert answer.status_code == 401


def test_behind_tls_the_cookie_is_bound_to_it(house: House) -> None:
    proxied = {"x-forwarded-proto": "https", "x-forwarded-for": "198.51.100.7", "x-forwarded-host": "hazard.example"}  # fmt: skip
    client = house.browser(**proxied)
    answer = client.post(
        "/api/v1/login", json={"name": "olivia", "password": PASSWORD},
        headers={"origin": "https://hazard.example", "sec-fetch-site": "same-origin"},
    )  # fmt: skip

    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-hazardcast=")
    assert "Secure" in cookie
    assert "Path=/;" in cookie
    assert "Domain" not in cookie


def words(house: House, **headers: str) -> ClientConnection:
    address = f"ws://127.0.0.1:{house.server.port}/api/v1/words"
    return connect(address, additional_headers=headers)


def test_a_socket_is_told_when_its_right_is_gone(house: House) -> None:
    client = house.signed_in("olivia")
    with words(house, cookie=f"hazardcast={client.cookies['hazardcast']}") as socket:
        socket.send("who am I?")
        assert socket.recv(timeout=5) == "olivia"

        client.post("/api/v1/logout")

        socket.send("who am I?")
        assert socket.recv(timeout=5) == "None", "at the machine itself looking is free"


def test_a_socket_of_a_foreign_page_is_refused(house: House) -> None:
    for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}):
        with pytest.raises(InvalidStatus) as refused:
            words(house, **headers)
        assert refused.value.response.status_code == 403


def test_operators_count_while_their_page_is_open(house: House) -> None:
    assert house.guard.operators_present() == 0
    client, _viewer = house.signed_in("olivia"), house.signed_in("victor")
    client.get("/api/v1/session")
    assert house.guard.operators_present() == 1
    house.clock.advance(31)
    assert house.guard.operators_present() == 0


def test_a_disk_that_is_full_refuses_an_account_and_lets_people_in(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_args: object, **_more: object) -> None:
        raise OSError(28, "No space left on device")

    admin = house.signed_in("admin")
    monkeypatch.setattr("hazardcast.machine.durable.write", full)

    refused = admin.put("/api/v1/accounts/new", json={"role": "viewer", "password": PASSWORD})
    assert refused.status_code == 503
    assert "new" not in house.reception.file.book.accounts
    assert house.signed_in("olivia").get("/api/v1/session").status_code == 200


def test_a_book_changed_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    file = AccountFile(tmp_path)
    empty = file.book
    assert file.change(empty, Book({}, {}))
    assert not file.change(empty, Book({}, {}))


@pytest.mark.parametrize("text", ["nonsense", '{"version": 1, "accounts": [{"name": "x"}]}', "[]"])
def test_a_book_that_cannot_be_read_is_named_and_not_replaced(tmp_path: Path, text: str) -> None:
    (tmp_path / "accounts.json").write_text(text)
    with pytest.raises(ConfigError, match=r"accounts\.json"):
        AccountFile(tmp_path)
    assert (tmp_path / "accounts.json").read_text() == text


def test_sessions_that_cannot_be_read_are_begun_anew(
    tmp_path: Path, clock: ManualClock, free: object
) -> None:
    (tmp_path / "sessions.json").write_text(json.dumps({"version": 1, "sessions": [{"secret": 1}]}))
    house = House(tmp_path, clock, free)  # type: ignore[arg-type]
    house.populate()
    assert house.signed_in("olivia").get("/api/v1/session").status_code == 200
    house.server.close()


def test_passwords_are_kept_by_argon2id() -> None:
    passwords = Passwords()
    kept = passwords.hashed(PASSWORD)
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert passwords.match(PASSWORD, kept)
    assert not passwords.match(PASSWORD, None)
    assert not passwords.match("nobody has this password", None)


def test_what_is_protected_stays_so_over_a_restart(tmp_path: Path) -> None:
    first = Privacy(tmp_path / "console")
    assert not first.is_on()
    first.hear()

    assert first.is_on()
    assert Privacy(tmp_path / "console").is_on(), "with the broker away"


def test_a_full_disk_protects_until_the_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    def full(*_args: object, **_more: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("hazardcast.machine.durable.write", full)
    privacy = Privacy(tmp_path)
    privacy.hear()

    assert privacy.is_on()
