"""`reckless doctor`: what is wrong, or about to be. Reads only, and never fails because of what it finds."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from reckless.errors import RecklessError
from reckless.model.state import OLD_TOOL, Entry, State
from reckless.operate.legacy import OldPlugin, all_old, old_plugins
from reckless.operate.remove import provided_names
from reckless.operate.session import Session
from reckless.operate.solve import installed_plugins
from reckless.store import journal


@dataclass(frozen=True, kw_only=True, slots=True)
class Ailment:
    """One finding. `grave`: it keeps lightningd from starting, or a plugin from running."""

    severity: Literal["grave", "note"]
    code: str
    message: str
    hint: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Diagnosis:
    """All findings, and what was looked at."""

    ailments: tuple[Ailment, ...]
    checked: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing grave was found."""
        return not any(a.severity == "grave" for a in self.ailments)


def diagnose(session: Session) -> Diagnosis:
    """Look at the node, its config, the state, the trees and the journal. Raises ConfigError where there is no node."""
    ailments: list[Ailment] = []
    ailments += _guarded(lambda: _node(session))
    ailments += _guarded(lambda: _owner(session))
    ailments += _guarded(lambda: _journal(session))
    state: State | None = None
    try:
        state = session.store.load()
    except RecklessError as e:
        ailments.append(_grave(e))
    if state is not None:
        for _, entry in sorted(state.plugins.items()):
            ailments += _guarded(partial(_plugin, session, entry))
        ailments += _guarded(partial(_needs, session, state))
        ailments += _guarded(partial(_strays, session, state))
        ailments += _guarded(partial(_old, session, state))
    ailments += _guarded(partial(_config, session, state))
    checked = ("node", "owner", "journal", "state", "trees", "dependencies", OLD_TOOL, "config")
    return Diagnosis(ailments=tuple(dict.fromkeys(ailments)), checked=checked)


def _guarded(look: Callable[[], list[Ailment]]) -> list[Ailment]:
    try:
        return look()
    except RecklessError as e:
        return [_grave(e)]
    except OSError as e:
        return [Ailment(severity="grave", code="cannot-read", message=f"cannot read {e.filename}: {e.strerror}")]


def _grave(error: RecklessError) -> Ailment:
    return Ailment(severity="grave", code=error.code, message=error.message, hint=error.hint)


def _node(session: Session) -> list[Ailment]:
    if session.info is not None:
        return []
    if session.no_contact is not None:
        return [_grave(session.no_contact)]
    return [Ailment(severity="note", code="node-down", message="lightningd is not running")]


def _owner(session: Session) -> list[Ailment]:
    session.files.check_owner()
    return []


def _journal(session: Session) -> list[Ailment]:
    return [
        Ailment(
            severity="note",
            code="journal-left",
            message=f"an interrupted {record.verb} of {record.name} left work behind",
            hint="the next reckless command that changes something finishes or undoes it",
        )
        for record in journal.pending(session.store.layout)
    ]


def _plugin(session: Session, entry: Entry) -> list[Ailment]:
    store, layout = session.store, session.store.layout
    again = f"`reckless install {entry.name}=={entry.version}` builds it again"
    if entry.is_old:
        again = f"`reckless install {entry.name}` puts its newest release in its place"
    if not store.is_sealed(entry.name, entry.tree):
        return [
            Ailment(severity="grave", code="tree-missing", message=f"the files of {entry.name} are gone", hint=again)
        ]
    ailments = []
    receipt = store.receipt(entry.name, entry.tree)
    current = layout.current(entry.name)
    target = str(current.readlink()) if current.is_symlink() else ""
    if target != entry.tree:
        ailments.append(
            Ailment(
                severity="grave",
                code="link-broken",
                message=f"{current} points at {target or 'nothing'}, not at {entry.tree}",
                hint=f"`reckless disable {entry.name}` and `reckless enable {entry.name}` set it again",
            )
        )
    if not os.access(layout.tree(entry.name, entry.tree) / entry.entrypoint, os.X_OK):
        ailments.append(
            Ailment(
                severity="grave",
                code="entrypoint-missing",
                message=f"{entry.name} has no {entry.entrypoint}",
                hint=again,
            )
        )
    if receipt.interpreter and not os.access(receipt.interpreter, os.X_OK):
        ailments.append(
            Ailment(
                severity="grave",
                code="interpreter-gone",
                message=f"{entry.name} was built for {receipt.interpreter}, which is no longer there",
                hint=again,
            )
        )
    return ailments


