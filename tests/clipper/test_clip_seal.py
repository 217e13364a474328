"""A finished clip as a court would look at it: signed by the clipper, and nothing in it changed."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hazardcast.config.settings import environment_with
from hazardcast.signing import clip_seal, envelope, trust
from hazardcast.signing.trust import TrustStore

TS = 1_700_000_000.0


@pytest.fixture
def store(bench: Any) -> TrustStore:
    """A trust store with the clipper's key in it, and an alerter's."""
    keys = bench.data_dir / "keys"
    trust.ensure_keys(keys, station=4097)
    trust.ensure_clip_key(
        keys / trust.CLIP_KEY_FILE, station=4097, truststore=keys / trust.TRUSTSTORE_FILE
    )
    bench.signer = trust.load_signer(keys / trust.CLIP_KEY_FILE)
    return trust.load_truststore(keys / trust.TRUSTSTORE_FILE)


@pytest.fixture
def clip(bench: Any, store: TrustStore) -> Path:
    """The video of a finished clip."""
    bench.clock.advance(TS + 100 - bench.clock.now())
    bench.record(TS - 30, 80)
    clipper = bench.start()
    bench.ask(ts=TS, pre_s=20, post_s=20)
    for _ in range(3):
        clipper.tick()
    (video,) = bench.clips_dir.glob("*.mp4")
    return Path(video)


def flip(path: Path, at: int, *, bit: int = 0) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1 << bit
    path.write_bytes(data)


def test_a_clip_as_it_was_built_holds_whichever_of_its_files_is_named(
    bench: Any, clip: Path, store: TrustStore
) -> None:
    for named in (clip, *(clip.with_suffix(end) for end in (".json", ".jws", ".jpg", ""))):
        verdict = clip_seal.verify(named, store, recordings_dir=bench.recordings_dir)
        assert verdict.problems == ()
        assert verdict.signed_by == bench.signer.kid


@pytest.mark.parametrize("ending", [".mp4", ".jpg", ".json", ".jws"])
def test_one_changed_byte_anywhere_is_found_and_the_file_is_named(
    clip: Path, store: TrustStore, ending: str
) -> None:
    path = clip.with_suffix(ending)
    whole = path.read_bytes()
    chosen = random.Random(ending)
    places = range(len(whole.rstrip())) if len(whole) < 600 else chosen.sample(range(len(whole)), 300)  # fmt: skip
    for at in places:
        flip(path, at, bit=chosen.randrange(8))
        verdict = clip_seal.verify(clip, store)
        assert not verdict.holds, at
        assert any(problem.startswith(path.name) for problem in verdict.problems), verdict.problems
        path.write_bytes(whole)
    assert clip_seal.verify(clip, store).holds


@pytest.mark.parametrize("ending", [".mp4", ".jpg", ".jws"])
def test_a_missing_file_is_named(clip: Path, store: TrustStore, ending: str) -> None:
    clip.with_suffix(ending).unlink()

    (problem,) = clip_seal.verify(clip.with_suffix(".json"), store).problems
    assert problem.startswith(f"{clip.stem}{ending}: missing")


def test_a_changed_source_that_is_still_recorded_is_named(
    bench: Any, clip: Path, store: TrustStore
) -> None:
    manifest_path = clip.with_suffix(".json")
    segment = sorted(bench.recordings_dir.glob("north/*/*.ts"))[1]
    record = {"name": segment.name, "sha256": "0" * 64, "bytes": 1, "start": 0, "end": 1, "frames": 1}  # fmt: skip
    manifest = {**json.loads(manifest_path.read_bytes()), "sources": [record]}
    text = json.dumps(manifest).encode()
    manifest_path.write_bytes(text)
    seal = clip_seal.seal_manifest(manifest_path.name, text, bench.signer, now=TS)
    clip.with_suffix(".jws").write_text(seal)

    (problem,) = clip_seal.verify(clip, store, recordings_dir=bench.recordings_dir).problems
    assert problem == f"{segment.name}: changed since it was signed"


def resealed(clip: Path, signer: envelope.Signer) -> None:
    manifest = clip.with_suffix(".json")
    text = clip_seal.seal_manifest(manifest.name, manifest.read_bytes(), signer, now=TS)
    clip.with_suffix(".jws").write_text(text)


def test_a_strangers_key_and_the_alerters_own_are_refused(
    bench: Any, clip: Path, store: TrustStore
) -> None:
    stranger = trust.signer_of(trust.generate_jwk("EdDSA"))
    alerter = trust.load_signer(bench.data_dir / "keys" / trust.SIGNING_KEY_FILE)
    for signer in (stranger, alerter):
        resealed(clip, signer)
        (problem,) = clip_seal.verify(clip, store).problems
        assert "is not one trusted for clips" in problem


def test_the_seal_of_another_clip_is_refused(bench: Any, clip: Path, store: TrustStore) -> None:
    text = clip_seal.seal_manifest("accident_1_other.json", b"{}", bench.signer, now=TS)
    clip.with_suffix(".jws").write_text(text)

    problems = clip_seal.verify(clip, store).problems
    assert any("the seal is of 'accident_1_other.json'" in problem for problem in problems)


def test_a_key_of_clips_is_never_believed_about_alerts(bench: Any, store: TrustStore) -> None:
    assert store.find(bench.signer.kid) is None
    assert store.find_clip_key(bench.signer.kid) is not None


def test_a_revocation_and_a_rotation_of_alert_keys_leave_the_clips_keys_alone(
    bench: Any, clip: Path, store: TrustStore
) -> None:
    from hazardcast.signing import key_rotation

    keys = bench.data_dir / "keys"
    old, _ = key_rotation.rotate(keys, station=4097)
    key_rotation.revoke(keys, old)

    assert clip_seal.verify(clip, trust.load_truststore(keys / trust.TRUSTSTORE_FILE)).holds


def test_the_alerters_first_start_after_the_clippers_finds_room_in_the_trust_store(
    tmp_path: Path,
) -> None:
    store = tmp_path / trust.TRUSTSTORE_FILE
    trust.ensure_clip_key(tmp_path / trust.CLIP_KEY_FILE, station=1, truststore=store)
    trust.ensure_keys(tmp_path, station=1)

    known = trust.load_truststore(store)
    assert len(known.keys) == len(known.clip_keys) == 1


def run_verify(bench: Any, clip: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hazardcast_tools", "verify", str(clip), *more],
        env={**os.environ, **environment_with(data_dir=str(bench.data_dir))},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def test_the_command_accepts_the_clip_and_rejects_it_after_one_changed_byte(
    bench: Any, clip: Path, store: TrustStore
) -> None:
    accepted = run_verify(bench, clip)
    assert accepted.returncode == 0, accepted.stderr
    assert f"as signed by {bench.signer.kid}" in accepted.stdout

    flip(clip, len(clip.read_bytes()) // 2)
    rejected = run_verify(bench, clip, "--json")
    assert rejected.returncode == 1
    (row,) = json.loads(rejected.stdout)["clips"]
    assert row["problems"] == [f"{clip.name}: changed since it was signed"]


def test_what_is_no_clip_is_said_to_be_none(bench: Any, store: TrustStore) -> None:
    found = run_verify(bench, bench.data_dir / "nothing.mp4")
    assert found.returncode == 2
    assert "no such manifest" in found.stderr


def states(bench: Any) -> list[Any]:
    from hazardcast.contract.topics import CLIPS

    return list(bench.broker.messages(CLIPS))


def test_a_held_clip_outlives_retention(bench: Any, store: TrustStore) -> None:
    bench.most_clips = 1
    bench.clock.advance(TS + 100 - bench.clock.now())
    bench.record(TS - 30, 80)
    clipper = bench.start()
    for number in range(3):
        bench.ask(event_id=f"4097-{number}", ts=TS + number, pre_s=5, post_s=5, hold=number == 0)
        for _ in range(3):
            clipper.tick()
            bench.clock.advance(1)
    bench.clock.advance(120)
    clipper.tick()

    left = sorted(path.name for path in bench.clips_dir.glob("*.mp4"))
    assert left == ["accident_1700000000_north.mp4", "accident_1700000002_north.mp4"]


def test_a_clip_asked_for_again_with_hold_is_held(bench: Any, clip: Path) -> None:
    bench.ask(ts=TS, pre_s=20, post_s=20, hold=True)
    assert clip.with_suffix(".hold").exists()


def test_the_word_about_an_event_tells_the_clips_of_all_its_cameras(
    bench: Any, store: TrustStore
) -> None:
    bench.clock.advance(TS + 100 - bench.clock.now())
    for camera in ("north", "south"):
        bench.record(TS - 30, 80, camera)
    clipper = bench.start()
    for camera in ("north", "south"):
        bench.ask(camera=camera, ts=TS, pre_s=5, post_s=5)
    for _ in range(3):
        clipper.tick()

    last = states(bench)[-1]
    assert {last.camera, *(other.camera for other in last.others)} == {"north", "south"}
    assert [other.state for other in last.others] == ["ready"]
    assert last.others[0].path is not None
    assert last.others[0].path != last.path
