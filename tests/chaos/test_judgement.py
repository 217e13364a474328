"""The judgement can fail: made-up ledgers, each with one thing wrong, and the finding it must give."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.chaos.judgement import due_at, in_doubt, judge
from tests.chaos.kinds import CARS, KINDS, NAMED
from tests.chaos.ledger import Account, Clip, Heard, InForce, Ledger, Shown, Span
from tests.chaos.reports import Case, place_of

END = 200.0


def case(number: int = 1, **changes: object) -> Case:
    road = f"chaos-{number}-"
    plain = Case(number, "http", 10.0, {"type": "collision", "road": road}, road=road)
    return replace(plain, **changes)  # type: ignore[arg-type]


def shown(car: str, number: int = 1, **changes: object) -> Shown:
    """As the first vehicle process shows it 0.1 s after it was accepted."""
    row = Shown(
        car, 1, 10.2, "csv", f"4097-{number}", "NEW", "collision", "high", False,
        f"chaos-{number}-", ("0", "1.0"),
    )  # fmt: skip
    return replace(row, **changes)  # type: ignore[arg-type]


def whole(*cases: Case) -> Ledger:
    """Every case accepted at 10.1 s under `4097-{number}`, told at once, and in force at the end."""
    ledger = Ledger(CARS, stopped=END)
    for one in cases or (case(),):
        number = one.number
        lat, lon = one.place
        ledger.accounts[number] = Account(one, said=10.0, accepted=10.1, event_id=f"4097-{number}")
        ledger.heard.add(Heard(f"4097-{number}", "new", lat, lon, one.type, one.severity, False))
        ledger.in_force.append(InForce(f"4097-{number}", lat, lon, one.type, one.severity))
        ledger.shown += [shown(car, number) for car in CARS]
    ledger.car_counts = dict.fromkeys(CARS, len(ledger.in_force))
    return ledger


def span(name: str, begin: float, end: float, subject: str = "") -> Span:
    return Span(NAMED[name], subject, begin, end)


def cancelled(ledger: Ledger, at: float) -> Ledger:
    """The case's reporter ended it, and everybody was told."""
    account = ledger.accounts[1]
    account.case = replace(account.case, cancel_at_s=at)
    account.cancel_said = account.cancelled = at
    ledger.in_force.clear()
    ledger.car_counts = dict.fromkeys(CARS, 0)
    return ledger


def test_what_was_told_once_to_everybody_holds() -> None:
    verdict = judge(whole(case(1), case(2)))

    assert verdict.holds
    assert (verdict.due, verdict.told, verdict.reports) == (6, 6, 2)


def test_nothing_due_proves_nothing() -> None:
    assert not judge(Ledger(CARS)).holds


def test_a_vehicle_that_was_not_told_is_a_loss() -> None:
    ledger = whole()
    ledger.shown = [one for one in ledger.shown if one.car != "car-2"]

    (finding,) = judge(ledger).lost

    assert finding.startswith("car-2 was never told of chaos-1")


def test_the_console_alone_is_proof_enough() -> None:
    ledger = whole()
    ledger.shown = [replace(one, source="console", road=None) for one in ledger.shown]

    assert judge(ledger).holds


def test_what_was_never_on_the_air_is_known_by_its_road() -> None:
    ledger = whole()
    ledger.heard.clear()
    ledger.accounts[1].event_id = None
    cancelled(ledger, 100.0)

    assert judge(ledger).holds


def test_an_end_proves_no_telling() -> None:
    ledger = cancelled(whole(), 100.0)
    ledger.shown = [replace(one, word="CANCEL", at=101.0) for one in ledger.shown]

    assert len(judge(ledger).lost) == 3


def test_a_true_report_that_is_refused_is_a_loss() -> None:
    ledger = whole(case(1), case(2))
    ledger.accounts[3] = Account(case(3, label="severity null"), said=20.0, refused="422")

    (finding,) = judge(ledger).lost

    assert finding == "chaos-3 (http, severity null) was refused at 20.0 s: 422"