def _needs(session: Session, state: State) -> list[Ailment]:
    """What an enabled plugin depends on and is not there, or off: a command that was killed half-way may leave that."""
    here = {name for name, entry in state.plugins.items() if session.network in entry.enabled}
    wanted = {
        (name, dependency.name)
        for name, plugin in installed_plugins(session, state).items()
        for dependency in plugin.depends
        if name in here and dependency.name not in here
    }
    provided = provided_names(session, state) if wanted else frozenset()
    return [
        Ailment(
            severity="grave",
            code="dependency-off" if needed in state.plugins else "dependency-missing",
            message=f"{name} depends on {needed}, which is {'off' if needed in state.plugins else 'not installed'}",
            hint=f"`reckless {'enable' if needed in state.plugins else 'install'} {needed}`",
        )
        for name, needed in sorted(wanted)
        if needed not in provided
    ]


def _strays(session: Session, state: State) -> list[Ailment]:
    return [
        Ailment(
            severity="note", code="debris", message=f"{tree} belongs to nothing", hint="the next change clears it away"
        )
        for tree in session.store.stray_trees(state)
    ]


def _old(session: Session, state: State) -> list[Ailment]:
    """Look at what lightningd's own tool installed and we did not take over."""
    old = old_plugins(session, state)
    return [
        *(_old_ailment(plugin) for _, plugin in sorted(old.items())),
        *(_beside(plugin) for plugin in all_old(session, state) if not _is_known(plugin, old, state)),
    ]


def _is_known(plugin: OldPlugin, old: Mapping[str, OldPlugin], state: State) -> bool:
    entry = state.plugins.get(plugin.name)
    return plugin.tree in (entry.tree, *entry.previous) if entry else old[plugin.name] == plugin


def _beside(plugin: OldPlugin) -> Ailment:
    return Ailment(
        severity="note",
        code="old-plugin-beside",
        message=f"{plugin.folder} has what {OLD_TOOL} installed, and another {plugin.name} is in its place",
        hint="take its lines out of the config, and its files away, once you need it no more",
    )


def _old_ailment(plugin: OldPlugin) -> Ailment:
    if not plugin.is_installed:
        return Ailment(
            severity="note",
            code="old-plugin-remains",
            message=f"{plugin.folder} is what an installation by {OLD_TOOL} left that was not finished",
            hint=f"`reckless uninstall {plugin.name}` removes it",
        )
    if plugin.damage:
        return Ailment(
            severity="grave" if plugin.enabled else "note",
            code="old-plugin-broken",
            message=f"{plugin.name}, installed by {OLD_TOOL}, cannot be run: {plugin.damage}",
            hint=f"`reckless install {plugin.name}` puts its newest release in its place; "
            f"`reckless uninstall {plugin.name}` removes it",
        )
    return Ailment(
        severity="note",
        code="old-plugin",
        message=f"{plugin.name} was installed by {OLD_TOOL}",
        hint=f"`reckless upgrade {plugin.name}` takes it over, where a source has it",
    )


def _config(session: Session, state: State | None) -> list[Ailment]:
    known: dict[str, frozenset[str]] = {}
    for name, entry in (state.plugins if state else {}).items():
        if session.store.is_sealed(name, entry.tree):
            path = Path(session.store.entrypoint(entry))
            known[str(path)] = frozenset(session.store.receipt(name, entry.tree).options)
    return [
        Ailment(
            severity="grave",
            code=p.code,
            message=f"{p.file} line {p.line}: {p.message}" if p.line else f"{p.file}: {p.message}",
            hint=p.hint,
        )
        for p in session.files.problems(known)
    ]
