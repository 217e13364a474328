"""Which vehicles are there: by name, and by the nonce that each process signs its words with. Pure.

A name alone would take two vehicles of one name for one, and the receipt of either for both. A
process that was started anew takes the place of the one before it; two are there when a former one
speaks again.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

SILENT_AFTER_S = 90.0
"""Three statuses missed: nobody can say that the vehicle still listens."""
MAX_VEHICLES = 1024
MAX_FORMER = 8
UNSIGNED = ""
Listener = tuple[str, str]
"""A vehicle's name and its process."""


@dataclass
class _Name:
    heard_at: OrderedDict[str, float] = field(default_factory=OrderedDict)
    former: OrderedDict[str, None] = field(default_factory=OrderedDict)


class Roster:
    """The vehicles that said they listen; `at` is monotonic, as everywhere here."""

    def __init__(self) -> None:
        self._names: OrderedDict[str, _Name] = OrderedDict()

    @property
    def listeners(self) -> frozenset[Listener]:
        """Everyone who is there."""
        return frozenset((name, boot) for name, one in self._names.items() for boot in one.heard_at)

    @property
    def given_twice(self) -> frozenset[str]:
        """The names that more than one process goes by."""
        return frozenset(name for name, one in self._names.items() if len(one.heard_at) > 1)

    def known(self, name: str) -> bool:
        """Whether somebody of that name is there."""
        return name in self._names

    def replaced(self, name: str, boot: str | None) -> bool:
        """Whether another process has taken this one's place."""
        return name in self._names and (boot or UNSIGNED) in self._names[name].former

    def heard(self, name: str, boot: str | None, at: float) -> tuple[Listener, Listener | None]:
        """Note that somebody spoke; returns who, and whose place it has just taken."""
        one = self._names.setdefault(name, _Name())
        self._names.move_to_end(name)
        if len(self._names) > MAX_VEHICLES:
            self._names.popitem(last=False)
        boot = boot or next(reversed(one.heard_at), UNSIGNED)
        before = None
        if boot not in one.heard_at and boot not in one.former and one.heard_at:
            before = (name, next(reversed(one.heard_at)))
            one.former.update(dict.fromkeys(one.heard_at))
            one.heard_at.clear()
        one.former.pop(boot, None)
        one.heard_at[boot] = at
        one.heard_at.move_to_end(boot)
        _prune(one, at)
        return (name, boot), before

    def gone(self, name: str, boot: str | None) -> None:
        """A process has ended; without a nonce everyone of that name."""
        one = self._names.get(name)
        if one is None:
            return
        one.former.pop(boot or UNSIGNED, None)
        one.heard_at.pop(boot or UNSIGNED, None)
        if boot is None or not one.heard_at:
            del self._names[name]

    def forget_silent(self, at: float) -> None:
        """Who has not been heard for too long is not there."""
        while self._names:
            name, one = next(iter(self._names.items()))
            if at - max(one.heard_at.values()) <= SILENT_AFTER_S:
                return
            del self._names[name]


def _prune(one: _Name, at: float) -> None:
    while at - next(iter(one.heard_at.values())) > SILENT_AFTER_S:
        one.heard_at.popitem(last=False)
    while len(one.former) > MAX_FORMER:
        one.former.popitem(last=False)