def test_a_wrong_clock_of_the_station_may_refuse_it() -> None:
    ledger = whole()
    ledger.accounts[3] = Account(case(3), said=20.0, refused="422")
    ledger.spans.append(span("station's clock 2 h ahead", 18.0, 22.0))

    assert judge(ledger).holds


def all_over(ledger: Ledger) -> None:
    ledger.in_force.clear()
    ledger.car_counts.update(dict.fromkeys(CARS, 0))


WRONG: dict[str, tuple[Callable[[Ledger], object], str]] = {
    "another type": (
        lambda it: it.shown.append(shown("car-1", type="fire", version=("1", "2.0"))),
        "is collision, shown as fire",
    ),
    "another severity": (
        lambda it: it.shown.append(shown("car-1", severity="low", version=("1", "2.0"))),
        "is high, shown as low",
    ),
    "another road": (
        lambda it: it.shown.append(shown("car-1", road="chaos-2-", version=("1", "2.0"))),
        "is on chaos-1-, shown on chaos-2-",
    ),
    "a test that is none": (
        lambda it: it.shown.append(shown("car-1", test=True, version=("1", "2.0"))),
        "shown as a test",
    ),
    "an alert of nobody's": (
        lambda it: it.shown.append(shown("car-1", 9, road="elsewhere")),
        "4097-9 at 10.2 s, which is nobody's",
    ),
    "a place of nobody's": (
        lambda it: it.heard.add(Heard("4097-9", "new", 37.0, 127.0, "fire", "high", False)),
        "at a place that nobody reported",
    ),
    "an id for two accidents": (
        lambda it: it.heard.add(Heard("4097-1", "new", *place_of(2), "fire", "high", False)),
        "4097-1 was given to ['1', '2']",
    ),
    "an accident under two ids": (
        lambda it: it.heard.add(Heard("4097-8", "new", *place_of(1), "collision", "high", False)),
        "chaos-1 was told as ['4097-1', '4097-8']",
    ),
    "another id than the door answered": (
        lambda it: setattr(it.accounts[1], "event_id", "4097-7"),
        "chaos-1 was told as ['4097-1', '4097-7']",
    ),
    "a cancel that nobody asked for": (
        lambda it: it.shown.append(shown("car-1", word="CANCEL", version=("1", "2.0"))),
        "CANCEL of chaos-1 (http) at 10.2 s, which nobody asked for",
    ),
    "a withdrawal": (
        lambda it: it.shown.append(shown("car-1", word="WITHDRAWN", version=("1", "2.0"))),
        "WITHDRAWN of chaos-1",
    ),
    "an expiry before its time": (
        lambda it: it.shown.append(shown("car-1", word="EXPIRED", at=200.0, version=("1", "2.0"))),
        "EXPIRED of chaos-1",
    ),
    "one version twice": (
        lambda it: it.shown.append(shown("car-1")),
        "NEW of 4097-1 ('0', '1.0') 2 times in alerts.csv",
    ),
    "NEW twice on the console": (
        lambda it: it.shown.extend([shown("car-1", source="console")] * 2),
        "4097-1 NEW 2 times on the console",
    ),
    "one that is over no more than said": (
        all_over,
        "is in force no more, and nobody ended it",
    ),
    "a vehicle that holds more": (
        lambda it: it.car_counts.update({"car-3": 2}),
        "car-3 holds 2 alerts, the station 1",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_told_wrongly_is_found(name: str) -> None:
    spoil, sentence = WRONG[name]
    ledger = whole()

    spoil(ledger)

    findings = judge(ledger).wrong
    assert any(sentence in finding for finding in findings), findings


def test_what_is_no_accident_may_not_be_told() -> None:
    ledger = whole(case(1), case(2, told=False, label="too old"))

    assert any("chaos-2 is no accident (too old)" in found for found in judge(ledger).wrong)

    ledger.accounts[2].case = case(2, told=False, label="too old", ts="old")
    ledger.spans.append(span("station's clock 2 h behind", 8.0, 12.0))
    assert not any("is no accident" in found for found in judge(ledger).wrong)


def test_what_was_cancelled_may_not_hold() -> None:
    ledger = cancelled(whole(), 100.0)
    ledger.in_force.append(InForce("4097-1", *place_of(1), "collision", "high"))
    ledger.car_counts = dict.fromkeys(CARS, 1)

    (finding,) = judge(ledger).wrong

    assert finding == "chaos-1 (http) holds, though cancelled at 100.0 s"


def test_a_cancel_that_was_asked_for_may_be_shown() -> None:
    ledger = cancelled(whole(), 100.0)
    ledger.shown += [shown(car, word="CANCEL", at=101.0, version=("1", "2.0")) for car in CARS]

    assert judge(ledger).holds


def test_a_second_witness_keeps_it_in_force() -> None:
    ledger = whole(case(1, door="mqtt", ts="seconds", witness_at_s=30.0, cancel_at_s=50.0))
    account = ledger.accounts[1]
    account.witnessed, account.cancel_said, account.cancelled = 30.1, 50.0, 50.1

    assert judge(ledger).holds

    ledger.in_force.clear()
    ledger.car_counts = dict.fromkeys(CARS, 0)
    assert len(judge(ledger).wrong) == 1

    ledger.spans.append(span("station's clock 2 h ahead", 28.0, 32.0))
    assert judge(ledger).holds, "nobody knows whether the witness was taken for an old one"


def test_what_became_graver_must_hold_as_such() -> None:
    ledger = whole(case(1, update_at_s=20.0))
    ledger.accounts[1].updated = 20.1

    assert "became critical at 20.1 s, and holds as high" in judge(ledger).wrong[0]


# -- what excuses, and what does not


def test_due_is_the_end_of_the_first_calm() -> None:
    assert due_at(10.0, []) == 20.0
    assert due_at(10.0, [span("alerter killed", 12.0, 15.0)]) == 25.0
    assert (
        due_at(10.0, [span("alerter killed", 12.0, 15.0), span("car killed", 24.0, 27.0)]) == 37.0
    )
    assert due_at(10.0, [span("alerter killed", 21.0, 25.0)]) == 20.0
    assert due_at(10.0, [span("alerter killed", 2.0, 9.0)]) == 20.0


def test_who_was_over_before_anybody_could_be_told_is_not_due() -> None:
    ledger = cancelled(whole(), 25.0)
    ledger.spans.append(span("alerter stopped", 11.0, 17.0))
    ledger.shown.clear()

    verdict = judge(ledger)

    assert (verdict.due, verdict.brief, verdict.lost) == (0, 3, [])


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.blinds == "nobody"], ids=str)
def test_names_disks_logs_and_lost_packets_excuse_nothing(kind: object) -> None:
    ledger = cancelled(whole(), 25.0)
    ledger.shown.clear()
    ledger.spans.append(Span(kind, "car-1", 9.0, 24.0))  # type: ignore[arg-type]

    assert len(judge(ledger).lost) == 3


