"""Verbs that only look: search, info, outdated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from packaging.version import Version

from reckless.index.search import search as ranked
from reckless.model.catalog import CatalogEntry
from reckless.model.manifest import Builtin, Manifest
from reckless.model.names import normalize_name
from reckless.model.state import Entry, State
from reckless.model.versions import lightningd_fits, parse_lightningd
from reckless.operate.session import Session
from reckless.operate.solve import solve, unknown_name


@dataclass(frozen=True, kw_only=True, slots=True)
class Hit:
    """A plugin that a search found; `installed` is its version here, or empty. `builtin`: lightningd ships it."""

    entry: CatalogEntry
    source: str
    installed: str = ""
    builtin: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Info:
    """All that is known of one plugin. `fits` are the versions of releases that fit this node, newest first."""

    name: str
    manifest: Manifest | None
    source: str
    builtin: Builtin | None
    builtin_here: bool
    installed: Entry | None
    fits: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Outdated:
    """An installed plugin with a newer release; `available` is what upgrade would take, or empty where nothing fits."""

    name: str
    version: str
    newest: str
    available: str
    pinned: bool
    why: str = ""


def search(session: Session, words: Sequence[str]) -> tuple[Hit, ...]:
    """Return the plugins that match all words, best first; all plugins where there are no words."""
    state = session.state()
    sources = session.sources(state)
    version = _lightningd(session, state)
    builtins = sources.builtins()
    by_name = {entry.name: (entry, source) for entry, source in sources.catalog()}
    if sources.problems:
        session.reporter.note(
            f"cannot be used: the manifest of {', '.join(sorted(sources.problems))} (`reckless source list` says why)"
        )
    return tuple(
        Hit(
            entry=entry,
            source=by_name[entry.name][1].location,
            installed=state.plugins[entry.name].version if entry.name in state.plugins else "",
            builtin=bool(version and entry.name in builtins and builtins[entry.name].provided_by(version)),
        )
        for entry in ranked([e for e, _ in by_name.values()], words)
    )


def info(session: Session, text: str) -> Info:
    """Return all that is known of a plugin. Raises ResolutionError `no-such-plugin`."""
    name = normalize_name(text)
    state = session.state()
    sources = session.sources(state)
    found = sources.find(name)
    builtin = sources.builtins().get(name)
    installed = state.plugins.get(name)
    if found is None and builtin is None and installed is None:
        raise unknown_name(name, sources, state)
    version = _lightningd(session, state)
    releases = found.manifest.releases if found else ()
    return Info(
        name=name,
        manifest=found.manifest if found else None,
        source=found.source.location if found else installed.origin if installed else "",
        builtin=builtin,
        builtin_here=bool(builtin and version and builtin.provided_by(version)),
        installed=installed,
        fits=tuple(
            str(r.version) for r in releases if not r.yanked and (version is None or lightningd_fits(r.cln, version))
        ),
    )


def outdated(session: Session) -> tuple[Outdated, ...]:
    """Return the installed plugins that have a newer release, also those that nothing may upgrade now, with why."""
    state = session.state()
    if not state.plugins:
        return ()
    moving = frozenset(n for n, e in state.plugins.items() if not e.pinned)
    solved = solve(session, state, (), upgrade=moving)
    for name, problem in sorted(solved.problems.items()):
        session.reporter.note(f"what is newest of {name} is not known: {problem.message}")
    chosen = {c.name: c for c in solved.resolution.choices}
    rows = []
    for name, entry in sorted(state.plugins.items()):
        if name not in solved.found:
            continue
        newest = next(
            (r.version for r in solved.found[name].manifest.releases if not r.yanked and not r.version.is_prerelease),
            None,
        )
        if newest is None or newest <= Version(entry.version):
            continue
        choice = chosen.get(name)
        moves = choice is not None and choice.kind == "upgrade"
        available = str(choice.version) if choice is not None and moves else ""
        why = "" if moves else "pinned" if entry.pinned else choice.held_back if choice is not None else ""
        rows.append(
            Outdated(
                name=name, version=entry.version, newest=str(newest), available=available, pinned=entry.pinned, why=why
            )
        )
    return tuple(rows)


def _lightningd(session: Session, state: State) -> Version | None:
    if session.info:
        return parse_lightningd(session.info.version)
    if not state.lightningd:
        return None
    seen = state.lightningd.get(session.network)
    return parse_lightningd(seen) if seen else None
