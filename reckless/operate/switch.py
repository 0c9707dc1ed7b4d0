"""Verbs that change an installed plugin in place: enable, disable, rollback, pin, unpin, set, unset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reckless.errors import RecklessError, StoreError, UsageError
from reckless.model.state import Entry, State
from reckless.node.conf import Options
from reckless.operate.activate import Applied, apply
from reckless.operate.change import Change
from reckless.operate.options import checked_options, parse_options, refuse_orphans, refuse_required, refuse_unknown
from reckless.operate.remove import installed_name, offered_options
from reckless.operate.result import Action, Outcome, Result, Status
from reckless.operate.session import Session
from reckless.operate.takeover import adopt


def enable(session: Session, names: Sequence[str], *, dry_run: bool = False) -> Result:
    """Switch plugins on: started now where the node allows it, and in the config."""
    return _switch(session, names, on=True, dry_run=dry_run)


def disable(session: Session, names: Sequence[str], *, dry_run: bool = False) -> Result:
    """Switch plugins off; their options are kept. Refused while another enabled plugin depends on one."""
    return _switch(session, names, on=False, dry_run=dry_run)


def rollback(session: Session, name: str, *, dry_run: bool = False) -> Result:
    """Return to the release that was there before, without building. Raises RecklessError `nothing-to-roll-back-to`."""
    with session.writing(dry_run=dry_run) as found:
        state = adopt(session, found, [name], dry_run=dry_run)
        entry = state.plugins[installed_name(state, name)]
        kept = [tree for tree in entry.previous if session.store.is_whole(entry.name, tree)]
        if not kept:
            raise RecklessError(
                "nothing-to-roll-back-to",
                f"no earlier release of {entry.name} is kept here; {entry.version} is as it was",
                f"`reckless install {entry.name}==VERSION` builds any release again",
            )
        receipt = session.store.receipt(entry.name, kept[0])
        after = replace(
            entry,
            version=receipt.version,
            tree=kept[0],
            entrypoint=receipt.entrypoint,
            origin=receipt.origin,
            dynamic=receipt.dynamic,
            previous=(entry.tree,),
            followed=receipt.followed,
        )
        outcome = Outcome(
            name=entry.name, action="rollback", status="planned", version=after.version, before=entry.version,
            steps=("stop it", f"point at {kept[0]}", "start it, verify"),
        )  # fmt: skip
        if dry_run:
            return Result(outcomes=(outcome,))
        options = session.files.read_our_conf().options(entry.name)
        left_out = tuple(k for k, _ in options if k not in receipt.options)
        change = Change(
            verb="rollback", name=entry.name, before=entry, after=after, methods=receipt.rpcmethods,
            options=tuple((k, v) for k, v in options if k in receipt.options),
            offered=offered_options(session, entry), offers=receipt.options, disables=receipt.disables,
            restart_plugin=True,
        )  # fmt: skip
        applied = apply(session, state, change)
    notes = [f"`reckless pin {entry.name}` keeps it there at the next `reckless upgrade --all`"]
    if left_out:
        notes.append(f"{entry.name} {after.version} does not have {', '.join(left_out)}; left out of the config")
    return Result(outcomes=(replace(outcome, status="done", steps=(), restart=applied.restart),), notes=tuple(notes))


def pin(session: Session, names: Sequence[str], *, on: bool = True, dry_run: bool = False) -> Result:
    """Hold plugins at their version, or let them go again."""
    action: Action = "pin" if on else "unpin"
    outcomes = []
    with session.writing(dry_run=dry_run) as found:
        state = adopt(session, found, names, dry_run=dry_run)
        for name in [installed_name(state, n) for n in names]:
            entry = state.plugins[name]
            same = entry.pinned == on
            if not same and not dry_run:
                state = state.with_entry(replace(entry, pinned=on))
                session.store.save(state)
            status: Status = "unchanged" if same else "planned" if dry_run else "done"
            outcomes.append(Outcome(name=name, action=action, status=status, version=entry.version))
    return Result(outcomes=tuple(outcomes))


def set_options(session: Session, name: str, texts: Sequence[str], *, dry_run: bool = False) -> Result:
    """Set options, in the config and in the running plugin (stop, start). Raises RecklessError `option-unknown`."""
    given = parse_options(texts)
    if not given:
        raise UsageError("usage", "nothing to set", "for example: reckless set summary summary-currency=EUR")
    names = {key for key, _ in given}
    return _reconfigure(session, name, "set", given, names, dry_run=dry_run)


def unset_options(session: Session, name: str, keys: Sequence[str], *, dry_run: bool = False) -> Result:
    """Take options out again, back to the plugin's defaults."""
    return _reconfigure(session, name, "unset", (), {k.removeprefix("--") for k in keys}, dry_run=dry_run)


