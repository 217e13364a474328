from __future__ import annotations

import contextlib
import json
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hazardcast.contract.errors import DecodeError, KeyFileError
from hazardcast.signing.envelope import open_unverified, seal
from hazardcast.signing.trust import (
    HTTP_TOKEN_FILE,
    SIGNING_KEY_FILE,
    TRUSTSTORE_FILE,
    ensure_keys,
    generate_jwk,
    load_signer,
    load_truststore,
    parse_truststore,
    truststore_entry,
    write_private,
    write_truststore,
)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("algorithm", ["EdDSA", "HS256"])
def test_the_first_start_makes_keys_that_fit_each_other(tmp_path: Path, algorithm: str) -> None:
    ensure_keys(tmp_path / "keys", station=4097, algorithm=algorithm)  # type: ignore[arg-type]

    signer = load_signer(tmp_path / "keys" / SIGNING_KEY_FILE)
    trusted = load_truststore(tmp_path / "keys" / TRUSTSTORE_FILE).find(signer.kid)
    envelope = open_unverified(seal(b"{}", signer).encode())
    assert trusted is not None
    assert trusted.station == 4097
    assert trusted.verifier.verify(envelope.signed, envelope.signature)


def test_a_second_start_changes_nothing(tmp_path: Path) -> None:
    ensure_keys(tmp_path, station=4097)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    ensure_keys(tmp_path, station=4097)

    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_lost_trust_store_is_made_again_from_the_key(tmp_path: Path) -> None:
    ensure_keys(tmp_path, station=4097)
    before = (tmp_path / TRUSTSTORE_FILE).read_text()
    (tmp_path / TRUSTSTORE_FILE).unlink()

    ensure_keys(tmp_path, station=4097)

    assert (tmp_path / TRUSTSTORE_FILE).read_text() == before


def test_only_the_owner_reads_what_is_private(tmp_path: Path) -> None:
    ensure_keys(tmp_path / "keys", station=4097)

    assert mode(tmp_path / "keys") == 0o700
    assert mode(tmp_path / "keys" / SIGNING_KEY_FILE) == 0o600
    assert mode(tmp_path / "keys" / HTTP_TOKEN_FILE) == 0o600


def test_a_trust_store_never_holds_a_private_key(tmp_path: Path) -> None:
    ensure_keys(tmp_path, station=4097)
    private = json.loads((tmp_path / SIGNING_KEY_FILE).read_text())["d"]

    assert private not in (tmp_path / TRUSTSTORE_FILE).read_text()


def test_a_trust_store_with_a_shared_secret_is_private(tmp_path: Path) -> None:
    ensure_keys(tmp_path, station=4097, algorithm="HS256")

    assert mode(tmp_path / TRUSTSTORE_FILE) == 0o600


def test_states_decide_which_keys_are_found(tmp_path: Path) -> None:
    states = ["next", "active", "retired", "revoked"]
    jwks = {state: generate_jwk("EdDSA") for state in states}
    write_truststore(
        tmp_path / "t.json",
        version=3,
        entries=[truststore_entry(jwk, station=1, state=state) for state, jwk in jwks.items()],  # type: ignore[arg-type]
    )

    store = load_truststore(tmp_path / "t.json")

    assert store.version == 3
    assert [state for state in states if store.find(jwks[state]["kid"])] == states[:3]


def entry(**changes: object) -> dict[str, object]:
    return {**truststore_entry(generate_jwk("EdDSA"), station=1, state="active"), **changes}


TWICE = entry()
WEAK = {"kty": "oct", "kid": "w", "k": "c2hvcnQ"}


@pytest.mark.parametrize(
    "data",
    [
        "not json",
        [],
        {},
        {"version": 1},
        {"version": 1, "keys": {}, "x": 1} | {"keys": 5},
        {"version": None, "keys": []},
        {"version": 1, "keys": [5]},
        {"version": 1, "keys": [entry(state="stolen")]},
        {"version": 1, "keys": [entry(station="here")]},
        {"version": 1, "keys": [entry(jwk={})]},
        {"version": 1, "keys": [entry(jwk=[])]},
        {"version": 1, "keys": [entry(jwk={"kty": "OKP", "crv": "Ed25519", "x": "AA"})]},
        {"version": 1, "keys": [entry(jwk={"kty": "OKP", "crv": "X25519", "x": "A" * 43})]},
        {"version": 1, "keys": [entry(jwk={"kty": "RSA", "n": "AA", "e": "AQAB"})]},
        {"version": 1, "keys": [entry(kid="w", jwk=WEAK)]},
        {"version": 1, "keys": [TWICE, TWICE]},
    ],
)
def test_a_bad_trust_store_is_refused_by_name(tmp_path: Path, data: object) -> None:
    path = tmp_path / "truststore.json"
    path.write_text(data if isinstance(data, str) else json.dumps(data))

    with pytest.raises(KeyFileError, match=r"truststore\.json: not a trust store"):
        load_truststore(path)


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="hazardcast keys init"):
        load_truststore(tmp_path / "none.json")
    with pytest.raises(KeyFileError, match="hazardcast keys init"):
        load_signer(tmp_path / "none.jwk")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        '{"kty":"OKP","crv":"Ed25519","kid":"k"}',
        '{"kty":"oct","kid":"w","k":"c2hvcnQ"}',
    ],
)
def test_a_bad_signing_key_is_refused_by_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "station.jwk").write_text(text)

    with pytest.raises(KeyFileError, match=r"station\.jwk: not a signing key"):
        load_signer(tmp_path / "station.jwk")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["version", "keys", "kid", "station", "state", "jwk", "kty", "crv", "x", "k"]), inner, max_size=6),
    max_leaves=15,
)  # fmt: skip


@given(JSON)
def test_no_json_whatever_breaks_the_reader(data: object) -> None:
    with contextlib.suppress(ValueError, KeyError, TypeError, DecodeError):
        parse_truststore(data)


def test_a_private_file_replaces_the_one_before_in_one_step(tmp_path: Path) -> None:
    write_private(tmp_path / "f", "old")
    write_private(tmp_path / "f", "new")

    assert (tmp_path / "f").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["f"]
