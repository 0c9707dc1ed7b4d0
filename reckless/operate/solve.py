"""From what a person asked for to a resolution: gather what the resolver needs, and ask it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from reckless.errors import RecklessError, ResolutionError, StoreError
from reckless.index.search import suggestions
from reckless.index.source import Found, Sources
from reckless.model.dependency import parse_dependency
from reckless.model.machine import Machine
from reckless.model.manifest import Builtin, GitSource
from reckless.model.names import normalize_name
from reckless.model.state import State
from reckless.model.versions import parse_lightningd, parse_specifier
from reckless.operate.session import Session
from reckless.resolve.problem import Installed, Problem, Resolution, Wanted
from reckless.resolve.solver import resolve

_TARGET = re.compile(r"\s*(?P<name>[^\s=<>!~@]+)\s*(?:@\s*(?P<rev>\S+)|(?P<specifier>[=<>!~].*))?\s*")


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """What a person typed: a name, and bounds on its version or a revision."""

    name: str
    specifier: SpecifierSet = field(default_factory=SpecifierSet)
    rev: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Solved:
    """A resolution, where each manifest came from, and what the node itself ships.

    `problems` are installed plugins whose manifest or receipt cannot be used, so that nothing newer is known of them.
    """

    resolution: Resolution
    found: Mapping[str, Found]
    builtins: Mapping[str, Builtin]
    machine: Machine
    problems: Mapping[str, RecklessError] = field(default_factory=dict)


def parse_target(text: str) -> Target:
    """Read `NAME`, `NAME==1.2.0`, `NAME>=1,<2`, `NAME@v1.2.0` or `NAME@COMMIT`. Raises RecklessError."""
    found = _TARGET.fullmatch(text)
    if found is None or "/" in text.split("@", maxsplit=1)[0]:
        raise RecklessError(
            "invalid-name",
            f"{text!r} is not the name of a plugin",
            "`reckless search WORD` finds names; a directory of manifests comes in by `reckless source add DIR`",
        )
    specifier = parse_specifier(found["specifier"] or "")
    return Target(name=normalize_name(found["name"]), specifier=specifier, rev=found["rev"] or "")


def solve(
    session: Session,
    state: State,
    targets: Iterable[Target],
    *,
    upgrade: frozenset[str] = frozenset(),
    prereleases: bool = False,
) -> Solved:
    """Resolve `targets` and `upgrade` against what is installed, the sources, the node and this machine.

    Raises ResolutionError, IndexSourceError, ManifestError.
    """
    from reckless.build.machine import this_machine

    targets = tuple(targets)
    damaged = damaged_plugins(session, state)
    for target in targets:
        if target.name in damaged:
            raise damaged[target.name]
    sources = session.sources(state)
    known = installed_plugins(session, state)
    # One that cannot be run is not there: it is built again.
    installed = {n: p for n, p in known.items() if session.store.is_whole(n, state.plugins[n].tree)}
    found = sources.closure([*(t.name for t in targets), *installed])
    builtins = sources.builtins()
    for target in targets:
        if target.name in (problems := sources.problems):  # it is there, but its manifest is unusable
            raise problems[target.name]
        if target.name not in found and target.name not in builtins and target.name not in installed:
            raise unknown_name(target.name, sources, state)
    version = session.info.version if session.info else state.lightningd.get(session.network)
    languages = {r.build.language for f in found.values() for r in f.manifest.releases}
    machine = this_machine(languages=languages, cache=session.settings.cache)
    problem = Problem(
        wanted=tuple(Wanted(name=t.name, specifier=_specifier(t, found)) for t in targets),
        upgrade=upgrade - damaged.keys(),
        installed=installed,
        manifests={name: f.manifest for name, f in found.items()},
        builtins=builtins,
        lightningd=parse_lightningd(version) if version else None,
        machine=machine,
        prereleases=prereleases,
    )
    unusable = {name: problem for name, problem in sources.problems.items() if name in installed} | damaged
    return Solved(resolution=resolve(problem), found=found, builtins=builtins, machine=machine, problems=unusable)


def unknown_name(name: str, sources: Sources, state: State) -> ResolutionError:
    """Make the error for a name that nobody has, with what was perhaps meant."""
    known = {*(entry.name for entry, _ in sources.catalog()), *sources.builtins(), *state.plugins}
    near = suggestions(name, sorted(known))
    hint = f"did you mean {' or '.join(near)}?" if near else "`reckless search WORD` looks through all plugins"
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
    if not target.rev:
        return target.specifier
    releases = found[target.name].manifest.releases if target.name in found else ()
    for release in releases:
        by_commit = isinstance(release.source, GitSource) and release.source.rev.startswith(target.rev.lower())
        if (by_commit and len(target.rev) >= 7) or _same_version(target.rev, release.version):
            return SpecifierSet(f"=={release.version}")
    known = ", ".join(str(r.version) for r in releases) or "none"
    raise ResolutionError(
        "no-such-version",
        f"{target.name} has no release at {target.rev}",
        f"the releases of {target.name} are: {known}",
    )


def _same_version(text: str, version: Version) -> bool:
    try:
        return Version(text) == version
    except ValueError:
        return False
