"""Answering lightningd's recklessrpc plugin: `lightning-cli reckless COMMAND TARGET`.

It runs `reckless -v --json -l DIR --network NET [--conf FILE] COMMAND TARGET [TARGET]`, and is made for what the tool
that comes with lightningd says (plugins/recklessrpc.c, v24.08 to v26.06):

- the items of `result` and `log` become strings as they stand in our output, escapes and all; the rest it drops;
- an exit status other than 0 is a crash to it, and all that was said is dropped with it;
- it reads 5000 JSON tokens at most;
- it reads up to the first NUL, and its buffer is not cleared: past 4095 bytes it reads what happens to stand there, and
  dies of it more often than not; lightningd, to which it is an important plugin, then ends, too. So we end with a NUL;
- when our output ends it looks once whether we have ended, and if not, ends us and says that we hang.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, TypeVar

from reckless.cli.context import Context
from reckless.cli.envelope import ENVELOPE_SCHEMA
from reckless.cli.style import clean

if TYPE_CHECKING:
    from reckless.errors import RecklessError
    from reckless.operate.result import Outcome, Result

_T = TypeVar("_T")
MOST = 2000  # items of `result`, and of `log`, each a token: with the rest well below what is read
_END = "\0"
_PATIENCE = 10.0
_TICK = 0.001
_DONE = {"enable": "enabled", "disable": "disabled", "uninstall": "uninstalled"}


def leave() -> None:
    """Keep our output open until we have ended: whoever sees its end finds us ended."""
    us = os.getpid()
    try:
        if os.fork():
            return
    except OSError:  # then it is left to luck, as with lightningd's own tool
        return
    give_up = time.monotonic() + _PATIENCE
    while os.getppid() == us and time.monotonic() < give_up:
        time.sleep(_TICK)
    os._exit(0)


class RpcContext(Context):
    """A command that recklessrpc runs: it answers in the words of lightningd's own tool, and the log says the rest."""

    def _say_change(self, result: Result) -> None:
        """Answer a plugin's folder where it was installed, else `enabled` and the like; null where that failed."""
        from reckless.cli.render import say_result

        error = next((o.error for o in result.outcomes if o.error), None)
        items = [self._word(outcome) for outcome in result.outcomes]
        self._reply(items, [*self.log, *_lines_of(say_result, result)], error, ok=result.ok)

    def _say_answer(self, found: _T, show: Callable[[_T], None], array: Sequence[object], *, ok: bool) -> None:
        """Answer what a person would see, a line an item; for a search a line a plugin, for sources where they are."""
        items: Sequence[str | None] = _lines_of(show, found)
        if self.command == "search":
            items = [_hit(hit) for hit in array] or [None]
        elif self.command == "source list":
            items = [str(getattr(row, "location", row)) for row in array]
        self._reply(items, self.log, None, ok=ok)

    def _say_failure(self, error: RecklessError) -> None:
        from reckless.cli.render import say_error

        self._reply([None], [*self.log, *_lines_of(say_error, error)], error, ok=False)

    def _say_text(self, text: str) -> None:
        self._reply(text.splitlines(), (), None, ok=True)

    def _word(self, o: Outcome) -> str | None:
        if o.status in ("failed", "skipped"):
            return "uninstall failed" if o.action == "uninstall" else None
        if self.command in ("install", "upgrade") and o.action not in ("builtin", "uninstall"):
            return self._place(o.name)
        return _DONE.get(o.action, o.name)

    def _reply(self, items: Sequence[str | None], log: Iterable[str], error: RecklessError | None, *, ok: bool) -> None:
        said = {
            "schema": ENVELOPE_SCHEMA,
            "ok": ok,
            "command": self.command,
            "result": _bounded([item if item is None else _plain(item) for item in items]),
            "log": _bounded([_plain(line) for text in log for line in text.splitlines() if line.strip()]),
            "error": error.code if error else None,
        }
        print(json.dumps(said, ensure_ascii=False), end=_END)


def _hit(hit: object) -> str:
    from reckless.operate.lookup import Hit

    return f"{hit.entry.name} {hit.entry.version}: {hit.entry.summary}" if isinstance(hit, Hit) else str(hit)


def _lines_of(show: Callable[[_T], None], answer: _T) -> list[str]:
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        show(answer)
    return (out.getvalue() + err.getvalue()).splitlines()


def _plain(text: str) -> str:
    """Return a text that needs no escape in JSON: recklessrpc would escape the escape."""
    return clean(text).replace("\t", "    ").replace('"', "'").replace("\\", "/")


def _bounded(items: Sequence[str | None]) -> list[str | None]:
    left = len(items) - MOST
    return [*items] if left <= 0 else [*items[:MOST], f"... and {left} more: run reckless itself to see them"]