def _reconfigure(
    session: Session, text: str, verb: Action, given: Options, names: set[str], *, dry_run: bool
) -> Result:
    with session.writing(dry_run=dry_run) as found:
        state = adopt(session, found, [text], dry_run=dry_run, whole=True)
        entry = state.plugins[installed_name(state, text)]
        receipt = session.store.receipt(entry.name, entry.tree)
        refuse_unknown(entry.name, names, receipt.options)
        if not given:
            refuse_required(entry.name, names, receipt.required)
        conf = session.files.read_our_conf()
        if not dry_run:
            # What lightningd's own setconfig wrote for these would win over our file at its next start.
            conf = session.files.absorb_setconfig(conf, entry.name, names)
        old = conf.options(entry.name)
        kept = tuple(pair for pair in old if pair[0] not in names)
        new = (*kept, *checked_options(session, entry, given)) if given else kept
        outcome = Outcome(
            name=entry.name, action=verb, status="planned", version=entry.version,
            steps=("write it into the config", "stop the plugin, start it with the option"),
        )  # fmt: skip
        if dry_run or new == old:
            return Result(outcomes=(replace(outcome, status="planned" if dry_run else "unchanged"),))
        if session.network not in entry.enabled:
            session.files.write_our_conf(
                conf.with_plugin(entry.name, session.store.entrypoint(entry), new, disables=receipt.disables).disabled(
                    entry.name
                )
            )
            applied = Applied(state=state)
        else:
            change = Change(
                verb=verb, name=entry.name, before=entry, after=entry, options=new, methods=receipt.rpcmethods,
                offered=receipt.options, offers=receipt.options, disables=receipt.disables, restart_plugin=True,
            )  # fmt: skip
            applied = apply(session, state, change)
    return Result(outcomes=(replace(outcome, status="done", steps=(), restart=applied.restart),))


def _switch(session: Session, names: Sequence[str], *, on: bool, dry_run: bool) -> Result:
    action: Action = "enable" if on else "disable"
    outcomes = []
    with session.writing(dry_run=dry_run) as found:
        state = adopt(session, found, names, dry_run=dry_run, whole=on)
        chosen = [installed_name(state, name) for name in names]
        if not on:
            _refuse_needed(session, state, chosen)
        for name in chosen:
            entry = state.plugins[name]
            after = entry.on(session.network, enabled=on)
            steps = ("start it, verify", "write it into the config") if on else ("take it out of the config", "stop it")
            outcome = Outcome(name=name, action=action, status="planned", version=entry.version, steps=steps)
            if not dry_run:
                applied = switch_one(session, state, entry, after, action)
                state = applied.state
                same = after == entry and not applied.restart
                outcome = replace(outcome, status="unchanged" if same else "done", steps=(), restart=applied.restart)
            outcomes.append(outcome)
    return Result(outcomes=tuple(outcomes))


def switch_one(session: Session, state: State, entry: Entry, after: Entry, action: Action) -> Applied:
    """Have one plugin as `after` says: on or off, here. Raises what `apply` raises; all is then as it was."""
    receipt = session.store.receipt(entry.name, entry.tree)
    if action == "enable" and not session.store.is_whole(entry.name, entry.tree):
        raise StoreError(
            "tree-missing",
            f"the installed tree {session.store.layout.tree(entry.name, entry.tree)} is not whole",
            f"`reckless install {entry.name}` builds it again",
        )
    if action == "disable":
        refuse_orphans(session.files, entry.name, receipt.options)
    change = Change(
        verb=action,
        name=entry.name,
        before=entry,
        after=after,
        options=session.files.read_our_conf().options(entry.name),
        methods=receipt.rpcmethods,
        offered=receipt.options,
        offers=receipt.options,
        disables=receipt.disables,
    )
    return apply(session, state, change)


def _refuse_needed(session: Session, state: State, names: Sequence[str]) -> None:
    from reckless.operate.solve import installed_plugins

    for other, plugin in installed_plugins(session, state).items():
        needed = [d.name for d in plugin.depends if d.name in names]
        if needed and other not in names and session.network in state.plugins[other].enabled:
            raise RecklessError(
                "still-needed",
                f"{other} {plugin.version} depends on {needed[0]}; nothing was changed",
                f"disable both: reckless disable {other} {needed[0]}",
            )
