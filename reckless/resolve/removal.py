"""What goes when plugins are uninstalled, and what speaks against it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from reckless.errors import ResolutionError
from reckless.resolve.order import closure, stop_order
from reckless.resolve.problem import Installed
from reckless.resolve.words import listed


def removal(
    installed: Mapping[str, Installed], names: Iterable[str], *, provided: Collection[str] = ()
) -> tuple[str, ...]:
    """Return what to remove, dependents first: `names`, and what came only as a dependency of theirs.

    A plugin that somebody asked for or pinned never goes along. `provided` are names that the node itself provides: who
    depends on one of them does not need the separate plugin. Raises ResolutionError `still-needed` where a plugin that
    stays needs one that is to go, `not-installed` for a name that is not here.
    """
    going = set(names)
    unknown = sorted(going - set(installed))
    if unknown:
        raise ResolutionError(
            "not-installed",
            f"{listed(unknown)} {'is' if len(unknown) == 1 else 'are'} not installed; nothing was removed",
            "`reckless list` shows what is installed",
        )
    needs = {n: {d.name for d in i.depends if d.name not in provided} for n, i in installed.items()}
    staying = {n: needs[n] for n in installed if n not in going}
    asked_for = [n for n in staying if installed[n].requested or installed[n].pinned]
    going |= closure(going, needs) - closure(asked_for, staying) - _strays(going, needs, staying)
    _refuse_needed(installed, going, needs)
    return stop_order({n: needs[n] for n in going})


def together(installed: Mapping[str, Installed], names: Collection[str]) -> list[str]:
    """Return `names` and every installed plugin that needs one of them, however indirectly."""
    needed_by = {n: [o for o, other in installed.items() if n in {d.name for d in other.depends}] for n in installed}
    return [*sorted(names), *sorted(closure(names, needed_by) - set(names))]


def _strays(going: set[str], needs: Mapping[str, set[str]], staying: Mapping[str, set[str]]) -> set[str]:
    """Return dependencies that this removal has nothing to do with, and what they need: they stay."""
    concerned = closure(going, needs)
    return closure([n for n in staying if n not in concerned], staying)


def _refuse_needed(installed: Mapping[str, Installed], going: set[str], needs: Mapping[str, set[str]]) -> None:
    holders = {n: sorted(o for o in installed if o not in going and n in needs[o]) for n in sorted(going)}
    sentences = [
        f"{name} is still needed by {listed(f'{h} {installed[h].version}' for h in found)}"
        for name, found in holders.items()
        if found
    ]
    if not sentences:
        return
    everyone = together(installed, going)
    raise ResolutionError(
        "still-needed",
        f"{'; '.join(sentences)}; nothing was removed",
        f"`reckless uninstall {' '.join(everyone)}` removes them together",
    )
