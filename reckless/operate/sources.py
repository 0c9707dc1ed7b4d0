"""`reckless source`: where manifests come from, in order of preference."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from reckless.errors import IndexSourceError, RecklessError
from reckless.operate.result import Outcome, Result
from reckless.operate.session import DEFAULT_SOURCE, Session
from reckless.system.http import is_allowed


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceRow:
    """One source: how many plugins it lists, or why it cannot be used; `fetched_at` is a Unix time.

    `problems` are the plugins whose manifest cannot be used, as far as that is known without fetching each.
    """

    location: str
    plugins: int = 0
    fetched_at: float | None = None
    offline: bool = False
    error: RecklessError | None = None
    problems: Mapping[str, RecklessError] = field(default_factory=dict)


def list_sources(session: Session) -> tuple[SourceRow, ...]:
    """Return the sources in order of preference, each tried."""
    from reckless.index.source import open_source

    state = session.state()
    rows = []
    for location in state.sources or (DEFAULT_SOURCE,):
        try:
            source = open_source(location, cache=session.settings.cache / "index")
            count = len(source.catalog().plugins)
            fresh = source.freshness
            rows.append(
                SourceRow(
                    location=location,
                    plugins=count,
                    fetched_at=fresh.fetched_at,
                    offline=fresh.offline,
                    problems=dict(source.problems),
                )
            )
        except RecklessError as e:
            rows.append(SourceRow(location=location, error=e))
    return tuple(rows)


def add_sources(session: Session, locations: Sequence[str], *, dry_run: bool = False) -> Result:
    """Add sources behind those that are there, each tried first. Raises IndexSourceError, UsageError."""
    from reckless.index.source import open_source

    outcomes = []
    with session.writing(dry_run=dry_run) as state:
        known = list(state.sources or (DEFAULT_SOURCE,))
        for text in locations:
            location = canonical(text)
            if location in known:
                outcomes.append(Outcome(name=location, action="source", status="unchanged", message="already there"))
                continue
            source = open_source(location, cache=session.settings.cache / "index")
            count = len(source.catalog().plugins)
            for problem in source.problems.values():
                session.reporter.note(f"left out: {problem.message}")
            known.append(location)
            outcomes.append(
                Outcome(
                    name=location,
                    action="source",
                    status="planned" if dry_run else "done",
                    message=f"{'add it' if dry_run else 'added'}, {plural(count, 'plugin')}",
                )
            )
        if not dry_run and tuple(known) != state.sources:
            session.store.save(replace(state, sources=tuple(known)))
    return Result(outcomes=tuple(outcomes))


def remove_sources(session: Session, locations: Sequence[str], *, dry_run: bool = False) -> Result:
    """Remove sources; plugins that came from them stay. Raises RecklessError `no-such-source`."""
    outcomes = []
    with session.writing(dry_run=dry_run) as state:
        known = list(state.sources or (DEFAULT_SOURCE,))
        for text in locations:
            location = text if text in known else canonical(text)
            if location not in known:
                raise RecklessError("no-such-source", f"{text} is not a source", "`reckless source list` shows them")
            known.remove(location)
            used = [e.name for e in state.plugins.values() if e.origin == location]
            message = "remove it" if dry_run else "removed"
            if used:
                message += f"; what came from it stays installed: {', '.join(sorted(used))}"
            outcomes.append(
                Outcome(name=location, action="source", status="planned" if dry_run else "done", message=message)
            )
        if not dry_run:
            session.store.save(replace(state, sources=tuple(known)))
    notes = () if known else (f"no source is left: back to the default, {DEFAULT_SOURCE}",)
    return Result(outcomes=tuple(outcomes), notes=notes)


def plural(count: int, word: str) -> str:
    """Return `1 plugin`, `2 plugins`."""
    return f"{count} {word}" + ("" if count == 1 else "s")


def canonical(text: str) -> str:
    """Return a source as we keep it: a URL without a slash at the end, a folder's absolute path, or `embedded`.

    Raises IndexSourceError `invalid-source`.
    """
    if text == DEFAULT_SOURCE:
        return text
    if "://" in text:
        if not is_allowed(text):
            raise IndexSourceError(
                "invalid-source",
                f"{text} is not usable as a source",
                "an index has an https:// address, without a password",
            )
        return text.rstrip("/")
    folder = Path(os.path.abspath(Path(text).expanduser()))  # noqa: PTH100 - symlinks stay as the person named them
    if not folder.is_dir():
        raise IndexSourceError("invalid-source", f"{text} is no folder", "a source is an https:// address or a folder")
    return str(folder)
