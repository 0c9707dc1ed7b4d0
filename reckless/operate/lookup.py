"""Verbs that only look: search, info, outdated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from packaging.version import Version

from reckless.errors import RecklessError, StoreError
from reckless.index.search import search as ranked
from reckless.index.source import Found, Sources
from reckless.model.catalog import CatalogEntry
from reckless.model.manifest import Builtin, Manifest
from reckless.model.state import Entry, State
from reckless.model.targets import fitting_binary
from reckless.model.versions import lightningd_fits, parse_lightningd
from reckless.operate.asked import look_up, parse_asked
from reckless.operate.following import newest_of
from reckless.operate.session import Session
from reckless.operate.solve import solve, unknown_name
from reckless.operate.succession import why_they_stay
from reckless.operate.unvouched import One, reasons_of


@dataclass(frozen=True, kw_only=True, slots=True)
class Hit:
    """A plugin that a search found; `installed` is its version here, or empty. `builtin`: lightningd ships it."""

    entry: CatalogEntry
    source: str
    installed: str = ""
    builtin: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Info:
    """All that is known of one plugin. `fits` are the versions of releases that fit this node, newest first.

    `reasons` say what was made of its files where it has no manifest; `elsewhere` are sources that have one of that
    name, too, and that it is not taken from. `target` is that of the ready-made program that would be taken here of the
    newest of them (empty: it is built), and `installed_target` of what is installed.
    """

    name: str
    manifest: Manifest | None
    source: str
    builtin: Builtin | None
    builtin_here: bool
    installed: Entry | None
    fits: tuple[str, ...]
    reasons: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()
    target: str = ""
    installed_target: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Outdated:
    """An installed plugin with a newer release; `available` is what upgrade would take, or empty where nothing fits.

    `followed` says in words what a branch names now, where it is one that the plugin follows.
    """

    name: str
    version: str
    newest: str
    available: str
    pinned: bool
    why: str = ""
    followed: str = ""


def search(session: Session, words: Sequence[str]) -> tuple[Hit, ...]:
    """Return the plugins that match all words, best first; all plugins where there are no words."""
    state = session.state()
    sources = session.sources(state)
    version = _lightningd(session, state)
    builtins = sources.builtins()
    by_name = {entry.name: (entry, source) for entry, source in sources.catalog()}
    for location, error in sources.failed.items():
        session.reporter.note(f"{location} was left out: {error.message}")
    unusable = sorted(n for n, e in sources.problems.items() if e.code != "not-installable")
    if unusable:
        session.reporter.note(
            f"cannot be used: the manifest of {', '.join(unusable)} (`reckless source list` says why)"
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
    """Return all that is known of a plugin: of a name, or of what is at an address or in a folder.

    Raises ResolutionError `no-such-plugin`, and what looking there raises.
    """
    from reckless.build.machine import this_machine

    asked = parse_asked(text)
    state = session.state()
    sources = session.sources(state)
    target = look_up(session, state, sources, [asked])[0]
    name = target.name
    found = Found(manifest=target.one.manifest, source=target.one) if target.one else sources.find(name)
    builtin = sources.builtins().get(name)
    installed = state.plugins.get(name)
    if found is None and builtin is None and installed is None:
        raise unknown_name(name, sources, state)
    version = _lightningd(session, state)
    releases = found.manifest.releases if found else ()
    fitting = [r for r in releases if not r.yanked and (version is None or lightningd_fits(r.cln, version))]
    binary = fitting_binary(fitting[0], this_machine(languages=())) if fitting else None
    return Info(
        name=name,
        manifest=found.manifest if found else None,
        source=found.source.location if found else installed.origin if installed else "",
        builtin=builtin,
        builtin_here=bool(builtin and version and builtin.provided_by(version)),
        installed=installed,
        fits=tuple(str(r.version) for r in fitting),
        reasons=reasons_of(found.source, name) if found else (),
        elsewhere=_elsewhere(sources, name, found),
        target=binary.target if binary and not (installed and installed.from_source) else "",
        installed_target=_target(session, installed) if installed else "",
    )


def _target(session: Session, entry: Entry) -> str:
    try:
        return session.store.receipt(entry.name, entry.tree).target
    except StoreError:  # doctor says what is wrong with it
        return ""


def _elsewhere(sources: Sources, name: str, found: Found | None) -> tuple[str, ...]:
    """Return the other sources that have a plugin of this name."""
    owner = sources.owner(name)
    everywhere = [*([owner] if owner else []), *sources.elsewhere(name)]
    return tuple(s.location for s in everywhere if found is None or s is not found.source)


def outdated(session: Session) -> tuple[Outdated, ...]:
    """Return the installed plugins that have a newer release, also those that nothing may upgrade now, with why."""
    state = session.state()
    if not state.plugins:
        return ()
    rows = _followed(session, state)
    stay = why_they_stay(session, state, state.plugins.values())
    moving = frozenset(n for n, e in state.plugins.items() if not e.pinned and e.followed is None and n not in stay)
    solved = solve(session, state, (), upgrade=moving)
    for name, problem in sorted(solved.problems.items()):
        session.reporter.note(f"what is newest of {name} is not known: {problem.message}")
    chosen = {c.name: c for c in solved.resolution.choices}
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
        held = stay.get(name) or (choice.held_back if choice is not None else "")
        why = "" if moves else "pinned" if entry.pinned else held
        rows.append(
            Outdated(
                name=name, version=entry.version, newest=str(newest), available=available, pinned=entry.pinned, why=why
            )
        )
    return tuple(sorted(rows, key=lambda row: row.name))


def _followed(session: Session, state: State) -> list[Outdated]:
    """Return those of which a branch holds something newer; what cannot be seen, and tags that moved, are said."""
    rows = []
    for name, newest in sorted(newest_of(session, state.plugins.values()).items()):
        entry = state.plugins[name]
        if isinstance(newest, RecklessError):
            session.reporter.note(f"what is newest of {name} is not known: {newest.message}")
        elif isinstance(newest, One):
            version = str(newest.manifest.releases[0].version)
            rows.append(
                Outdated(
                    name=name,
                    version=entry.version,
                    newest=version,
                    available="" if entry.pinned else version,
                    pinned=entry.pinned,
                    why="pinned" if entry.pinned else "",
                    followed=str(newest.followed(name)),
                )
            )
        elif newest.moved:
            session.reporter.note(f"{name} {newest.why}")
    return rows


def _lightningd(session: Session, state: State) -> Version | None:
    if session.info:
        return parse_lightningd(session.info.version)
    if not state.lightningd:
        return None
    seen = state.lightningd.get(session.network)
    return parse_lightningd(seen) if seen else None
