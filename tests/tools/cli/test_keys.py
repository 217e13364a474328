"""Keys are changed without a moment in which vehicles would believe nobody."""

from __future__ import annotations

from pathlib import Path

import pytest

from hazardcast.contract.errors import KeyFileError
from hazardcast.signing import key_rotation, trust
from hazardcast.signing.envelope import open_unverified, seal


@pytest.fixture
def keys_dir(tmp_path: Path) -> Path:
    trust.ensure_keys(tmp_path, station=4097)
    return tmp_path


def signed(keys_dir: Path) -> bytes:
    return seal(b"{}", trust.load_signer(keys_dir / trust.SIGNING_KEY_FILE)).encode()


def believed(text: bytes, keys_dir: Path) -> bool:
    envelope = open_unverified(text)
    key = trust.load_truststore(keys_dir / trust.TRUSTSTORE_FILE).find(envelope.kid)
    return key is not None and key.verifier.verify(envelope.signed, envelope.signature)


def test_before_and_after_a_rotation_both_keys_are_believed(keys_dir: Path) -> None:
    before = signed(keys_dir)

    old, new = key_rotation.rotate(keys_dir, station=4097)
    after = signed(keys_dir)

    assert old != new
    assert open_unverified(after).kid == new
    assert believed(before, keys_dir)
    assert believed(after, keys_dir)


def test_a_prepared_key_is_known_before_it_signs(keys_dir: Path) -> None:
    kid = key_rotation.prepare(keys_dir, station=4097)

    known = trust.load_truststore(keys_dir / trust.TRUSTSTORE_FILE).find(kid)
    assert known is not None
    assert known.state == "next"
    assert open_unverified(signed(keys_dir)).kid != kid

    assert key_rotation.rotate(keys_dir, station=4097)[1] == kid


def test_preparing_twice_makes_one_key(keys_dir: Path) -> None:
    first = key_rotation.prepare(keys_dir, station=4097)

    assert key_rotation.prepare(keys_dir, station=4097) == first


def test_what_a_revoked_key_signed_is_not_believed(keys_dir: Path) -> None:
    before = signed(keys_dir)
    old, _ = key_rotation.rotate(keys_dir, station=4097)

    key_rotation.revoke(keys_dir, old)

    assert not believed(before, keys_dir)
    assert believed(signed(keys_dir), keys_dir)


def test_the_signing_key_cannot_be_revoked(keys_dir: Path) -> None:
    kid = trust.load_signer(keys_dir / trust.SIGNING_KEY_FILE).kid

    with pytest.raises(KeyFileError, match="rotate first"):
        key_rotation.revoke(keys_dir, kid)


def test_every_change_raises_the_trust_stores_version(keys_dir: Path) -> None:
    def version() -> int:
        return trust.load_truststore(keys_dir / trust.TRUSTSTORE_FILE).version

    versions = [version()]
    key_rotation.prepare(keys_dir, station=4097)
    versions.append(version())
    old, _ = key_rotation.rotate(keys_dir, station=4097)
    versions.append(version())
    key_rotation.revoke(keys_dir, old)
    versions.append(version())

    assert versions == sorted(set(versions))


def test_no_private_key_is_readable_by_others(keys_dir: Path) -> None:
    key_rotation.prepare(keys_dir, station=4097)

    for name in (trust.SIGNING_KEY_FILE, key_rotation.NEXT_KEY_FILE, trust.HTTP_TOKEN_FILE):
        assert (keys_dir / name).stat().st_mode & 0o077 == 0
