"""Results as text for people. Answers go to stdout, everything else to stderr."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from reckless.cli.style import clean, columns, dim, hanging, paint, terminal_width, version_text

if TYPE_CHECKING:
    from reckless.errors import RecklessError
    from reckless.operate.result import Outcome, Result

_DID = {
    "install": "installed", "upgrade": "upgraded", "downgrade": "downgraded", "rebuild": "rebuilt",
    "uninstall": "removed",
    "enable": "enabled", "disable": "disabled", "rollback": "rolled back", "pin": "pinned",
    "unpin": "unpinned", "set": "set",
    "unset": "unset", "source": "changed",
    "keep": "unchanged", "builtin": "built in", "recover": "recovered",
}  # fmt: skip
_UNCHANGED = {
    "keep": "up to date", "enable": "enabled already", "disable": "disabled already", "pin": "pinned already",
    "unpin": "not pinned", "set": "set already", "unset": "not set",
}  # fmt: skip


def say(text: str = "") -> None:
    """Print an answer."""
    print(text)


def say_error(error: RecklessError) -> None:
    """Print an error: what happened, the detail, and what to do next."""
    _say_labelled("error:", "red", error.message)
    if error.detail:
        print("\n".join(f"  {line}" for line in clean(error.detail).splitlines()), file=sys.stderr)
    if error.hint:
        _say_labelled("hint:", "cyan", error.hint)


def _say_labelled(label: str, colour: str, text: str) -> None:
    """Print `label text` on stderr, wrapped at words on a terminal; a line that is to be copied stays one."""
    width = None if "by hand:" in text or "\n" in text else terminal_width(sys.stderr)
    line = hanging(f"{label} ", clean(text), width=width)
    print(paint(label, colour, sys.stderr) + line.removeprefix(label), file=sys.stderr)


def say_result(result: Result) -> None:
    """Print what became of each plugin, then the notes."""
    for outcome in result.outcomes:
        _say_outcome(outcome)
    if not result.outcomes and not result.notes:
        say("nothing to do")
    builtin = tuple(f"{o.name} is built into lightningd" for o in result.outcomes if o.action == "builtin")
    for note in result.notes:
        if builtin and note.startswith(builtin):
            continue  # its outcome says so already
        print(dim(clean(note), sys.stderr), file=sys.stderr)


def _say_outcome(o: Outcome) -> None:
    before, version = version_text(o.before), version_text(o.version)
    versions = f"{before} → {version}" if before and version and before != version else version or before
    title = clean(" ".join(part for part in (o.name, versions) if part))
    if o.status == "failed":
        not_done = "changed" if o.action == "keep" else _DID[o.action]
        say(f"{paint('✗', 'red')} {title}: not {not_done}; {clean(o.message)}")
        if o.error:
            sys.stdout.flush()
            say_error(o.error)
        return
    if o.status == "skipped":
        say(f"{paint('-', 'yellow')} {title}: {clean(o.message)}")
        return
    if o.action in ("source", "builtin"):  # their message says all
        mark = {"done": paint("✓", "green"), "planned": paint("would change", "yellow")}.get(o.status, "·")
        say(f"{mark} {title}: {clean(o.message)}")
        return
    if o.status == "planned":
        say(f"{paint('would', 'yellow')} {o.action} {title}" + (f" ({clean(o.message)})" if o.message else ""))
        for line in (*o.because, *(f"- {step}" for step in o.steps)):
            say(f"    {clean(line)}")
        return
    mark = paint("✓", "green") if o.status == "done" else "·"
    old = o.action == "keep" and version != o.version  # whether it is up to date is not known
    did = _DID[o.action] if o.status == "done" or old else _UNCHANGED.get(o.action, _DID[o.action])
    tail = f"; {clean(o.message)}" if o.message else ""
    if o.restart and "restart" not in tail:
        tail += "; restart lightningd for it to take effect"
    say(f"{mark} {title}: {did}{tail}")


def ago(then: float | None) -> str:
    """Return how long ago a Unix time was, in words."""
    if then is None:
        return ""
    seconds = max(0.0, time.time() - then)
    for size, word in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {word}{'s' if count > 1 else ''} ago"
    return "just now"


__all__ = ["ago", "columns", "say", "say_error", "say_result"]
