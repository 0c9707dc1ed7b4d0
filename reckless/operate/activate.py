"""One plugin's change on a running node: flip, start, verify, record, with the way back at every step.

The same few effects make every verb: install, upgrade, rollback, enable, disable, set, uninstall. Their order is what
keeps the node safe (shared design: node, "Rules that follow"; reliability, 1 to 3):

- what leaves, leaves the config first; what comes, comes into the config last, when the node has run it;
- where the new version cannot stand under the old lines (an option or the entrypoint has gone), the config names the
  old tree itself until the new lines come, so that it holds whichever way `current` points;
- `current` is flipped while the old version still runs (its launchers name their own tree), so that the plugin's
  methods are gone for no longer than the node's own stop and start take;
- state.json is the commit point: a journal record whose `after` is not there is undone, by us or by the next command
  (reckless.operate.undo).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from reckless.errors import NodeError, RecklessError
from reckless.model.state import Entry, State
from reckless.node.conf import Options, RecklessConf
from reckless.operate.options import refuse_orphans
from reckless.operate.session import Session
from reckless.operate.starting import (
    can_pass_options,
    left_since_boot,
    remember,
    since_boot,
    why_held,
    why_not,
)
from reckless.operate.undo import finish, flip, is_running, settle, standing_on, stop
from reckless.store import journal
from reckless.store.journal import Record


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


@dataclass(kw_only=True, slots=True)
class _Job:
    """One change being carried out: `conf` is our file as it was, `touched` whether the node was told anything yet."""

    session: Session
    state: State
    change: Change
    conf: RecklessConf
    record: Record
    touched: bool = False

    @property
    def had(self) -> Options:
        """The plugin's options in the config before."""
        return self.conf.options(self.change.name)

    @property
    def stays(self) -> bool:
        """Whether the plugin is to be in this network's config."""
        return self.change.after is not None and self.session.network in self.change.after.enabled


def apply(session: Session, state: State, change: Change) -> Applied:
    """Carry out `change`. On any failure, an interrupt included, everything is as it was before this raises."""
    job = _begin(session, state, change)
    layout = session.store.layout
    done, restart = state, False
    try:
        journal.begin(layout, job.record)
        restart = _effects(job)
        done = state.with_entry(change.after) if change.after else state.without(change.name)
        if job.record.booted:
            done = remember(session, done, job.record.booted)
        session.store.save(done)
        finish(layout, job.record)
    except BaseException as error:
        # Once it is recorded nothing is undone, and what went wrong with cleaning up does not make it a failure.
        if not _settled(job, error) or not isinstance(error, Exception):
            raise
    finally:
        session.reporter.step(change.name, "done")
    return Applied(state=done, restart=restart)


def _begin(session: Session, state: State, change: Change) -> _Job:
    """Look at what is there; refuse what would keep a node from starting. Raises ConfigError, RecklessError."""
    conf = session.files.read_our_conf()
    leaving = change.offered
    if change.after is not None and session.network in change.after.enabled:
        leaving = tuple(name for name in change.offered if name not in change.offers)
        refuse_orphans(session.files, change.name, leaving, release=f"{change.name} {change.after.version}")
    _refuse_breaking_elsewhere(session, change)
    conf = session.files.absorb_setconfig(conf, change.name, leaving)
    running = change.before is not None and is_running(session, change.before)
    block = conf.find(change.name)
    booted: set[str] = set()
    if block is not None and session.info is not None and (running or block.enabled):
        booted = since_boot(session, [key for key, _ in block.options], running=running)
    record = Record(
        verb=change.verb,
        name=change.name,
        network=session.network,
        before=change.before,
        after=change.after,
        running=running,
        block=conf.block(change.name),
        booted=tuple(sorted(booted)),
    )
    return _Job(session=session, state=state, change=change, conf=conf, record=record)


def _refuse_breaking_elsewhere(session: Session, change: Change) -> None:
    """Refuse to flip `current` under the config of another network that could not stand under the new version."""
    before, after = change.before, change.after
    if before is None or after is None or before.tree == after.tree:
        return
    for network in before.enabled:
        if network == session.network:
            continue
        files = replace(session.files, network=network, explicit_conf=None)
        block = files.read_our_conf().find(change.name)
        gone = {key for key, _ in block.options} - set(change.offers) if block else set()
        if before.entrypoint != after.entrypoint or gone:
            what = f"no longer has the option {min(gone)}" if gone else "has another entrypoint"
            raise RecklessError(
                "enabled-elsewhere",
                f"{change.name} {after.version} {what}, and {network} has it in its config; nothing was changed",
                f"first: reckless --network {network} disable {change.name}",
            )
        leaving = [name for name in change.offered if name not in change.offers]
        refuse_orphans(files, change.name, leaving, release=f"{change.name} {after.version}")


