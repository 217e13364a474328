"""What each reporter of an event has said, and whose words a cancel withdraws. Pure."""

from __future__ import annotations

from dataclasses import replace

from alerter.ingest.report_times import Report
from alerter.lifecycle import crowding
from alerter.lifecycle.events import NOBODY, PERSON, Event, Word, noted


def share(event: Event, named: str, report: Report) -> frozenset[str]:
    """Whose reports a cancel withdraws: its own reporter's, by our own id those of its camera.

    By our own id and no camera it is a person's word, and withdraws them all, but for an
    operator's, who was named and takes it back by name.
    """
    ours = named == event.alert.event_id
    names = {name for name in event.words if not name.startswith(PERSON)} if ours else {named}
    source = crowding.reporter_of(report.incident)
    if report.incident.camera:
        names = {
            name
            for name in names
            if event.words[name].source == source
            or not (ours or event.words[name].source.startswith(crowding.CAMERA))
        }
    return frozenset(names)


def last_word(event: Event, named: str, shared: frozenset[str]) -> Word:
    """Of a cancel's reporter; a person has seen the event, whatever was said."""
    if named == event.alert.event_id:
        shared &= {NOBODY} if len(shared) > 1 else shared
    said = [event.words[name] for name in shared if name in event.words]
    began = Word(event.began_at, event.source, claimed_ts=event.alert.ts)
    return max(said, default=began, key=lambda word: word.at)


def name(event: Event, named: str | None) -> str:
    """Under what name a reporter's word is kept."""
    return NOBODY if named is None or named == event.alert.event_id else named


def heard_on(event: Event, report: Report) -> Event:
    """With the time of a reporter's word that changes nothing; of one who is known."""
    named = report.incident.event_id or NOBODY
    word = event.words[named]
    word = replace(word, at=max(word.at, report.at))
    return replace(event, words={**event.words, named: word})


def words(event: Event, report: Report, now: float) -> dict[str, Word]:
    """With this report's; a correction by our own id is no other reporter's word."""
    named = report.incident.event_id
    key = name(event, named)
    said, at = event.words.get(key), min(report.at, now)
    reporter = crowding.reporter_of(report.incident)
    if said is None:
        word = Word(at, reporter, named != event.alert.event_id, report.claimed_ts)
    elif at >= said.at:
        word = Word(at, reporter, True, report.claimed_ts)
    else:
        word = replace(said, source=reporter)
    return noted(event.words, key, word)
