"""How much searching may still be done. Counted, not timed: the same problem ends the same way on every machine."""

from __future__ import annotations

from dataclasses import dataclass

# Rounds of the search; one decides on one name. Real problems take as many as they have plugins.
TO_ANSWER = 10_000
TO_IMPROVE = 10_000
TO_EXPLAIN = 10_000


@dataclass(slots=True)
class Effort:
    """What is left to spend, in rounds, over several searches."""

    left: int
    spent: int = 0

    def spend(self) -> None:
        """Note one round. Raises OutOfEffort where none is left."""
        if self.left <= 0:
            raise OutOfEffort
        self.left -= 1
        self.spent += 1


class OutOfEffort(Exception):  # noqa: N818 - it says that nobody knows, not that something is wrong
    """A search was given up: whether there is an answer is not known."""
