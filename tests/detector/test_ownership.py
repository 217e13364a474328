from __future__ import annotations

from collections import Counter

from detector.ownership import SILENT_AFTER_S, Replicas, owned, owners
from hypothesis import given
from hypothesis import strategies as st

from hazardcast.contract.messages import ServiceStatus

names = st.sets(st.text("abcdef0123456789", min_size=1, max_size=6), max_size=12)
some_names = st.sets(st.text("abcdef0123456789", min_size=1, max_size=6), min_size=1, max_size=8)


def said(instance: str, state: str = "online", **detail: object) -> ServiceStatus:
    fields = {
        "service": "detector",
        "instance": instance,
        "state": state,
        "version": "1",
        "ts": 1.0,
    }
    return ServiceStatus.parse({**fields, "detail": detail})


@given(names, some_names)
def test_every_camera_has_exactly_one_owner_whoever_asks(
    cameras: set[str], replicas: set[str]
) -> None:
    shares = [owned(cameras, replicas, replica) for replica in sorted(replicas)]

    assert sorted(camera for share in shares for camera in share) == sorted(cameras)


@given(names, some_names)
def test_shares_differ_by_one_at_most(cameras: set[str], replicas: set[str]) -> None:
    load = Counter(owners(cameras, replicas).values())

    assert max(load[name] for name in replicas) - min(load[name] for name in replicas) <= 1


def test_few_cameras_move_but_those_of_the_replica_that_goes() -> None:
    cameras = {f"camera-{number}" for number in range(120)}
    replicas = {f"replica-{number}" for number in range(6)}
    before = owners(cameras, replicas)

    after = owners(cameras, replicas - {"replica-0"})

    moved = {camera for camera in cameras if before[camera] != after[camera]}
    orphans = {camera for camera in cameras if before[camera] == "replica-0"}
    assert orphans <= moved
    assert len(moved) <= 2 * len(orphans)


def test_without_a_replica_nobody_owns_anything() -> None:
    assert owners({"north"}, set()) == {}


def test_a_replica_counts_itself_though_nobody_has_heard_it() -> None:
    assert owned({"north"}, set(), "me") == {"north"}


def test_a_replica_is_alive_until_it_says_otherwise_or_falls_silent() -> None:
    replicas = Replicas()
    for instance in ("a", "b", "c", "pinned"):
        replicas.hear(said(instance, shares=instance != "pinned"), 0.0)

    replicas.hear(said("b", "offline"), 1.0)
    replicas.forget("c")

    assert replicas.alive(2.0) == {"a"}
    assert replicas.alive(SILENT_AFTER_S + 1) == frozenset()
