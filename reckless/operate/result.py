"""What a verb answers: data, rendered in one place only (reckless.cli.render)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from reckless.errors import RecklessError

Status = Literal["done", "unchanged", "planned", "failed", "skipped"]
Action = Literal[
    "install", "upgrade", "downgrade", "rebuild", "keep", "builtin", "uninstall", "enable", "disable", "rollback",
    "pin", "unpin", "set", "unset", "recover", "source",
]  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What became of one plugin. `steps` is what was (or, planned, would be) done, in words, in order.

    `restart` is true where lightningd must be restarted before it takes effect.
    """

    name: str
    action: Action
    status: Status
    version: str = ""
    before: str = ""
    message: str = ""
    because: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    restart: bool = False
    error: RecklessError | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """What a verb that changes something answers: an outcome a plugin, and sentences for a person."""

    outcomes: tuple[Outcome, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing failed."""
        return all(o.status not in ("failed", "skipped") for o in self.outcomes)
