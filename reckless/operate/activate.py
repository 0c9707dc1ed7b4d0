"""One plugin's change on a running node: flip, start, verify, record, with the way back at every step.

The same few effects make every verb: install, upgrade, rollback, enable, disable, set, uninstall. Their order is what
keeps the node safe (shared design: node, "Rules that follow"; reliability, 1 to 3):

- what leaves, leaves the config first; what comes, comes into the config last, when the node has run it;
- `current` is flipped while the old version still runs (its launchers name their own tree), so that the plugin's
  methods are gone for no longer than the node's own stop and start take;
- state.json is the commit point: a journal record whose `after` is not there is undone, by us or by the next command.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from reckless.errors import NodeDownError, NodeError, RecklessError
from reckless.model.state import Entry, State
from reckless.node.conf import Options, RecklessConf
from reckless.operate.session import Session
from reckless.operate.starting import (
    can_pass_options,
    from_config,
    has_them_already,
    held_since_boot,
    remember,
    why_held,
    why_not,
)
from reckless.store import journal
from reckless.store.journal import Record
from reckless.system.files import swap_symlink


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One plugin from `before` to `after` (None: not installed), with the options that it is to have here.

    `methods` must be there once it runs. `offered` are the names of all options that the old version has, `offers`
    those of the new: none of the old ones may stay in the config once the plugin leaves. `disables` are the built-ins
    that may not run beside it.
    """

    verb: str
    name: str
    before: Entry | None
    after: Entry | None
    options: Options = ()
    methods: tuple[str, ...] = ()
    offered: tuple[str, ...] = ()
    offers: tuple[str, ...] = ()
    disables: tuple[str, ...] = ()
    restart_plugin: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Applied:
    """The state afterwards, and whether lightningd must be restarted for it to take effect."""

    state: State
    restart: bool = False


def apply(session: Session, state: State, change: Change) -> Applied:
    """Carry out `change`. On any failure, an interrupt included, everything is as it was before this raises."""
    layout = session.store.layout
    network = session.network
    conf = session.files.read_our_conf()
    if change.after is None or network not in change.after.enabled:
        conf = session.files.absorb_setconfig(conf, change.name, change.offered)
    record = Record(
        verb=change.verb,
        name=change.name,
        network=network,
        before=change.before,
        after=change.after,
        running=change.before is not None and _is_running(session, change.before),
        block=conf.block(change.name),
    )
    booted_with = from_config(session, [key for key, _ in conf.options(change.name)]) if record.running else set()
    journal.begin(layout, record)
    try:
        restart = _effects(session, state, change, record, conf)
        done = state.with_entry(change.after) if change.after else state.without(change.name)
        if record.running:
            done = remember(session, done, booted_with)
        session.store.save(done)
    except BaseException as error:
        _undo_saying_so(session, record, error)
        session.reporter.step(change.name, "done")
        raise
    finish(session, record)
    session.reporter.step(change.name, "done")
    return Applied(state=done, restart=restart)


def finish(session: Session, record: Record) -> None:
    """Do what may only happen once the change is recorded, then drop the journal."""
    if record.after is None:
        session.store.layout.current(record.name).unlink(missing_ok=True)
    journal.end(session.store.layout)


def undo(session: Session, record: Record) -> None:
    """Bring back what was before `record`: config, `current`, and the plugin running on the node. Can be repeated."""
    layout = session.store.layout
    files = session.files
    conf = files.read_our_conf()
    restored = conf.with_block(record.name, record.block)
    if record.before is not None and layout.tree(record.name, record.before.tree).is_dir():
        _flip(session, record.before)
    if restored != conf:
        files.write_our_conf(restored)
    if record.before is None:
        layout.current(record.name).unlink(missing_ok=True)
    running = session.running()
    if running is not None:
        active = {p.name for p in running}
        moved = record.after is not None and (record.before is None or record.after.tree != record.before.tree)
        if record.after is not None and moved and str(session.store.running_path(record.after)) in active:
            session.node.stop(session.store.running_path(record.after))
        if record.before is not None and record.running:
            if record.verb in ("set", "unset") and record.before.dynamic:
                _stop(session, record.before)  # it may already run with the options that are being undone
            _bring_back(session, record.before, restored.options(record.name))
    journal.end(layout)


def _bring_back(session: Session, before: Entry, options: Options) -> None:
    """Run the old version with its old options; where it already runs, leave it."""
    path = session.store.running_path(before)
    if any(p.name == str(path) for p in session.node.plugins()):
        return
    offers = session.store.receipt(before.name, before.tree).options
    if options and not can_pass_options(session, session.store.load(), offers=offers):
        session.reporter.note(why_not(before.name))
        return
    session.node.start(path, options)


