"""A process that writes is killed at any moment: what it was told is kept is kept, and once."""

from __future__ import annotations

import random
import subprocess
import sys
import time

from console.store.store import Store
from console.store.tables import HourCount, OperatorDecision, RealtimeEvent
from sqlalchemy import func, select

from tests.console.store.chain import first_break

WRITER = """
import sys
from console.store.decisions import Decision
from console.store.events import NewEvent
from console.store.store import Store
store = Store(sys.argv[1], site="x")
store.open()
def event(n):
    return NewEvent(dedup=f"alert|{n}|0", ts=1e9 + n, kind="alert", summary="x", source="x", body={"n": n})
for n in range(int(sys.argv[2]), 10**9):
    for again in (n, n, max(0, n - 40)):
        store.add(event(again))
    if n % 7 == 0:
        store.decide(Decision(id=str(n), ts=1e9 + n, by="kim", action="note"))
        print(n, flush=True)
"""


def test_nothing_that_was_kept_is_lost_or_there_twice(database_url: str) -> None:
    chance = random.Random(7)
    kept: list[int] = []
    begin = 0
    for _ in range(4):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, database_url, str(begin)], stdout=subprocess.PIPE, text=True
        )  # fmt: skip
        assert process.stdout
        first = process.stdout.readline()
        time.sleep(chance.uniform(0.05, 0.6))
        process.kill()
        said, _ = process.communicate()
        kept += [int(line) for line in (first + said).splitlines() if line]
        begin = max(0, kept[-1] - 20)

    store = Store(database_url, site="x")
    store.open()
    try:
        with store.reading() as connection:
            log = connection.execute(select(OperatorDecision.__table__).order_by(OperatorDecision.id)).mappings().all()  # fmt: skip
            events = connection.execute(select(RealtimeEvent.dedup)).scalars().all()
            hours = connection.execute(select(func.sum(HourCount.events))).scalar()
    finally:
        store.close()
    assert {str(n) for n in kept} <= {row["dedup"].split("|")[1] for row in log}
    assert first_break([dict(row) for row in log]) is None
    assert len(events) == len(set(events)) == hours, "rows and what was counted agree"
    alerts = {int(one.split("|")[2]) for one in events if "|alert|" in one}
    assert set(range(kept[-1] + 1)) <= alerts, "what came before what was kept is there too"