def test_a_fault_of_one_vehicle_excuses_no_other() -> None:
    ledger = cancelled(whole(), 25.0)
    ledger.shown.clear()
    ledger.spans.append(span("car stopped", 9.0, 24.0, "car-2"))

    assert len(judge(ledger).lost) == 2


def test_the_broker_concerns_only_what_was_said_to_it() -> None:
    for door, losses in (("http", 3), ("file", 3), ("mqtt", 0)):
        ledger = cancelled(whole(case(1, door=door)), 25.0)
        ledger.shown.clear()
        ledger.spans.append(span("broker stopped", 11.0, 17.0))

        assert len(judge(ledger).lost) == losses, door


def test_the_stations_interface_concerns_no_vehicle_that_is_told_by_unicast() -> None:
    ledger = cancelled(whole(), 25.0)
    ledger.shown.clear()
    ledger.spans.append(span("station's interface down", 11.0, 17.0))

    assert [found.split()[0] for found in judge(ledger).lost] == ["car-3"]


def test_what_the_broker_forgot_before_it_could_be_taken_is_in_doubt() -> None:
    account = Account(case(1, door="mqtt"), said=10.0, accepted=10.1)
    killed = span("broker killed", 14.0, 16.0)

    assert not in_doubt(account, [killed]), "the alerter was there and took it long before"
    assert in_doubt(account, [replace(killed, begin=10.5)])
    assert in_doubt(account, [span("alerter killed", 9.0, 12.0), killed])
    assert not in_doubt(account, [span("alerter killed", 9.0, 12.0), replace(killed, begin=30.0)])
    assert not in_doubt(account, [span("broker ended and started", 10.5, 12.0)])
    assert not in_doubt(Account(case(1), said=10.0, accepted=10.1), [replace(killed, begin=10.5)])


