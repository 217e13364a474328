"""What of a camera's reports is broadcast, what waits, and what is only kept."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from alerter.deciding.waiting import Waiting

from hazardcast.contract.messages import JournalEntry
from hazardcast.contract.topics import CLIP_REQUESTS, JOURNAL
from tests.alerter.deciding.conftest import CONFIRM, SHADOW, Site

SiteWith = Callable[..., Site]
HERE = {"lat": 37.12345, "lon": 127.12345}


def journal(site: Site) -> list[JournalEntry]:
    return site.broker.messages(JOURNAL)


def test_without_a_policy_everything_goes_out_at_once(site_with: SiteWith) -> None:
    site = site_with()

    assert site.sees(confidence=0.1) == "new"


def test_what_is_sure_enough_goes_out_at_once(waits: Site) -> None:
    assert waits.sees(confidence=0.9) == "new"
    assert not waits.pending


@pytest.mark.parametrize("confidence", [0.89, 0.0, None])
def test_what_is_less_sure_waits_and_no_vehicle_hears_of_it(
    waits: Site, confidence: float | None
) -> None:
    assert waits.sees(confidence=confidence) == "pending"

    (pending,) = waits.pending
    assert waits.on_air == []
    assert (pending.mode, pending.on_timeout, pending.auto_confidence) == ("confirm", "drop", 0.9)
    assert pending.decide_by == pytest.approx(waits.clock.now() + 60.0, abs=0.01)
    assert (pending.incident.camera, pending.incident.lat) == ("north", 37.12345)
    assert [entry.kind for entry in journal(waits)] == ["pending"]


def test_its_clip_is_asked_for_at_once_under_the_name_that_the_alert_will_have(waits: Site) -> None:
    waits.sees()
    waits.decides("approve")

    (request,) = waits.broker.messages(CLIP_REQUESTS)
    assert (request.event_id, request.camera, request.alert) == (waits.said.event_id, "north", None)


def test_people_and_other_systems_are_heard_at_once(waits: Site) -> None:
    assert waits.asks(**HERE).action == "new"  # type: ignore[union-attr]
    assert waits.sees("elsewhere", lat=37.5, lon=127.5) == "new"


def test_a_camera_says_the_same_again_and_it_is_one_that_waits(waits: Site) -> None:
    for _ in range(5):
        waits.sees(event_id="n-1", status="new")
        waits.sees(event_id="n-1", status="update", confidence=0.6)
        waits.passes(1.0)

    (pending,) = waits.pending
    assert (pending.revision, waits.on_air) == (0, [])


def test_what_grows_graver_is_told_as_a_new_revision(waits: Site) -> None:
    waits.sees(event_id="n-1", severity="medium")
    waits.sees(event_id="n-1", severity="critical", confidence=0.7)

    (pending,) = waits.pending
    assert (pending.revision, pending.incident.severity, pending.confidence) == (1, "critical", 0.7)


def test_a_camera_that_grows_sure_enough_is_broadcast_under_the_same_id(waits: Site) -> None:
    waits.sees(event_id="n-1")
    (pending,) = waits.pending
    waits.sees(event_id="n-1", status="update", confidence=0.95)

    assert waits.on_air[0] == (pending.event_id, "new")
    assert not waits.pending
    assert [one.action for one in waits.decided] == ["seconded"]
    assert waits.said.information_quality > waits.air.said[0].information_quality


def test_a_second_camera_broadcasts_it(site_with: SiteWith) -> None:
    site = site_with(north=CONFIRM, south=CONFIRM)
    site.sees("north", event_id="n-1")
    (pending,) = site.pending
    site.sees("south", event_id="s-1")

    assert {event_id for event_id, _ in site.on_air} == {pending.event_id}
    assert not site.pending
    assert site.sees("north", event_id="n-1", status="cancel") == "unchanged"
    assert site.sees("south", event_id="s-1", status="cancel") == "cancel"


def test_a_persons_report_broadcasts_it(waits: Site) -> None:
    waits.sees()
    (pending,) = waits.pending
    waits.passes(29.0)
    waits.asks(**HERE)

    assert {event_id for event_id, _ in waits.on_air} == {pending.event_id}


@pytest.mark.parametrize(("silent_s", "pendings"), [(29.0, 1), (31.0, 2)])
def test_what_waits_is_joined_under_another_id_within_30_s_of_its_last_word(
    waits: Site, silent_s: float, pendings: int
) -> None:
    waits.sees(event_id="n-1")
    waits.passes(20.0)
    waits.sees(event_id="n-1", status="update")
    waits.passes(silent_s)
    waits.sees(event_id="n-2")

    assert len(waits.pending) == pendings


def test_what_was_last_seen_long_ago_is_not_what_a_person_reports_now(waits: Site) -> None:
    waits.sees()
    waits.passes(31.0)
    waits.asks(**HERE)

    assert len(waits.pending) == 1
    assert waits.said.event_id != waits.pending[0].event_id


@pytest.mark.parametrize("reporter", ["south", None], ids=["a camera", "a person"])
def test_what_its_time_was_over_of_is_broadcast_when_another_reporter_sees_it_too(
    site_with: SiteWith, reporter: str | None
) -> None:
    site = site_with(operators=0, north=CONFIRM, south=CONFIRM)
    assert site.sees(event_id="n-1") == "dropped"
    dropped = site.decided[-1].event_id
    site.passes(29.0)
    site.sees(reporter, event_id="s-1", lat=HERE["lat"], lon=HERE["lon"])
    site.sees("bare", event_id="b-1", lat=HERE["lat"], lon=HERE["lon"])

    assert {event_id for event_id, _ in site.on_air} == {dropped}
    assert (site.decided[-1].action, site.decided[-1].effect) == ("seconded", "broadcast")
    assert site.sees(event_id="n-1", status="update", severity="critical") == "update"


def test_of_what_one_camera_dropped_twice_the_newest_alone_is_broadcast(
    site_with: SiteWith,
) -> None:
    site = site_with(operators=0, north=CONFIRM)
    for event_id in ("n-1", "n-2"):
        site.sees(event_id=event_id)
        site.passes(1.0)
    newest = site.decided[-1].event_id
    for _ in range(2):
        site.asks(**HERE)

    assert {event_id for event_id, _ in site.on_air} == {newest}


@pytest.mark.parametrize(
    ("end", "silent_s"), [("timeout", 31.0), ("reject", 1.0), ("withdrawn", 1.0)]
)
def test_what_is_long_over_or_not_believed_or_taken_back_another_report_does_not_broadcast(
    site_with: SiteWith, end: str, silent_s: float
) -> None:
    site = site_with(north=CONFIRM, south=CONFIRM)
    site.sees(event_id="n-1")
    site.is_over(end)
    site.operators(1)
    site.passes(silent_s)
    site.operators(1)

    assert site.sees("south", event_id="s-1") == "pending"
    assert site.on_air == []


def test_what_a_person_does_not_believe_seconds_nothing(site_with: SiteWith) -> None:
    site = site_with(north=CONFIRM, south=CONFIRM)
    site.sees(event_id="n-1")
    site.decides("reject")
    site.sees("south", event_id="s-1")
    site.sees(event_id="n-1", status="update", confidence=0.99)

    assert (len(site.pending), site.on_air) == (1, [])


def test_what_the_register_refuses_seconds_nothing(site_with: SiteWith) -> None:
    site = site_with(south=CONFIRM)
    site.sees(event_id="n-1")
    site.decides("negate")
    site.sees("south", event_id="s-1")
    before = len(site.on_air)
    site.passes(1.0)

    assert site.sees(event_id="n-1", status="update") == "ended"
    assert (len(site.pending), len(site.on_air)) == (1, before)


@pytest.mark.parametrize(
    "other",
    [{"type": "fire"}, {"lat": 37.13}, {"test": True}],
    ids=["of another kind", "elsewhere", "a rehearsal"],
)
def test_a_report_of_something_else_seconds_nothing(waits: Site, other: dict[str, object]) -> None:
    waits.sees()
    waits.asks(**{**HERE, **other})

    assert len(waits.pending) == 1


def test_a_camera_takes_back_what_waits(waits: Site) -> None:
    waits.sees(event_id="n-1")

    assert waits.sees(event_id="n-1", status="cancel") == "withdrawn"
    assert (waits.pending, waits.on_air) == ([], [])
    assert [one.action for one in waits.decided] == ["withdrawn"]


@pytest.mark.parametrize(("on_timeout", "heard"), [("drop", 0), ("broadcast", 1)])
def test_when_nobody_decides_the_timeout_does(
    on_timeout: str, heard: int, site_with: SiteWith
) -> None:
    site = site_with(north={**CONFIRM, "on_timeout": on_timeout, "confirm_within_s": 20})
    site.sees()
    site.passes(19.0)
    assert len(site.pending) == 1
    site.passes(1.5)

    assert (len(site.on_air), site.pending) == (heard, [])
    assert site.decided[-1].action == "timeout"
    assert site.decided[-1].effect == ("broadcast" if heard else "dropped")


@pytest.mark.parametrize(("on_timeout", "result"), [("drop", "dropped"), ("broadcast", "new")])
def test_with_no_operator_there_the_timeout_acts_at_once(
    on_timeout: str, result: str, site_with: SiteWith
) -> None:
    site = site_with(operators=0, north={**CONFIRM, "on_timeout": on_timeout})

    assert site.sees() == result
    assert site.pending == []
    assert len(site.broker.messages(CLIP_REQUESTS)) == 1


@pytest.mark.parametrize("state", ["online", "offline", "stopped"])
def test_when_the_last_operator_leaves_what_waits_waits_no_longer(waits: Site, state: str) -> None:
    waits.sees()
    waits.operators(0 if state == "online" else 3, state=state)
    waits.passes(0.25)

    assert waits.decided[-1].action == "timeout"


@pytest.mark.parametrize(("silent_s", "there"), [(69.0, True), (71.0, False)])
def test_a_console_that_says_nothing_for_70_s_is_not_there(
    site_with: SiteWith, silent_s: float, there: bool
) -> None:
    site = site_with(north={**CONFIRM, "confirm_within_s": 600})
    site.sees()
    site.console_falls_silent()
    site.passes(silent_s)

    assert bool(site.pending) is there


@pytest.mark.parametrize(
    "spoken",
    [
        {"on": "detector/c1"},
        {"on": "console/c2"},
        {"on": "detector/c1", "service": "detector"},
        {"on": "console/c1", "service": "detector"},
        {"on": "console/c1", "instance": "c2"},
    ],
)
def test_only_a_consoles_own_topic_says_that_an_operator_is_there(
    site_with: SiteWith, spoken: dict[str, str]
) -> None:
    site = site_with(operators=0, north=CONFIRM)
    site.operators(3, **spoken)

    assert site.sees() == "dropped"


def test_no_other_service_says_that_the_operators_are_gone(waits: Site) -> None:
    waits.sees()
    waits.console_falls_silent()
    waits.operators(0, on="detector/c1")
    waits.passes(0.25)

    assert len(waits.pending) == 1


def test_among_many_consoles_those_that_are_known_are_still_heard(site_with: SiteWith) -> None:
    site = site_with(operators=0, north=CONFIRM)
    first, *others = (f"d{n}" for n in range(64))
    for name in (first, *others, first):
        site.operators(1, instance=name, on=f"console/{name}")
    for name in others:
        site.operators(0, instance=name, on=f"console/{name}")
    assert site.sees(event_id="n-1") == "pending"

    site.operators(0, instance=first, on=f"console/{first}")
    assert site.sees(event_id="n-1") == "dropped"


def test_consoles_that_fell_silent_make_room(site_with: SiteWith) -> None:
    site = site_with(operators=0, north=CONFIRM)
    for n in range(64):
        site.operators(1, instance=f"d{n}", on=f"console/d{n}")
    site.passes(71.0)
    assert site.sees(event_id="n-1") == "dropped"
    site.operators(1)

    assert site.sees(event_id="n-2") == "pending"


def test_what_was_dropped_is_not_opened_again_by_what_its_camera_goes_on_to_say(
    site_with: SiteWith,
) -> None:
    site = site_with(operators=0, north=CONFIRM)
    results = []
    for _ in range(200):
        results.append(site.sees(event_id="n-1", status="update"))
        site.passes(1.0)

    assert set(results) == {"dropped"}
    assert len([one for one in journal(site) if one.kind == "pending"]) == 1


def test_what_was_dropped_and_grows_sure_goes_out(site_with: SiteWith) -> None:
    site = site_with(operators=0, north=CONFIRM)
    site.sees(event_id="n-1")

    assert site.sees(event_id="n-1", status="update", confidence=0.95) == "new"


def test_the_alert_of_a_camera_that_waits_goes_on_as_always(waits: Site) -> None:
    waits.sees(event_id="n-1", confidence=0.95)

    assert waits.sees(event_id="n-1", status="update", severity="critical") == "update"
    assert waits.sees(event_id="n-2") == "unchanged"
    assert waits.sees(event_id="n-1", status="cancel") == "unchanged"
    assert waits.sees(event_id="n-2", status="cancel") == "cancel"


def test_shadow_keeps_clip_and_record_and_broadcasts_nothing(site_with: SiteWith) -> None:
    site = site_with(north=SHADOW)

    assert site.sees(confidence=1.0, severity="critical") == "shadow"
    assert site.on_air == []
    assert len(site.broker.messages(CLIP_REQUESTS)) == 1
    assert [entry.kind for entry in journal(site)] == ["pending"]
    assert site.pending[0].mode == "shadow"


def test_shadow_seconds_nothing_and_is_not_seconded(site_with: SiteWith) -> None:
    site = site_with(north=SHADOW, south=CONFIRM)
    site.sees("south", confidence=0.5)
    site.sees("north", confidence=1.0)
    assert site.on_air == []

    site.asks(**HERE)  # a person's: seconds what waits, not what is in shadow
    assert [pending.mode for pending in site.pending] == ["shadow"]
    assert len({event_id for event_id, _ in site.on_air}) == 1


@pytest.mark.parametrize("first", ["collision", "fire"])
def test_what_is_kept_in_shadow_and_what_waits_never_are_one(
    site_with: SiteWith, first: str
) -> None:
    site = site_with(north={**CONFIRM, "by_type": {"fire": SHADOW}})
    second = "fire" if first == "collision" else "collision"
    for kind in (first, second):
        site.sees(event_id="n-1", type=kind)
    modes = {(pending.incident.type, pending.mode) for pending in site.pending}
    assert modes == {("collision", "confirm"), ("fire", "shadow")}

    site.sees(event_id="n-1", type="collision", confidence=0.95)
    assert {alert.type for alert in site.air.said} == {"collision"}
    assert [pending.mode for pending in site.pending] == ["shadow"]


def test_a_rehearsal_and_the_real_thing_never_are_one_though_the_id_is_the_same(
    waits: Site,
) -> None:
    waits.sees(event_id="n-1", test=True)
    (rehearsal,) = waits.pending
    waits.sees(event_id="n-1", test=False)
    assert {pending.incident.test for pending in waits.pending} == {True, False}

    waits.asks(event_id=rehearsal.event_id, **HERE)
    assert {alert.test for alert in waits.air.said} == {False}
    assert waits.pending == [rehearsal]


def test_a_type_may_have_a_rule_of_its_own(site_with: SiteWith) -> None:
    site = site_with(north={**CONFIRM, "by_type": {"fire": {"mode": "auto"}}})

    assert (site.sees(type="fire"), site.sees(type="collision")) == ("new", "pending")


def test_an_id_that_is_unknown_is_no_way_around_the_policy(waits: Site) -> None:
    assert waits.sees(event_id="4097-99") == "pending"


class WatchedLock:
    """Notes how much was decided whenever somebody else may take it."""

    def __init__(self, site: Site) -> None:
        self.site, self.depth, self.free_at = site, 0, list[int]()

    def __enter__(self) -> None:
        self.depth += 1

    def __exit__(self, *_: object) -> None:
        self.depth -= 1
        if not self.depth:
            self.free_at.append(len(self.site.decided))


def test_while_many_time_out_a_report_waits_for_one_of_them_at_most(
    site_with: SiteWith, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = site_with(north={**CONFIRM, "confirm_within_s": 20})
    for n in range(5):
        site.sees(event_id=f"n-{n}", lat=37.0 + n / 100, lon=127.0)
    lock = WatchedLock(site)
    monkeypatch.setattr(site.alerter, "_lock", lock)
    site.passes(20.5)

    assert site.pending == []
    assert {1, 2, 3, 4, 5} <= set(lock.free_at)


def test_a_flood_of_what_waits_is_bounded_and_the_oldest_is_timed_out(waits: Site) -> None:
    for n in range(40):
        waits.sees(event_id=f"n-{n}", lat=37.0 + n / 100, lon=127.0)

    assert len(waits.pending) == 20
    assert sum(one.action == "timeout" for one in waits.decided) == 20


def test_of_a_flood_of_ids_of_one_incident_the_newest_are_remembered(waits: Site) -> None:
    for n in range(200):
        waits.sees(event_id=f"n-{n}")
    (item,) = waits.alerter.withholding.items.open
    assert item.aliases == tuple(f"n-{n}" for n in range(136, 200))

    waits.start()
    (item,) = waits.alerter.withholding.items.open
    assert item.aliases == tuple(f"n-{n}" for n in range(136, 200))


def test_what_waits_may_be_counted_while_it_changes(waits: Site) -> None:
    items = waits.alerter.withholding.items
    for n in range(3):
        waits.sees(event_id=f"n-{n}", lat=37.0 + n / 100, lon=127.0)
    first, *others = items.open

    class Meanwhile(Waiting):
        # As another thread does it while this one counts.
        def __getattribute__(self, name: str) -> object:
            if name == "closed" and items.find(first.event_id):
                items.remove(first)
            return super().__getattribute__(name)

    other = others[0]
    items.put(Meanwhile(**vars(other)), keep=False)

    assert len(items.open) == 3
    assert len(items.open) == 2


def test_confirming_late_does_not_end_it_at_once(site_with: SiteWith) -> None:
    site = site_with(north={**CONFIRM, "confirm_within_s": 3600})
    site.sees(severity="low")
    site.passes(600.0)
    site.decides("approve")

    assert site.ids() == [site.said.event_id]
    assert site.remains_s() >= 150
