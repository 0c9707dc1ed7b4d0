"""What leaves while a resolution is carried out: what nothing needs, what came for naught, what stands aside."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from packaging.version import Version

from reckless.errors import RecklessError
from reckless.model.state import State
from reckless.operate.beside import in_its_way, in_the_way_of, needs
from reckless.operate.remove import remove_one
from reckless.operate.result import Outcome
from reckless.operate.session import Session
from reckless.operate.solve import installed_plugins
from reckless.operate.switch import switch_one
from reckless.operate.undo import is_running
from reckless.resolve.order import closure
from reckless.resolve.problem import Choice


@dataclass(slots=True)
class Run:
    """What changes while a resolution is carried out.

    `todo` is what is still to come, `aside` who was switched off for another's sake; `quarrels` is false where nobody
    conflicts with anybody.
    """

    state: State
    todo: list[Choice]
    outcomes: list[Outcome] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    aside: list[str] = field(default_factory=list)
    quarrels: bool = False


def clear_the_way(session: Session, run: Run, choice: Choice, unneeded: Collection[str]) -> str:
    """Have what conflicts with a choice, and is no longer needed, stand aside; return why not where it cannot."""
    if not run.quarrels:
        return ""
    installed = installed_plugins(session, run.state)
    coming = {choice.name, *(c.name for c in run.todo)}
    for name in in_its_way(choice, installed):
        holders = [n for n, i in sorted(installed.items()) if n not in unneeded and name in {d.name for d in i.depends}]
        held = next((n for n in holders if n not in coming), "")
        entry, why = run.state.plugins[name], ""
        if held:
            why = f"{held} {installed[held].version} still needs"
        elif name not in unneeded:
            why = "is still here"
        elif not entry.dynamic and is_running(session, entry):
            why = "only a restart of lightningd stops: disable it, restart lightningd, then run this again"
        if why:
            return f"not touched: it conflicts with {name} {installed[name].version}, which {why}"
        if session.network in entry.enabled:
            off = entry.on(session.network, enabled=False)
            run.aside.append(name)
            run.state = switch_one(session, run.state, entry, off, "disable").state
    return ""


def remove_unneeded(session: Session, run: Run, names: Collection[str]) -> None:
    """Uninstall what came only as a dependency; what cannot be removed is said, and stays."""
    for name in dict.fromkeys(names):
        try:
            applied = remove_one(session, run.state, name)
        except (RecklessError, OSError) as error:
            session.reporter.note(f"{name} is no longer needed, but could not be removed: {error}")
            continue
        run.state = applied.state
        run.outcomes.append(
            Outcome(
                name=name, action="uninstall", status="done", restart=applied.restart,
                message="it came as a dependency and nothing needs it any more",
            )
        )  # fmt: skip


def left_over(run: Run, choices: Sequence[Choice], before: State) -> list[str]:
    """Dependencies that were brought in now for plugins that then failed: they go again."""
    if not run.failed:
        return []
    needed_by = {c.name: needs(c) for c in choices}
    fresh = [n for n, e in run.state.plugins.items() if n not in before.plugins and not e.requested and n in needed_by]
    needed = closure([n for n in needed_by if n not in run.failed and n not in fresh], needed_by)
    return [n for n in reversed([c.name for c in choices]) if n in fresh and n not in needed]


def still_needed(session: Session, run: Run, unneeded: Collection[str]) -> set[str]:
    """Return those of `unneeded` that are needed after all, by what failed and so is as it was; say so."""
    if not run.failed or not unneeded:
        return set()
    holds = {n: {d.name for d in i.depends} for n, i in installed_plugins(session, run.state).items()}
    found = closure([n for n in holds if n not in unneeded], holds) & set(unneeded)
    for name in sorted(found):
        holder = next(n for n in sorted(holds) if name in holds[n] and (n in found or n not in unneeded))
        session.reporter.note(f"{name} stays: {holder} {run.state.plugins[holder].version} needs it")
    return found


def bring_back(session: Session, run: Run, staying: Collection[str]) -> None:
    """Switch on again who stood aside and is needed after all: that for which it did has failed, and has gone.

    Where another that succeeded needs that too, it has not: then who stood aside stays off.
    """
    for name in [name for name in run.aside if name in staying]:
        entry = run.state.plugins[name]
        if session.network in entry.enabled:
            continue
        try:
            installed = installed_plugins(session, run.state)
            here = {n: i for n, i in installed.items() if session.network in run.state.plugins[n].enabled}
            if other := next(iter(in_the_way_of(installed[name], here)), ""):
                beside = f"{other} {installed[other].version}"
                session.reporter.note(f"{name} is switched off: it conflicts with {beside}, which is here now")
                continue
            on = entry.on(session.network, enabled=True)
            run.state = switch_one(session, run.state, entry, on, "enable").state
        except (RecklessError, OSError) as error:
            session.reporter.note(
                f"{name} was switched off and could not be switched on again: {error}; `reckless enable {name}` does it"
            )


def give_up(session: Session, run: Run, choices: Sequence[Choice], before: State, unneeded: Collection[str]) -> None:
    """After an interrupt: have who stood aside back where it is needed, as if all that is not done had failed."""
    if not run.aside:
        return
    run.state = session.store.load()  # an interrupt may come right after it was saved
    versions = {name: Version(entry.version) for name, entry in run.state.plugins.items()}
    run.failed |= {c.name: "" for c in choices if c.kind != "builtin" and versions.get(c.name) != c.version}
    remove_unneeded(session, run, left_over(run, choices, before))
    bring_back(session, run, still_needed(session, run, unneeded))