def test_what_a_broker_without_memory_took_before_anybody_subscribed_anew_is_in_doubt() -> None:
    lost = span("broker killed, its memory lost", 5.0, 8.0)

    assert in_doubt(Account(case(1, door="mqtt"), accepted=9.0), [lost])
    assert in_doubt(Account(case(1, door="mqtt"), accepted=15.9), [lost])
    assert not in_doubt(Account(case(1, door="mqtt"), accepted=17.0), [lost])
    assert not in_doubt(Account(case(1, door="mqtt"), accepted=9.0), [span("broker killed", 5, 8)])


def test_a_dated_report_to_a_station_whose_clock_is_wrong_is_in_doubt() -> None:
    wrong = span("station's clock 2 h ahead", 8.0, 12.0)

    assert in_doubt(Account(case(1, door="mqtt", ts="seconds"), accepted=10.1), [wrong])
    assert not in_doubt(Account(case(1, door="mqtt"), accepted=10.1), [wrong])


# -- clips


def clip(state: str = "ready", *gaps: tuple[float, float, str], has_video: bool = True) -> Clip:
    return Clip("4097-1", state, gaps, has_video)


CLIPS: dict[str, tuple[list[Clip], str | None]] = {
    "ready": ([clip()], None),
    "none": ([], "has no clip"),
    "failed": ([clip("failed")], "is failed"),
    "nothing to show while the camera was away": (
        [clip("failed", (11.0, 16.0, "stalled"), has_video=False)],
        None,
    ),
    "nothing to show for no reason": (
        [clip("failed", (80.0, 96.0, "stalled"), has_video=False)],
        "lacks 80.0",
    ),
    "without video": ([clip(has_video=False)], "without video"),
    "one that failed beside one that is ready": ([clip("failed"), clip()], None),
    "partial while the camera was away": ([clip("partial", (11.0, 16.0, "stalled"))], None),
    "partial for no reason": ([clip("partial", (100.0, 116.0, "stalled"))], "lacks 100.0"),
    "what a full disk took": ([clip("partial", (1.0, 3.0, "retention"))], None),
    "partial without a cause": ([clip("partial", (11.0, 16.0, "unknown"))], "lacks 11.0"),
    "a gap longer than faults explain": ([clip("partial", (11.0, 90.0, "stalled"))], "lacks 11.0"),
}


@pytest.mark.parametrize("name", CLIPS)
def test_clips_are_whole_or_say_what_is_missing(name: str) -> None:
    found, sentence = CLIPS[name]
    ledger = whole(case(1, clip=True))
    ledger.clips = found
    ledger.spans.append(span("camera frozen", 10.0, 15.0))
    if name == "what a full disk took":
        ledger.spans.append(span("video's disk full", 20.0, 25.0))

    verdict = judge(ledger)

    assert verdict.clips_due == 1
    assert verdict.holds == (sentence is None)
    assert sentence is None or sentence in verdict.clips_lost[0]


def test_a_mishap_is_never_excused() -> None:
    ledger = whole()
    ledger.note("clipper fell")

    assert not judge(ledger).holds
