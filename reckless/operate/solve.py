"""From what a person asked for to a resolution: gather what the resolver needs, and ask it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from reckless.errors import RecklessError, ResolutionError, StoreError
from reckless.index.port import Found
from reckless.model.dependency import parse_dependency
from reckless.model.machine import Machine
from reckless.model.manifest import Binary, Builtin, GitSource, Release
from reckless.model.place import Place
from reckless.model.state import State
from reckless.model.targets import fitting_binary
from reckless.model.versions import parse_lightningd
from reckless.operate import making
from reckless.operate.forced import force
from reckless.operate.session import Session
from reckless.operate.target import Target
from reckless.operate.unvouched import Unvouched
from reckless.resolve.problem import Installed, Problem, Resolution, Wanted

if TYPE_CHECKING:
    from reckless.index.source import Sources


@dataclass(frozen=True, kw_only=True, slots=True)
class Solved:
    """A resolution, where each manifest came from, and what the node itself ships.

    `problems` are installed plugins whose manifest or receipt cannot be used, so that nothing newer is known of them.
    `offline`: no source was asked for anything new, on purpose. `elsewhere`: sentences on where plugins come from that
    no index has, and where else there are plugins of those names. `from_source` are the plugins that are built here,
    whatever comes ready-made.
    """

    resolution: Resolution
    found: Mapping[str, Found]
    builtins: Mapping[str, Builtin]
    machine: Machine
    problems: Mapping[str, RecklessError] = field(default_factory=dict)
    offline: bool = False
    elsewhere: tuple[str, ...] = ()
    from_source: frozenset[str] = frozenset()

    def ready_made(self, name: str, release: Release) -> Binary | None:
        """Return the ready-made program to take of a release; None where it is built."""
        return None if name in self.from_source else fitting_binary(release, self.machine)


def solve(
    session: Session,
    state: State,
    targets: Iterable[Target],
    *,
    upgrade: frozenset[str] = frozenset(),
    prereleases: bool = False,
    sources: Sources | None = None,
    offline: bool = False,
) -> Solved:
    """Resolve `targets` and `upgrade` against what is installed, the sources, the node and this machine.

    What is installed from elsewhere than an index stays as it is, unless a target names it with a revision, bounds or
    as `one`: it is not taken from the sources. `sources` are those of the session, where they are open already.
    Raises ResolutionError, IndexSourceError, ManifestError.
    """
    from reckless.resolve.solver import resolve

    targets = tuple(targets)
    damaged = damaged_plugins(session, state)
    for target in targets:
        if target.name in damaged:
            raise damaged[target.name]
    sources = sources or session.sources(state)
    known = installed_plugins(session, state)
    # One that cannot be run is not there: it is built again.
    installed = {n: p for n, p in known.items() if session.store.is_whole(n, state.plugins[n].tree)}
    ones = {t.name: t.one for t in targets if t.one is not None}
    forced = force(session.store, {n: o for n, o in ones.items() if n in installed}, state.plugins)
    found = _found(sources, state, targets, installed)
    builtins = sources.builtins()
    for target in targets:
        if target.one is not None:  # it was looked at
            continue
        if target.name in (problems := sources.problems):  # it is there, but its manifest is unusable
            raise problems[target.name]
        if target.name not in found and target.name not in builtins and target.name not in installed:
            raise unknown_name(target.name, sources, state)
    version = session.info.version if session.info else state.lightningd.get(session.network)
    asked = {t.name: t.from_source for t in targets if t.from_source is not None}
    building = making.from_source(state, asked)
    machine = making.machine_for(found, building, session.settings.cache)
    wanted = [Wanted(name=t.name, specifier=forced.bounds.get(t.name) or _specifier(t, found)) for t in targets]
    # One that is here, but made otherwise than is asked now, is made again: at its version, unless that is to move.
    for name in making.made_otherwise(session, state, found, machine, asked) & installed.keys():
        here = installed.pop(name).version
        if name not in upgrade and not any(w.specifier for w in wanted if w.name == name):
            wanted.append(Wanted(name=name, specifier=SpecifierSet(f"=={here}")))
    problem = Problem(
        wanted=tuple(wanted),
        upgrade=upgrade - damaged.keys(),
        installed=installed,
        manifests={**{name: f.manifest for name, f in found.items()}, **forced.manifests},
        builtins=builtins,
        lightningd=parse_lightningd(version) if version else None,
        machine=machine,
        prereleases=prereleases,
        from_source=building,
    )
    unusable = {name: problem for name, problem in sources.problems.items() if name in installed} | damaged
    resolution = forced.unlabelled(resolve(problem), targets, state.plugins)
    unasked = {t.name for t in targets if t.unasked}
    choices = tuple(replace(c, requested=False) if c.name in unasked else c for c in resolution.choices)
    resolution = replace(resolution, choices=choices)
    if not offline:
        left_out = (f"{at} was left out: {error.message}" for at, error in sources.failed.items())
        resolution = replace(resolution, notes=(*resolution.notes, *left_out))
    return Solved(
        resolution=resolution,
        found=found,
        builtins=builtins,
        machine=machine,
        problems=unusable,
        offline=offline,
        elsewhere=_elsewhere(resolution, found, sources),
        from_source=building,
    )


def _elsewhere(resolution: Resolution, found: Mapping[str, Found], sources: Sources) -> tuple[str, ...]:
    """Say of what is to be installed what a person should know of where it comes from (dependency confusion)."""
    said = []
    for choice in resolution.choices:
        if choice.kind in ("keep", "builtin") or choice.name not in found:
            continue
        source = found[choice.name].source
        if isinstance(source, Unvouched) and (owner := sources.owner(choice.name)) and owner.reserves_names:
            said.append(
                f"{choice.name} is also in the index {owner.location}; this is the one of {source.location}, as asked"
            )
        elif isinstance(source, Unvouched):
            said.append(f"{choice.name} comes from {source.location}: no index vouches for it")
        elif others := [s.location for s in sources.elsewhere(choice.name) if not s.reserves_names]:
            said.append(f"{choice.name} is taken from {source.location}; there is one in {', '.join(others)}, too")
    return tuple(said)


def _found(
    sources: Sources, state: State, targets: Iterable[Target], installed: Mapping[str, Installed]
) -> dict[str, Found]:
    """Return the manifests of all that can come into play, by name."""
    ones = {t.name: t.one for t in targets if t.one is not None}
    named = {t.name for t in targets if t.one is None}
    asked = {t.name for t in targets if t.one is not None or t.rev or t.specifier}
    apart = {n for n in installed if state.plugins[n].followed is not None} - asked
    needed = {d.name for one in ones.values() for r in one.manifest.releases for d in r.depends}
    found = sources.closure([*(named | needed) - ones.keys(), *installed.keys() - apart - ones.keys()])
    found = {n: f for n, f in found.items() if n not in apart}
    return found | {n: Found(manifest=one.manifest, source=one) for n, one in ones.items()}


def unknown_name(name: str, sources: Sources, state: State) -> ResolutionError:
    """Make the error for a name that nobody has, with what was perhaps meant."""
    from reckless.index.search import suggestions

    known = {*(entry.name for entry, _ in sources.catalog()), *sources.builtins(), *state.plugins}
    near = suggestions(name, sorted(known))
    hint = f"did you mean {' or '.join(near)}?" if near else "`reckless search WORD` looks through all plugins"
    if Path(name).exists():
        hint += f"; `reckless install ./{name}` takes the folder or file of that name here"
    for location, error in sources.failed.items():
        hint += f"; {location} could not be asked: {error.message}"
    return ResolutionError("no-such-plugin", f"there is no plugin named {name}", hint)


def installed_plugins(session: Session, state: State) -> dict[str, Installed]:
    """Return what is installed as the resolver sees it. One whose tree is gone is not there: it is built again.

    Nor is one whose receipt is damaged: what it needs cannot be known. `damaged_plugins` has those.
    """
    installed = {}
    for name, entry in sorted(state.plugins.items()):
        try:
            receipt = session.store.receipt(name, entry.tree)
        except StoreError as e:
            if e.code not in ("tree-missing", "state-damaged"):
                raise
            continue
        installed[name] = Installed(
            name=name,
            version=Version(entry.version),
            depends=tuple(parse_dependency(d) for d in receipt.depends),
            conflicts=tuple(parse_dependency(c) for c in receipt.conflicts),
            cln=SpecifierSet(receipt.cln),
            requested=entry.requested,
            pinned=entry.pinned,
        )
    return installed


def damaged_plugins(session: Session, state: State) -> dict[str, RecklessError]:
    """Return the plugins whose receipt is damaged, and what is to be done: they stay as they are, others go on."""
    damaged: dict[str, RecklessError] = {}
    for name, entry in sorted(state.plugins.items()):
        try:
            session.store.receipt(name, entry.tree)
        except StoreError as e:
            if e.code == "state-damaged":
                damaged[name] = e
    return damaged


def _specifier(target: Target, found: Mapping[str, Found]) -> SpecifierSet:
    """Turn `NAME@REV` into the version whose tag or commit it is."""
    if not target.rev or target.one is not None:
        return target.specifier
    releases = found[target.name].manifest.releases if target.name in found else ()
    for release in releases:
        by_commit = isinstance(release.source, GitSource) and release.source.rev.startswith(target.rev.lower())
        if (by_commit and len(target.rev) >= 7) or _same_version(target.rev, release.version):
            return SpecifierSet(f"=={release.version}")
    known = ", ".join(str(r.version) for r in releases) or "none"
    hint = f"the releases of {target.name} are: {known}"
    newest = releases[0].source if releases else None
    if isinstance(newest, GitSource):
        place = Place(url=newest.git, rev=target.rev, path=newest.subdir)
        hint += f"; `reckless install {place}` takes it from there, without the index's word for it"
    raise ResolutionError("no-such-version", f"{target.name} has no release at {target.rev}", hint)


def _same_version(text: str, version: Version) -> bool:
    try:
        return Version(text) == version
    except ValueError:
        return False
