"""Which release of ours may take the place of what lightningd's own reckless installed, and when.

`install NAME` is asked for, and takes any. `upgrade` takes a release only where it is of the repository that the plugin
came from, or that is not known; and it leaves what was installed at a tag or commit that somebody asked for.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import replace

from reckless.errors import RecklessError
from reckless.index.source import Found, Sources
from reckless.model.manifest import GitSource
from reckless.model.state import OLD_TOOL, Entry, State
from reckless.operate.legacy import old_plugins, with_old
from reckless.operate.result import Outcome
from reckless.operate.session import Session
from reckless.operate.solve import Solved, solve
from reckless.operate.takeover import adopt
from reckless.operate.target import Target

OFFICIAL = "github.com/lightningd/plugins"  # that tool's own source: names there are the names of the index


def asked_for(
    session: Session, state: State, wanted: Iterable[Target], *, dry_run: bool
) -> tuple[State, frozenset[str]]:
    """Take over what `install` asks for; return the state, and which of it is to move to its newest release.

    Who asks for it now is not held by having asked for a tag then.
    """
    wanted = tuple(wanted)
    state = adopt(session, state, [t.name for t in wanted], dry_run=dry_run)
    moving = set()
    for target in wanted:
        entry = state.plugins.get(target.name)
        if entry is None or not entry.is_old:
            continue
        state = state.with_entry(replace(entry, pinned=False))
        if not target.rev and not target.specifier and target.one is None:
            moving.add(target.name)
    return state, frozenset(moving)


def upgradable(
    session: Session, state: State, names: Collection[str], *, dry_run: bool
) -> tuple[State, tuple[Outcome, ...]]:
    """Take over what `upgrade` may move, of `names` or (none) of all; an outcome says for each other why it stays."""
    seen = with_old(session, state)
    old = [e for n, e in sorted(seen.plugins.items()) if e.is_old and (not names or n in names)]
    stay = why_they_stay(session, state, old)
    state = adopt(session, state, [e.name for e in old if e.name not in stay], dry_run=dry_run)
    return state, tuple(
        Outcome(name=e.name, action="keep", status="unchanged", version=e.version, message=stay[e.name])
        for e in old
        if e.name in stay
    )


def why_they_stay(session: Session, state: State, entries: Iterable[Entry]) -> dict[str, str]:
    """Return, of plugins that lightningd's own tool installed, those that `upgrade` leaves alone, and why.

    Raises IndexSourceError, ManifestError where the sources cannot be read.
    """
    old = [entry for entry in entries if entry.is_old]
    if not old:
        return {}
    sources = session.sources(state)
    return {entry.name: why for entry in old if (why := _why_it_stays(session, sources, entry))}


def _why_it_stays(session: Session, sources: Sources, entry: Entry) -> str:
    name, place = entry.name, where_from(session, entry)
    origin = f"installed by {OLD_TOOL}{f' from {place}' if place else ''}"
    if entry.pinned:
        return f"{origin}, held where it is; `reckless install {name}` moves it to the newest release"
    try:
        found = sources.find(name)
    except RecklessError as e:
        return f"{origin}; what is newest is not known: {e.message}"
    if found is None:
        return f"{origin}; no source lists it, so it stays as it is"
    if is_same(place, found):
        return ""
    other = found.manifest.plugin.repository
    return f"{origin}; the {name} of {found.source.location} is another ({other}): `reckless install {name}` takes it"


def solve_taking_over(
    session: Session,
    state: State,
    wanted: Iterable[Target],
    *,
    upgrade: frozenset[str],
    dry_run: bool,
    sources: Sources,
    offline: bool = False,
) -> tuple[State, Solved]:
    """Solve; where the answer would put something in the place of such a plugin, take that over and solve again."""
    wanted = tuple(wanted)
    while True:
        solved = solve(session, state, wanted, upgrade=upgrade, sources=sources, offline=offline)
        old = old_plugins(session, state)
        names = [c.name for c in solved.resolution.choices if c.name in old and c.kind != "builtin"]
        if not names:
            return state, solved
        state = adopt(session, state, names, dry_run=dry_run)


def broken_old(session: Session, state: State, names: Iterable[str]) -> list[Target]:
    """Return those of such plugins that cannot be run: they are not there to be upgraded, but to be installed anew."""
    old = [state.plugins[name] for name in sorted(names) if state.plugins[name].is_old]
    return [Target(name=e.name) for e in old if not session.store.is_whole(e.name, e.tree)]


def where_from(session: Session, entry: Entry) -> str:
    """Return the URL or folder that such a plugin came from; empty where that tool noted nothing."""
    return re.sub(r"@[0-9a-f]{7,64}$", "", session.store.receipt(entry.name, entry.tree).source)


def is_same(place: str, found: Found) -> bool:
    """Say whether what came from `place` is the plugin that this manifest is of."""
    if not place or is_official(place):
        return True
    manifest, location = found.manifest, found.source.location
    gits = {r.source.git for r in manifest.releases if isinstance(r.source, GitSource)}
    return _repository(place) in {_repository(url) for url in (location, manifest.plugin.repository, *gits)}


def is_official(place: str) -> bool:
    """Say whether it is the collection that lightningd's own tool searches where it was told nothing else."""
    return _repository(place) == OFFICIAL


def _repository(url: str) -> str:
    """Return what two URLs of one repository have in common."""
    text = re.sub(r"^(?:[a-z+]+://)?(?:[^@/]*@)?", "", url.strip().lower())
    return re.sub(r"^([^/:]+):(?!/|[0-9]+/)", r"\1/", text).rstrip("/").removesuffix(".git")
