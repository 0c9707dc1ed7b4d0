"""Answers of the index maintainer's verbs, as text."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from reckless.cli.render import say
from reckless.cli.style import clean, columns, dim, paint
from reckless.publish.outcome import came

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reckless.errors import RecklessError
    from reckless.publish.lock import LockRow
    from reckless.publish.outcome import Trial

_STANDING = {
    "made": "made", "kept": "kept", "pinned": "its own tree pins it", "nothing": "asks for nothing", "failed": "failed",
}  # fmt: skip


def show_locks(rows: tuple[LockRow, ...]) -> None:
    """Print what became of each release's lock; what failed goes to stderr as well, with why."""
    if not rows:
        say("there are no Python releases")
        return
    say(
        columns(
            [(r.name, r.version, _STANDING[r.standing], _packages(r)) for r in rows], ("name", "version", "lock", "")
        )
    )
    _say_errors((f"{r.name} {r.version}", r.error) for r in rows)


def show_trials(trials: tuple[Trial, ...]) -> None:
    """Print how far each release came."""
    if not trials:
        say("there is nothing to check")
        return
    table = [
        (t.name, t.version, came(t), f"{t.fetch + t.build:.1f} s", f"{t.size / 1e6:.1f} MB" if t.size else "", t.why)
        for t in trials
    ]
    say(columns(table, ("name", "version", "came to be", "built in", "size", "")))
    for trial in trials:
        for note in trial.notes:
            print(dim(clean(f"{trial.name} {trial.version}: {note}"), sys.stderr), file=sys.stderr)


def _packages(row: LockRow) -> str:
    count = f"{row.packages} package{'' if row.packages == 1 else 's'}" if row.standing == "made" else ""
    return "; ".join(part for part in (row.file, count, row.note) if part)


def _say_errors(errors: Iterable[tuple[str, RecklessError | None]]) -> None:
    sys.stdout.flush()
    for what, error in errors:
        if error is None:
            continue
        print(f"{paint('error:', 'red', sys.stderr)} {clean(what)}: {clean(error.message)}", file=sys.stderr)
        for text in (error.detail, error.hint):
            if text:
                print("\n".join(f"  {line}" for line in clean(text).splitlines()), file=sys.stderr)
