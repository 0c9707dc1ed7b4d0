"""Carry out a resolution: everything is built and probed first, then activated plugin by plugin."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

from reckless.errors import RecklessError, StoreError
from reckless.model.manifest import Binary, GitSource, Release
from reckless.model.state import Entry, State
from reckless.node.conf import Options
from reckless.operate.activate import apply, apply_together
from reckless.operate.beside import in_order, needs
from reckless.operate.change import Change, is_swap
from reckless.operate.leaving import Run, bring_back, clear_the_way, give_up, left_over, remove_unneeded, still_needed
from reckless.operate.options import checked_options, kept_options
from reckless.operate.prepare import Prepared, Wish, prepare_all, say_missing
from reckless.operate.remove import offered_options
from reckless.operate.result import Outcome, Result
from reckless.operate.session import Session
from reckless.operate.solve import Solved, installed_plugins
from reckless.operate.unvouched import followed_of, from_where, reasons_of
from reckless.resolve.order import closure
from reckless.resolve.problem import Choice
from reckless.resolve.words import lightningd_text

KEPT_FOR_ROLLBACK = 1
_BUILT = ("install", "upgrade", "downgrade")


def carry_out(
    session: Session, state: State, solved: Solved, options: Mapping[str, Options], *, dry_run: bool
) -> Result:
    """Do what `solved` says; `options` are those given on the command line, by plugin.

    A plugin that fails leaves itself as it was, and those that need it untouched; the others go on. Raises only what
    stops everything before anything was changed (a missing toolchain) and interrupts.
    """
    choices = solved.resolution.choices
    methods = session.node.methods() if session.info else {}
    wishes = [_wish(session, state, solved, c, options.get(c.name), methods) for c in choices if c.kind in _BUILT]
    for wish in wishes:
        say_missing(wish, solved.machine)
    if dry_run:
        planned = tuple(_planned(session, state, c, solved, asked=c.name in options) for c in choices)
        gone = tuple(
            Outcome(name=n, action="uninstall", status="planned", message="no longer needed")
            for n in solved.resolution.unneeded
        )
        return Result(outcomes=(*planned, *gone), notes=_notes(solved))
    prepared = prepare_all(session, wishes, solved.machine)
    unneeded = solved.resolution.unneeded
    installed = installed_plugins(session, state)
    run = Run(state, todo=list(in_order(choices, installed, unneeded)))
    run.quarrels = any(c.release.conflicts for c in choices if c.release) or any(
        i.conflicts for i in installed.values()
    )
    try:
        while run.todo:
            together = _swaps(session, run, prepared)
            if len(together) > 1:
                del run.todo[: len(together)]
                _swap_all(session, run, together)
            else:
                choice = run.todo.pop(0)
                _carry_one(session, run, solved, choice, prepared.get(choice.name), options.get(choice.name))
    except BaseException:
        with contextlib.suppress(RecklessError, OSError):  # `doctor` says what is off and needed
            give_up(session, run, choices, state, unneeded)
        raise
    remove_unneeded(session, run, left_over(run, choices, state))
    staying = still_needed(session, run, unneeded)
    remove_unneeded(session, run, [name for name in unneeded if name not in staying])
    bring_back(session, run, staying)
    return Result(outcomes=tuple(run.outcomes), notes=_notes(solved))


def _swaps(session: Session, run: Run, prepared: Mapping[str, Prepared | BaseException]) -> list[tuple[Choice, Change]]:
    """Return the first of what is to come that can be switched over at once, as many as there are cores.

    None of them needs another, and none has a say in the config: `is_swap`.
    """
    found: list[tuple[Choice, Change]] = []
    needed = {c.name: set(needs(c)) for c in run.todo}
    for choice in run.todo[: session.jobs]:
        ready = prepared.get(choice.name)
        if not isinstance(ready, Prepared) or needed[choice.name] & run.failed.keys() or run.quarrels:
            break
        try:
            change = _change(session, run.state, choice, ready)
            swaps = is_swap(session, change)
        except (RecklessError, OSError):  # whoever carries it out alone says so
            break
        if not swaps or closure([choice.name], needed) & {other.name for other, _ in found}:
            break
        found.append((choice, change))
    return found


def _swap_all(session: Session, run: Run, together: Sequence[tuple[Choice, Change]]) -> None:
    try:
        run.state, answers = apply_together(session, run.state, [change for _, change in together])
    except (RecklessError, OSError) as error:
        answers = (error,) * len(together)
    for (choice, change), answer in zip(together, answers, strict=True):
        if isinstance(answer, Exception):
            _fail(run, choice, answer)
        else:
            run.outcomes.append(_switched(session, choice, change, restart=answer))


def _carry_one(
    session: Session,
    run: Run,
    solved: Solved,
    choice: Choice,
    prepared: Prepared | BaseException | None,
    options: Options | None,
) -> None:
    if choice.kind == "builtin":
        run.outcomes.append(_builtin(choice, solved))
        return
    blocker = next((d for d in needs(choice) if d in run.failed), None)
    if blocker:
        _fail(run, choice, None, f"not touched: it depends on {blocker}, which failed")
        return
    if isinstance(prepared, BaseException):
        if not isinstance(prepared, (RecklessError, OSError)):
            raise prepared
        _fail(run, choice, prepared)
        return
    try:
        if prepared is None:
            run.outcomes.append(_keep(session, run, solved, choice, options))
        elif why := clear_the_way(session, run, choice, solved.resolution.unneeded):
            _fail(run, choice, None, why)
        else:
            change = _change(session, run.state, choice, prepared, asked=options is not None)
            applied = apply(session, run.state, change)
            run.state = applied.state
            run.outcomes.append(_switched(session, choice, change, restart=applied.restart))
    except (RecklessError, OSError) as error:
        _heed_undoing(session, run)
        _fail(run, choice, error)


def _heed_undoing(session: Session, run: Run) -> None:
    """Take over what undoing a change has noted in state.json: options that lightningd still holds."""
    run.state = replace(run.state, left=session.store.load().left)


def _change(session: Session, state: State, choice: Choice, prepared: Prepared, *, asked: bool = False) -> Change:
    """Put a freshly prepared tree in the place of what is there; who is `asked` for by name is also switched on."""
    before = state.plugins.get(choice.name)
    receipt = prepared.receipt
    earlier = (before.tree, *before.previous) if before else ()
    previous = [t for t in earlier if t != prepared.tree and session.store.is_whole(choice.name, t)]
    after = Entry(
        name=choice.name,
        version=receipt.version,
        tree=prepared.tree,
        entrypoint=receipt.entrypoint,
        origin=receipt.origin,
        dynamic=receipt.dynamic,
        requested=choice.requested,
        pinned=before.pinned if before else False,
        enabled=before.enabled if before else (),
        previous=tuple(previous[:KEPT_FOR_ROLLBACK]),
        followed=prepared.followed,
        from_source=prepared.from_source,
    )
    if asked or before is None:
        after = after.on(session.network, enabled=True)
    return Change(
        verb="install" if choice.kind == "install" else "upgrade",
        name=choice.name,
        before=before,
        after=after,
        options=prepared.options,
        methods=receipt.rpcmethods,
        offered=offered_options(session, before) if before else (),
        offers=receipt.options,
        disables=receipt.disables,
        restart_plugin=True,
    )


def _switched(session: Session, choice: Choice, change: Change, *, restart: bool) -> Outcome:
    before, after = change.before, change.after
    assert after is not None  # noqa: S101 - _change makes it
    return Outcome(
        name=choice.name,
        action="install" if choice.kind in ("keep", "builtin") else choice.kind,
        status="done",
        version=after.version,
        before=before.version if before else "",
        because=choice.because,
        restart=restart,
        message=_effect(session, after, restart=restart) + from_where(before, after),
    )


def _keep(session: Session, run: Run, solved: Solved, choice: Choice, options: Options | None) -> Outcome:
    """An installed plugin that stays; asked for by name, it is also switched on, and given the options."""
    entry = run.state.plugins[choice.name]
    requested = entry.requested or choice.requested
    after = replace(entry, requested=requested, from_source=choice.name in solved.from_source)
    asked = options is not None
    if asked:
        after = after.on(session.network, enabled=True)
    if asked and (after.enabled != entry.enabled or options):
        receipt = session.store.receipt(entry.name, entry.tree)
        given = checked_options(session, entry, options) if options else ()
        change = Change(
            verb="enable",
            name=entry.name,
            before=entry,
            after=after,
            options=(*kept_options(session, entry.name, given), *given),
            methods=receipt.rpcmethods,
            offered=receipt.options,
            offers=receipt.options,
            disables=receipt.disables,
            restart_plugin=bool(given),
        )
        applied = apply(session, run.state, change)
        run.state = applied.state
        return Outcome(
            name=entry.name, action="enable", status="done", version=entry.version, restart=applied.restart,
            message=_effect(session, after, restart=applied.restart),
        )  # fmt: skip
    if after != entry:
        run.state = run.state.with_entry(after)
        session.store.save(run.state)
    return Outcome(name=entry.name, action="keep", status="unchanged", version=entry.version, because=choice.because)


def _effect(session: Session, entry: Entry, *, restart: bool) -> str:
    if session.network not in entry.enabled:
        return "disabled, as before"
    if session.info is None:
        return "lightningd is not running; it starts with it"
    return "restart lightningd to bring it in" if restart else "running"


def _fail(run: Run, choice: Choice, error: RecklessError | OSError | None, message: str = "") -> None:
    entry = run.state.plugins.get(choice.name)
    problem = error if isinstance(error, RecklessError) or error is None else disk_error(error)
    left = f"{entry.version} is as it was" if entry else "nothing of it was left"
    run.failed[choice.name] = left
    run.outcomes.append(
        Outcome(
            name=choice.name,
            action="enable" if choice.kind in ("keep", "builtin") else choice.kind,
            status="failed" if problem else "skipped",
            version=str(choice.version),
            before=entry.version if entry else "",
            message=message or left,
            error=problem,
        )
    )


def disk_error(error: OSError) -> RecklessError:
    """Translate what the operating system says of a file or a disk."""
    import errno

    where = f" ({error.filename})" if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return RecklessError("disk-full", f"the disk is full{where}", "free some room, then run it again")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return RecklessError("cannot-write", f"{error.strerror}{where}", "run reckless as the user who runs lightningd")
    return RecklessError("os-error", f"{error.strerror or error}{where}")


def _builtin(choice: Choice, solved: Solved) -> Outcome:
    builtin = solved.builtins[choice.name]
    message = f"built into lightningd since {lightningd_text(builtin.since)}; there is nothing to install"
    if builtin.note:
        message += f" ({builtin.note})"
    return Outcome(name=choice.name, action="builtin", status="unchanged", message=message, because=choice.because)


def _wish(
    session: Session, state: State, solved: Solved, choice: Choice, options: Options | None, methods: Mapping[str, str]
) -> Wish:
    release = choice.release
    if release is None:
        raise RecklessError("no-such-version", f"no source lists {choice.name} {choice.version} any more")
    mine: set[str] = set()
    mine_options: set[str] = set()
    taken = dict(methods)
    taken_options: dict[str, str] = {}
    for name, entry in state.plugins.items():
        try:
            receipt = session.store.receipt(name, entry.tree)
        except StoreError:
            if name == choice.name:  # its receipt is gone, but the node may run it: go by the manifest
                mine, mine_options = set(release.runtime.rpcmethods or ()), set(release.runtime.options or ())
            continue
        if name == choice.name:
            mine, mine_options = set(receipt.rpcmethods), set(receipt.options)
        elif session.network in entry.enabled and name not in solved.resolution.unneeded:
            taken.update(dict.fromkeys(receipt.rpcmethods, name))
            taken_options.update(dict.fromkeys(receipt.options, name))
    for builtin in release.runtime.disables:
        if builtin in solved.builtins:
            # They are free once the config that disables it is in force.
            mine |= set(solved.builtins[builtin].rpcmethods)
            mine_options |= set(solved.builtins[builtin].options)
    return Wish(
        name=choice.name,
        release=release,
        source=solved.found[choice.name].source,
        options=options or (),
        kept=kept_options(session, choice.name, options or ()),
        taken={m: owner for m, owner in taken.items() if m not in mine},
        taken_options=taken_options,
        mine=frozenset(mine_options),
        followed=followed_of(solved.found[choice.name].source, choice.name),
        binary=solved.ready_made(choice.name, release),
        from_source=choice.name in solved.from_source,
    )


def _planned(session: Session, state: State, choice: Choice, solved: Solved, *, asked: bool) -> Outcome:
    before = state.plugins.get(choice.name)
    if choice.kind == "builtin":
        return _builtin(choice, solved)
    if choice.kind == "keep" or choice.release is None:
        return Outcome(
            name=choice.name, action="keep", status="unchanged", version=str(choice.version), because=choice.because
        )
    return Outcome(
        name=choice.name,
        action=choice.kind,
        status="planned",
        version=str(choice.version),
        before=before.version if before else "",
        because=choice.because,
        steps=(
            *reasons_of(solved.found[choice.name].source, choice.name),
            *_steps(session, choice.release, solved.ready_made(choice.name, choice.release), before, asked=asked),
        ),
    )


def _steps(
    session: Session, release: Release, binary: Binary | None, before: Entry | None, *, asked: bool
) -> list[str]:
    source, build = release.source, release.build
    at = f"{source.git} at {source.rev[:12]}" if isinstance(source, GitSource) else source.where
    lock = build.lock if isinstance(build.lock, str) else (build.lock.file if build.lock else "")
    made = [
        f"fetch {at}" + (f", folder {source.subdir}" if source.subdir else ""),
        f"build it ({build.language}" + (f", locked by {lock})" if lock else ")"),
    ]
    if binary is not None:
        made = [f"fetch the ready-made program for {binary.target}: {binary.url}"]
    steps = [*made, "probe it: getmanifest, checked against the manifest and the node"]
    if before is not None and session.network not in before.enabled and not asked:
        return [*steps, "leave it disabled"]
    if session.info is None:
        return [*steps, "write it into the config; lightningd is not running"]
    if release.runtime.dynamic is False:
        return [*steps, "write it into the config; lightningd must be restarted"]
    return [
        *steps,
        "stop the old version, start the new, verify" if before else "start it, verify",
        "write it into the config",
    ]


def _notes(solved: Solved) -> tuple[str, ...]:
    notes = list(solved.resolution.notes)
    notes += [
        f"{source.location} cannot be reached; worked from what was fetched before"
        for source in {f.source.location: f.source for f in solved.found.values()}.values()
        if source.freshness.offline and not solved.offline
    ]
    return tuple(notes)
