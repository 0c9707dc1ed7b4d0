"""Whether a plugin is built here or comes ready-made: what was asked, what was asked before, and what is here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from reckless.errors import StoreError
from reckless.index.port import Found
from reckless.model.machine import Machine
from reckless.model.state import State
from reckless.model.targets import fitting_binary
from reckless.operate.session import Session


def from_source(state: State, asked: Mapping[str, bool]) -> frozenset[str]:
    """Return the plugins that are to be built here whatever comes ready-made; `asked` is said now, and wins."""
    before = {name: entry.from_source for name, entry in state.plugins.items()}
    return frozenset(name for name, told in {**before, **asked}.items() if told)


def machine_for(found: Mapping[str, Found], building: frozenset[str], cache: Path) -> Machine:
    """Return this machine with the toolchains that may be needed: none for what comes ready-made for it."""
    from reckless.build.machine import this_machine

    bare = this_machine(languages=())
    releases = [(name, release) for name, one in found.items() for release in one.manifest.releases]
    languages = {r.build.language for name, r in releases if name in building or not fitting_binary(r, bare)}
    return this_machine(languages=languages, cache=cache)


def made_otherwise(
    session: Session, state: State, found: Mapping[str, Found], machine: Machine, asked: Mapping[str, bool]
) -> set[str]:
    """Return the installed plugins that were made in another way than is `asked` now, and can be made so."""
    return {
        name
        for name, building in asked.items()
        if name in state.plugins and name in found and _differs(session, state, found[name], machine, building=building)
    }


def _differs(session: Session, state: State, found: Found, machine: Machine, *, building: bool) -> bool:
    entry = state.plugins[found.manifest.name]
    try:
        is_ready_made = bool(session.store.receipt(entry.name, entry.tree).target)
    except StoreError:
        return False
    if is_ready_made or building:
        return is_ready_made and building
    here = next((r for r in found.manifest.releases if str(r.version) == entry.version), None)
    return here is not None and fitting_binary(here, machine) is not None
