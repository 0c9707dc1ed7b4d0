"""Uninstall: refused while others need it, and taking along dependencies that nothing needs any more."""

from __future__ import annotations

from collections.abc import Sequence

from packaging.version import Version

from reckless.errors import RecklessError, StoreError
from reckless.model.names import normalize_name
from reckless.model.state import Entry, State
from reckless.operate.activate import Applied, apply
from reckless.operate.change import Change
from reckless.operate.options import refuse_orphans
from reckless.operate.result import Outcome, Result
from reckless.operate.session import Session
from reckless.operate.solve import installed_plugins
from reckless.operate.takeover import adopt
from reckless.resolve.problem import Installed


def uninstall(session: Session, names: Sequence[str], *, dry_run: bool = False) -> Result:
    """Remove plugins and what came only for them. Raises RecklessError `still-needed`, `not-installed`."""
    from reckless.resolve.solver import removal

    with session.writing(dry_run=dry_run) as found:
        state = adopt(session, found, names, dry_run=dry_run, stays=False)
        wanted = [installed_name(state, name) for name in names]
        known = installed_plugins(session, state)
        for name in wanted:
            if name not in known:  # its receipt is gone or damaged: what it needs is not known, who needs it is
                known[name] = Installed(name=name, version=Version(state.plugins[name].version))
        order = removal(known, wanted, provided=provided_names(session, state))
        if dry_run:
            return Result(
                outcomes=tuple(
                    Outcome(
                        name=n, action="uninstall", status="planned", before=state.plugins[n].version,
                        steps=("take it out of the config", "stop it", "remove its files"),
                        message="" if n in wanted else "it came as a dependency and nothing else needs it",
                    )
                    for n in order
                )
            )  # fmt: skip
        outcomes = []
        for name in order:
            before = state.plugins[name]
            applied = remove_one(session, state, name)
            state = applied.state
            outcomes.append(
                Outcome(
                    name=name, action="uninstall", status="done", before=before.version, restart=applied.restart,
                    message=_message(applied, dependency=name not in wanted),
                )
            )  # fmt: skip
    return Result(outcomes=tuple(outcomes))


def provided_names(session: Session, state: State) -> frozenset[str]:
    """Return what lightningd itself ships; nothing where no source can say: then more is refused, not less."""
    from reckless.model.versions import parse_lightningd

    version = session.info.version if session.info else state.lightningd.get(session.network)
    if version is None:
        return frozenset()
    try:
        builtins = session.sources(state, offline=True).builtins()
    except RecklessError:
        return frozenset()
    return frozenset(n for n, b in builtins.items() if b.provided_by(parse_lightningd(version)))


def remove_one(session: Session, state: State, name: str) -> Applied:
    """Take one plugin out of the config, stop it and forget it; its trees go with the debris.

    Raises ConfigError `option-in-config`, RecklessError `enabled-elsewhere`.
    """
    entry = state.plugins[name]
    others = [n for n in entry.enabled if n != session.network]
    if others:
        raise RecklessError(
            "enabled-elsewhere",
            f"{name} is also enabled on {', '.join(others)}; nothing was changed",
            f"first: reckless --network {others[0]} disable {name}",
        )
    offered = offered_options(session, entry)
    refuse_orphans(session.files, name, offered)
    return apply(session, state, Change(verb="uninstall", name=name, before=entry, after=None, offered=offered))


def offered_options(session: Session, entry: Entry) -> tuple[str, ...]:
    """Return the names of all options that the installed release has; where its tree is gone, those the node knows.

    Raises StoreError where a damaged receipt is all that could tell.
    """
    try:
        return session.store.receipt(entry.name, entry.tree).options
    except StoreError as e:
        if session.info is not None:
            path = str(session.store.running_path(entry))
            return tuple(name for name, owner in session.node.options().items() if owner == path)
        if e.code == "tree-missing":
            return ()
        raise


def installed_name(state: State, text: str) -> str:
    """Return the installed plugin that a person means. Raises RecklessError `not-installed`."""
    name = normalize_name(text)
    if name not in state.plugins:
        near = _near(name, state)
        raise RecklessError("not-installed", f"{name} is not installed", near or "`reckless list` shows what is")
    return name


def _near(name: str, state: State) -> str:
    from reckless.index.search import suggestions

    near = suggestions(name, sorted(state.plugins))
    return f"did you mean {' or '.join(near)}?" if near else ""


def _message(applied: Applied, *, dependency: bool) -> str:
    texts = []
    if dependency:
        texts.append("it came as a dependency and nothing needs it any more")
    if applied.restart:
        texts.append("it runs until lightningd is restarted; its files stay until then")
    return "; ".join(texts)
