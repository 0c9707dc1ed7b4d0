"""What a person should know about an answer, one sentence each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reckless.model.versions import lightningd_fits
from reckless.resolve.ground import Relation, contains, relations_of
from reckless.resolve.problem import Choice, Installed
from reckless.resolve.story import missing_text
from reckless.resolve.words import bounds_text, lightningd_text, listed, needs_text
from reckless.resolve.world import Candidate, Fact, World


def notes_on(
    world: World, answer: dict[str, Candidate], choices: Sequence[Choice], unneeded: Sequence[str]
) -> tuple[str, ...]:
    """Return the notes, by plugin in name order, each once."""
    found: list[str] = []
    if world.ground.problem.lightningd is None and any(_bounded(c) for c in choices):
        found.append("lightningd's version is not known, so nothing was checked against it")
    for choice in sorted(choices, key=lambda c: c.name):
        found += _on_choice(world, choice)
        if answer[choice.name].kind == "installed":
            found += _on_installed(world, answer, world.ground.problem.installed[choice.name])
    for name in sorted(unneeded):
        if world.ground.problem.provided(name):
            found.append(f"{name} came as a dependency, and is built into this lightningd: the separate plugin goes")
    return tuple(dict.fromkeys(found))


def _bounded(choice: Choice) -> bool:
    return choice.kind != "keep" and choice.release is not None and bool(choice.release.cln)


def _on_choice(world: World, choice: Choice) -> Iterator[str]:
    ground, name = world.ground, choice.name
    problem = ground.problem
    if choice.kind == "builtin":
        if name in ground.wanted:
            yield from _built_in(world, name)
        return
    here = problem.installed.get(name)
    release = choice.release
    if release is not None and release.yanked is not None:
        reason = f" ({release.yanked.strip()})" if release.yanked.strip() else ""
        why = "is installed" if choice.kind == "keep" else "was asked for by its exact version"
        yield f"{name} {choice.version} is yanked{reason}; it {why}"
    if here and here.pinned and name in problem.upgrade:
        newer = [
            r.version for r in ground.releases(name) if r.version > here.version and not ground.faults(name)[r.version]
        ]
        if newer:
            yield f"{name} is pinned at {here.version}, so it stays, though {newer[0]} is out (`reckless unpin {name}`)"
    elif choice.held_back:
        how = "stays at" if choice.kind == "keep" else "goes to" if choice.before else "comes as"
        yield f"{name} {how} {choice.version}, though there is a newer release. {choice.held_back.rstrip('.')}"
    if choice.kind in {"install", "upgrade"} and choice.version.is_prerelease and not problem.prereleases:
        yield f"{name} {choice.version} is a pre-release"
    yield from _on_status(world, choice)


def _built_in(world: World, name: str) -> Iterator[str]:
    bounds = [bounds_text(s) for s in world.ground.wanted[name] if s]
    if bounds:
        asked = listed(name + b for b in bounds)
        yield f"{asked} speaks of the separate plugin: the built-in one has lightningd's version"


def _on_status(world: World, choice: Choice) -> Iterator[str]:
    manifest = world.ground.problem.manifests.get(choice.name)
    asked = choice.name in world.ground.wanted or choice.kind != "keep"
    if manifest is None or manifest.plugin.status == "active" or not asked:
        return
    instead = f"; {manifest.plugin.replaced_by} replaces it" if manifest.plugin.replaced_by else ""
    yield f"{choice.name} is {manifest.plugin.status}{instead}"


def _on_installed(world: World, answer: dict[str, Candidate], here: Installed) -> Iterator[str]:
    ground = world.ground
    problem, name = ground.problem, here.name
    node = problem.lightningd
    if problem.provided(name):
        since = lightningd_text(problem.builtins[name].since)
        yield (
            f"{name} {here.version} is installed, and lightningd has it built in since {since}: "
            f"`reckless uninstall {name}` leaves the built-in one"
        )
    elif node is not None and not lightningd_fits(here.cln, node):
        yield f"{name} {here.version} needs lightningd {bounds_text(here.cln)}, and this one is {lightningd_text(node)}"
    for relation in relations_of(name, here):
        if relation not in world.relations(answer[name]):
            yield from _on_broken(world, here, relation, answer.get(relation.other.name))


def _on_broken(world: World, here: Installed, relation: Relation, other: Candidate | None) -> Iterator[str]:
    """Speak of what an installed plugin needs or cannot bear, was so before anything was asked, and still is."""
    who, what = f"{here.name} {here.version}", needs_text(relation.other)
    separate = other is not None and other.kind != "builtin"
    inside = other is not None and separate and contains(relation.other.specifier, other.version)
    if relation.kind == "conflicts":
        if other is not None and inside:
            yield f"{who} conflicts with {what}, and {other.version} is installed"
    elif other is None:
        name = relation.other.name
        missing = Fact("missing", name) in world.facts()
        mend = (
            f". {missing_text(world.ground, name)}".rstrip(".")
            if missing
            else f": `reckless install {here.name}` mends it"
        )
        yield f"{who} depends on {what}, which is not installed{mend}"
    elif separate and not inside:
        yield f"{who} depends on {what}, and {other.version} is installed: `reckless install {here.name}` mends it"