def _settled(job: _Job, error: BaseException) -> bool:
    """Undo after `error`; say whether it was recorded, and so finished instead.

    Where even that fails, the journal stays for the next command, and the error says so.
    """
    session, record = job.session, job.record
    if not session.store.layout.journal.exists():  # nothing was begun, or all is done
        return False
    try:
        return settle(session, session.store.load(), record, touched=job.touched)
    except (RecklessError, OSError) as e:
        session.reporter.note(
            f"{record.name}: could not put everything back ({e}); the next reckless command will try again"
        )
        if isinstance(error, RecklessError):
            later = "once the cause is mended, the next command that changes something puts back what was"
            error.hint = f"{error.hint}; {later}" if error.hint else later
        return False


def _effects(job: _Job) -> bool:
    """Change config, link and node, in that order; returns whether lightningd must be restarted for it."""
    session, change, conf = job.session, job.change, job.conf
    files, after = session.files, change.after
    if not job.stays:
        left = conf.without(change.name) if after is None else conf.disabled(change.name)
        if left != conf:
            files.write_our_conf(left)
    elif change.before is not None and not _stands_under(job):
        files.write_our_conf(standing_on(session, conf, change.before))
    if after is not None:
        flip(session, after)
    restart = _on_node(job)
    if job.stays and after is not None:
        entrypoint = session.store.entrypoint(after)
        files.write_our_conf(conf.with_plugin(change.name, entrypoint, change.options, disables=change.disables))
        files.ensure_include()
    return restart


def _stands_under(job: _Job) -> bool:
    """Say whether the config's lines, as they are, would do for the new version too."""
    before, after = job.change.before, job.change.after
    if before is None or after is None or before.tree == after.tree:
        return True
    return before.entrypoint == after.entrypoint and {key for key, _ in job.had} <= set(job.change.offers)


def _on_node(job: _Job) -> bool:
    """Stop what ran and start what is to run. Returns whether only a restart of lightningd can do it."""
    session, change, running = job.session, job.change, job.record.running
    if session.info is None:
        return False
    before, after = change.before, change.after
    # One that a person started by hand, though the config has it switched off, goes on running.
    comes = after is not None and (job.stays or (running and change.verb != "disable"))
    same = before is not None and after is not None and before.tree == after.tree
    if running and comes and same and not change.restart_plugin:
        return False
    if (before is not None and running and not before.dynamic) or (comes and after and not after.dynamic):
        return True
    if comes and change.disables and any(Path(p.name).name in change.disables for p in session.node.plugins()):
        return True  # the built-in that it replaces runs until the config that disables it is read
    passing = _passing(job) if comes else ()
    if passing is None:
        return True
    if before is not None and running:
        session.reporter.step(change.name, "stop")
        job.touched = True
        stop(session, before)
    if comes and after is not None:
        session.reporter.step(change.name, "start")
        job.touched = True
        session.node.start(session.store.running_path(after), passing)
        verify(session, after, change.methods)
    return False


def _held(job: _Job) -> set[str]:
    """Return the options that are to have no value, and to which lightningd would give one at the start."""
    change = job.change
    names = {key for key, _ in job.had} if job.record.running else set(change.offers)
    names = (names & set(change.offers)) - {key for key, _ in change.options}
    return names & (left_since_boot(job.session, job.state) | set(job.record.booted))


def _passing(job: _Job) -> Options | None:
    """Return the options to pass on at the start; none where lightningd has them already.

    None, with the reason said, where only a restart of lightningd can bring them in, or take them out.
    """
    session, change, running = job.session, job.change, job.record.running
    held = _held(job)
    if held:
        session.reporter.note(why_held(change.name, held))
        return None
    if not change.options:
        return ()
    leaving = job.record.booted if running else ()
    if can_pass_options(session, job.state, offers=change.offers, leaving=leaving):
        return change.options
    if running and job.had == change.options and {key for key, _ in job.had} <= set(job.record.booted):
        return ()
    session.reporter.note(why_not(change.name))
    return None


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
