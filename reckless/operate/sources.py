"""`reckless source`: where manifests come from, in order of preference."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from reckless.errors import IndexSourceError, RecklessError
from reckless.index.port import Source
from reckless.model.place import is_repository, parse_place
from reckless.operate.opening import open_location
from reckless.operate.result import Outcome, Result
from reckless.operate.session import DEFAULT_SOURCE, Session
from reckless.operate.unvouched import Unvouched
from reckless.system.http import is_allowed

_NO_INDEX = frozenset({"not-an-index", "http-status"})


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
    state = session.state()
    rows = []
    for location in state.sources or (DEFAULT_SOURCE,):
        try:
            source = open_location(location, cache=session.settings.cache)
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
    from reckless.operate.old_sources import take_old_sources

    outcomes = []
    with session.writing(dry_run=dry_run) as found:
        state = take_old_sources(session, found, dry_run=dry_run)
        known = list(state.sources or (DEFAULT_SOURCE,))
        for text in locations:
            location = canonical(text)
            if location in known:
                outcomes.append(Outcome(name=location, action="source", status="unchanged", message="already there"))
                continue
            location, source = tried(location, session.settings.cache)
            if location in known:
                outcomes.append(Outcome(name=location, action="source", status="unchanged", message="already there"))
                continue
            count = len(source.catalog().plugins)
            for problem in source.problems.values():
                session.reporter.note(f"left out: {problem.message}")
            if not source.reserves_names:
                session.reporter.note(f"{location} is no index: nobody vouches for what is in it")
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
    from reckless.operate.old_sources import take_old_sources

    outcomes = []
    with session.writing(dry_run=dry_run) as found:
        state = take_old_sources(session, found, dry_run=dry_run)
        known = list(state.sources or (DEFAULT_SOURCE,))
        for text in locations:
            location = text if text in known else canonical(text)
            location = next((at for at in (location, f"git+{location}") if at in known), location)
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
    """Return a source as we keep it: `embedded`, a URL without a slash at the end, `git+URL`, a folder's absolute path.

    An address that is plainly a repository's gets the `git+`. Raises IndexSourceError `invalid-source`, UsageError.
    """
    if text == DEFAULT_SOURCE:
        return text
    if is_repository(text):
        return f"git+{parse_place(text)}"
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


def tried(location: str, cache: Path) -> tuple[str, Source]:
    """Open a source that is to be added and see that there is something; returns it with its location.

    An address may be a repository's after all; one with branch and folder in one is written so that they are told
    apart. Raises IndexSourceError, FetchError, ManifestError.
    """
    source = open_location(location, cache=cache)
    try:
        source.catalog()
    except IndexSourceError as e:
        if "://" not in location or location.startswith("git+") or e.code not in _NO_INDEX:
            raise
        try:
            source = open_location(f"git+{location}", cache=cache)
            source.catalog()
        except RecklessError as other:
            e.hint = f"it is no git repository, either ({other.message}); {e.hint}"
            raise e from other
        location = f"git+{location}"
    if location.startswith("git+"):
        from reckless.operate.git_source import GitRepository

        assert isinstance(source, GitRepository)  # noqa: S101 - open_location says so by the same prefix
        location = source.location = source.plain
    if isinstance(source, Unvouched) and not source.catalog().plugins and not source.problems:
        raise IndexSourceError(
            "not-an-index",
            f"{location} holds neither an index (v1/catalog.json) nor manifests (NAME.toml), and no plugin",
            f"`reckless info {location.removeprefix('git+')}` says what was looked for",
        )
    return location, source
