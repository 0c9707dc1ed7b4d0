"""The way back from a change, and its end: what a journal record says is finished or undone, by us or a later command.

Everything here can be repeated, and leaves, at every step, a config that lightningd starts with.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from reckless.errors import NodeDownError, NodeError
from reckless.model.state import Entry, State
from reckless.node.conf import Options, RecklessConf
from reckless.node.rpc import RunningPlugin
from reckless.operate.session import Session
from reckless.operate.starting import can_pass_options, remember, why_not
from reckless.store.journal import Record
from reckless.store.layout import Layout, is_tree_name
from reckless.store.legacy import retire
from reckless.system.files import swap_symlink

_TICK = 0.2


def settle(session: Session, state: State, record: Record, *, touched: bool = True) -> bool:
    """Finish `record` where `state` holds its outcome, else undo it; says whether it was finished.

    A change that leaves the entry as it was (`set`) is undone: its outcome does not show in the state. The journal is
    the caller's to end. Raises NodeError, ConfigError, OSError.
    """
    if record.before != record.after and state.plugins.get(record.name) == record.after:
        finish(session.store.layout, record)
        return True
    undo(session, record, touched=touched)
    return False


def finish(layout: Layout, record: Record) -> None:
    """Do what may only happen once the change is recorded."""
    if record.after is None:
        layout.current(record.name).unlink(missing_ok=True)
    kept = _trees(record.after)
    for tree in _trees(record.before) - kept:
        if not is_tree_name(tree):  # lightningd's own tool's: it goes by a mark, for debris it is never
            retire(layout.tree(record.name, tree))


def _trees(entry: Entry | None) -> set[str]:
    return {entry.tree, *entry.previous} if entry else set()


def undo(session: Session, record: Record, *, touched: bool = True) -> None:
    """Bring back what was before `record`: config, `current`, and the plugin running on the node.

    `touched`: the node may have been told something; where nobody knows, it may. Raises as `settle`.
    """
    restored = _restore_files(session, record)
    if touched:
        block = restored.find(record.name)
        _restore_node(session, record, restored.options(record.name), in_config=block is not None and block.enabled)


def standing_on(session: Session, conf: RecklessConf, entry: Entry) -> RecklessConf:
    """Return our file with the plugin's line naming the tree itself: it holds whichever way `current` points."""
    through = f"plugin={session.store.entrypoint(entry)}"
    direct = f"plugin={session.store.layout.tree(entry.name, entry.tree) / entry.entrypoint}"
    return conf.with_block(entry.name, conf.block(entry.name).replace(through, direct))


def flip(session: Session, entry: Entry) -> None:
    """Have `current` point at the entry's tree."""
    current = session.store.layout.current(entry.name)
    if not current.is_symlink() or str(current.readlink()) != entry.tree:
        swap_symlink(current, entry.tree)


def is_running(session: Session, entry: Entry) -> bool:
    """Say whether the node lists the plugin, also while it comes or goes. Raises NodeError."""
    try:
        running = session.running()
    except NodeDownError:
        return False
    return is_listed(session, entry, running or ())


def is_listed(session: Session, entry: Entry, listed: Sequence[RunningPlugin]) -> bool:
    """Say whether the plugin is among those that the node lists."""
    path = str(session.store.running_path(entry))
    return any(p.name == path for p in listed)


def stop(session: Session, entry: Entry) -> None:
    """Stop a dynamic plugin; one that ended by itself meanwhile is as good as stopped.

    One that is still starting is not known to be dynamic: then until it has started, or given up. Raises NodeError.
    """
    path = session.store.running_path(entry)
    patience = time.monotonic() + session.node.limits.start
    while True:
        try:
            session.node.stop(path)
        except NodeError as e:
            if not is_running(session, entry):
                return
            if e.code != "plugin-not-dynamic" or time.monotonic() > patience:
                raise
            time.sleep(_TICK)
        else:
            return


def _restore_files(session: Session, record: Record) -> RecklessConf:
    """Bring back config and link; returns our config file as it is then."""
    layout, files = session.store.layout, session.files
    conf = files.read_our_conf()
    restored = conf.with_block(record.name, record.block)
    before = record.before
    if before is not None and layout.tree(before.name, before.tree).is_dir():
        if restored != conf:
            # The lines that are there may hold for the new version only, those to come for the old one only.
            files.write_our_conf(standing_on(session, restored, before))
        flip(session, before)
    if restored != conf:
        files.write_our_conf(restored)
    if before is None:
        layout.current(record.name).unlink(missing_ok=True)
    return restored


def _restore_node(session: Session, record: Record, options: Options, *, in_config: bool) -> None:
    running = session.running()
    if running is None:
        return
    before, after = record.before, record.after
    active = {p.name for p in running}
    moved = before is None or after is None or before.tree != after.tree
    if after is not None and str(session.store.running_path(after)) in active:
        ours = moved or not (record.running or in_config)
        if ours and after.dynamic:
            stop(session, after)
        elif ours:
            session.reporter.note(f"{after.name} {after.version} goes on running until lightningd is restarted")
    if before is not None and record.running:
        path = str(session.store.running_path(before))
        _bring_back(session, record, before, options, listed=path in active)


def _bring_back(session: Session, record: Record, before: Entry, options: Options, *, listed: bool) -> None:
    """Run the old version with its old options. One that is listed may be about to stop, or run with others."""
    again = f"{before.name} {before.version}"
    if not before.dynamic:
        if not listed:
            session.reporter.note(f"{again} comes back when lightningd is restarted")
        return
    passing = _passing(session, record, before, options)
    if passing is None:
        if not listed:
            session.reporter.note(why_not(before.name))
        return
    path = session.store.running_path(before)
    try:
        if passing:
            _remember(session, record)
        if listed:
            stop(session, before)
        session.node.start(path, passing)
    except NodeError as e:
        if e.rpc_code is None:  # not an answer: who knows what is
            raise
        session.reporter.note(f"{again} could not be started again ({e}); `reckless enable {before.name}` tries again")


def _remember(session: Session, record: Record) -> None:
    """Note what options passed on will hide from us: lightningd then shows those for ones it was started with."""
    state = session.store.load()
    noted = remember(session, state, record.booted)
    if record.booted and noted != state:
        session.store.save(noted)


def _passing(session: Session, record: Record, before: Entry, options: Options) -> Options | None:
    """Return the options to pass on; none where lightningd has them from its config, None where it would die."""
    if not options or {key for key, _ in options} <= set(record.booted):
        return ()
    offers = session.store.receipt(before.name, before.tree).options
    return options if can_pass_options(session, session.store.load(), offers=offers) else None