def _undo_saying_so(session: Session, record: Record, error: BaseException) -> None:
    """Undo after `error`. Where even that fails, the journal stays for the next command, and the error says so."""
    try:
        undo(session, record)
    except (RecklessError, OSError) as e:
        session.reporter.note(
            f"{record.name}: could not put everything back ({e}); the next reckless command will try again"
        )
        if isinstance(error, RecklessError):
            later = "once the cause is mended, the next command that changes something puts back what was"
            error.hint = f"{error.hint}; {later}" if error.hint else later


def _effects(session: Session, state: State, change: Change, record: Record, conf: RecklessConf) -> bool:
    files, store, network = session.files, session.store, session.network
    stays = change.after is not None and network in change.after.enabled
    if not stays:
        after = conf.without(change.name) if change.after is None else conf.disabled(change.name)
        if after != conf:
            files.write_our_conf(after)
    if change.after is not None:
        _flip(session, change.after)
    restart = _restart_on_node(session, state, change, record, had=conf.options(change.name), stays=stays)
    if stays and change.after is not None:
        files.write_our_conf(
            conf.with_plugin(change.name, store.entrypoint(change.after), change.options, disables=change.disables)
        )
        files.ensure_include()
    return restart


def _restart_on_node(
    session: Session, state: State, change: Change, record: Record, *, had: Options, stays: bool
) -> bool:
    """Stop what ran and start what is to run. Returns whether only a restart of lightningd can do it."""
    if session.info is None:
        return False
    before, after = change.before, change.after
    # One that a person started by hand, though the config has it switched off, goes on running.
    comes = after is not None and (stays or (record.running and change.verb != "disable"))
    same = before is not None and after is not None and before.tree == after.tree
    if record.running and comes and same and not change.restart_plugin:
        return False
    if (before is not None and record.running and not before.dynamic) or (comes and after and not after.dynamic):
        return True
    if comes and change.disables and any(Path(p.name).name in change.disables for p in session.node.plugins()):
        return True  # the built-in that it replaces runs until the config that disables it is read
    passing = _passing(session, state, change, record, had) if comes else ()
    if passing is None:
        return True
    if before is not None and record.running:
        session.reporter.step(change.name, "stop")
        _stop(session, before)
    if comes and after is not None:
        session.reporter.step(change.name, "start")
        session.node.start(session.store.running_path(after), passing)
        verify(session, after, change.methods)
    return False


def _held(session: Session, state: State, change: Change, record: Record, had: Options) -> set[str]:
    """Return the options that are to have no value, and to which lightningd would give one at the start."""
    names = {key for key, _ in had} if record.running else set(change.offers)
    names = (names & set(change.offers)) - {key for key, _ in change.options}
    return held_since_boot(session, state, names, running=record.running)


def _passing(session: Session, state: State, change: Change, record: Record, had: Options) -> Options | None:
    """Return the options to pass on at the start; none where lightningd has them already.

    None, with the reason said, where only a restart of lightningd can bring them in, or take them out.
    """
    held = _held(session, state, change, record, had)
    if held:
        session.reporter.note(why_held(change.name, held))
        return None
    if not change.options:
        return ()
    leaving = change.offered if record.running else ()
    if can_pass_options(session, state, offers=change.offers, leaving=leaving):
        return change.options
    if record.running and had == change.options and has_them_already(session, had):
        return ()
    session.reporter.note(why_not(change.name))
    return None


def _stop(session: Session, entry: Entry) -> None:
    """Stop a plugin; one that ended by itself meanwhile is as good as stopped."""
    try:
        session.node.stop(session.store.running_path(entry))
    except NodeError:
        if _is_running(session, entry):
            raise


def verify(session: Session, entry: Entry, methods: tuple[str, ...]) -> None:
    """Check that the node lists the plugin as active under its path, with its methods.

    Raises NodeError `plugin-not-running` or `methods-missing`.
    """
    path = session.store.running_path(entry)
    known = session.node.methods() if methods else {}
    if not any(p.name == str(path) and p.active for p in session.node.plugins()):
        raise NodeError(
            "plugin-not-running",
            f"{entry.name} {entry.version} started and ended again at once",
            "lightningd's log says why: look for plugin-" + Path(entry.entrypoint).name,
        )
    missing = [m for m in methods if m not in known]
    if missing:
        raise NodeError(
            "methods-missing", f"{entry.name} {entry.version} runs, but the node does not have its method {missing[0]}"
        )


def _is_running(session: Session, entry: Entry) -> bool:
    try:
        running = session.running()
    except NodeDownError:
        return False
    path = str(session.store.running_path(entry))
    return any(p.name == path for p in running or ())


def _flip(session: Session, entry: Entry) -> None:
    current = session.store.layout.current(entry.name)
    if not current.is_symlink() or str(current.readlink()) != entry.tree:
        swap_symlink(current, entry.tree)
