"""What may not stand beside what, while plugins are switched over one after the other.

A resolution is free of conflicts once all of it has been carried out. On the way there, and where part of it fails, old
versions stand beside new ones.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from reckless.resolve.order import closure, start_order
from reckless.resolve.problem import Choice, Installed


def needs(choice: Choice) -> tuple[str, ...]:
    """Return the names of what a choice's release depends on."""
    return tuple(d.name for d in choice.release.depends) if choice.release else ()


def in_its_way(choice: Choice, installed: Mapping[str, Installed]) -> tuple[str, ...]:
    """Return the plugins, as they are here now, that may not stand beside this release; in order of their names."""
    release = choice.release
    if release is None:
        return ()
    return in_the_way_of(Installed(name=choice.name, version=release.version, conflicts=release.conflicts), installed)


def in_the_way_of(plugin: Installed, installed: Mapping[str, Installed]) -> tuple[str, ...]:
    """Return the plugins that may not stand beside `plugin`, in order of their names."""
    mine = {c.name: c.specifier for c in plugin.conflicts}
    found = []
    for name, other in sorted(installed.items()):
        theirs = [c.specifier for c in other.conflicts if c.name == plugin.name]
        if name != plugin.name and (
            (name in mine and mine[name].contains(other.version, prereleases=True))
            or any(specifier.contains(plugin.version, prereleases=True) for specifier in theirs)
        ):
            found.append(name)
    return tuple(found)


def in_order(
    choices: Sequence[Choice], installed: Mapping[str, Installed], unneeded: Collection[str]
) -> tuple[Choice, ...]:
    """Return `choices` such that each comes after what it needs, and after those that clear its way.

    The way is cleared by a plugin whose old version is in it, or needs an `unneeded` one that is. Where such a plugin
    itself needs the choice, that cannot be: then the choice comes first, and what is in its way has to stand aside.
    """
    by_name = {c.name: c for c in choices}
    first = {c.name: set(needs(c)) for c in choices}
    moving = [c.name for c in choices if c.before is not None and c.before != c.version]
    holds = {name: {d.name for d in plugin.depends} for name, plugin in installed.items()}
    order = {name: set(names) for name, names in first.items()}
    for choice in choices:
        found = set(in_its_way(choice, installed)) if choice.kind in ("install", "upgrade", "downgrade") else set()
        if not found:
            continue
        clearing = [m for m in moving if m in found or closure([m], holds) & found & set(unneeded)]
        order[choice.name] |= {m for m in clearing if m != choice.name and choice.name not in closure([m], first)}
    return tuple(choices) if order == first else tuple(by_name[name] for name in start_order(order))
