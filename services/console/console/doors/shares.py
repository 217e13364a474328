"""How much one may take of what there is for all: an account, or an address without one. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True, order=True)
class Holder:
    """Who takes a share."""

    kind: str
    """`account` or `address`."""
    name: str


@dataclass
class Shares:
    """Counts what is taken now, of everybody and of each; used by one thread."""

    most: int
    most_of_one: int
    what: str
    """The thing that is counted, in the plural and in words for people."""
    _taken: Counter[Holder] = field(default_factory=Counter)

    def refusal(self, holder: Holder) -> str | None:
        """Why a holder gets no more now, None where they do."""
        if self._taken[holder] >= self.most_of_one:
            return f"this {holder.kind} has {self.most_of_one} {self.what} already"
        if self._taken.total() >= self.most:
            return f"there are {self.most} {self.what} already"
        return None

    def take(self, holder: Holder) -> None:
        """One more is theirs."""
        self._taken[holder] += 1

    def give_back(self, holder: Holder) -> None:
        """One of theirs is over."""
        self._taken[holder] -= 1
        if self._taken[holder] <= 0:
            del self._taken[holder]
