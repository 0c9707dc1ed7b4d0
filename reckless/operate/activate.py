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

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from reckless.errors import RecklessError
from reckless.model.state import State
from reckless.node.rpc import RunningPlugin
from reckless.operate.change import Change, Job
from reckless.operate.on_node import Answer, on_node_together
from reckless.operate.options import refuse_orphans
from reckless.operate.session import Session
from reckless.operate.starting import (
    remember,
    since_boot,
)
from reckless.operate.undo import finish, flip, is_listed, settle, standing_on, undo
from reckless.store import journal
from reckless.store.journal import Record


@dataclass(frozen=True, kw_only=True, slots=True)
class Applied:
    """The state afterwards, and whether lightningd must be restarted for it to take effect."""

    state: State
    restart: bool = False


def apply(session: Session, state: State, change: Change) -> Applied:
    """Carry out `change`. On any failure, an interrupt included, everything is as it was before this raises."""
    done, (answer,) = apply_together(session, state, (change,))
    if isinstance(answer, Exception):
        raise answer
    return Applied(state=done, restart=answer)


def apply_together(session: Session, state: State, changes: Sequence[Change]) -> tuple[State, tuple[Answer, ...]]:
    """Carry out changes, the node's part of them at once: one, or several that `is_swap` and need not each other.

    Returns the state afterwards, and of each change whether lightningd must be restarted for it, or why it failed: then
    its plugin is as it was. On an interrupt all is as it was before this raises. Raises RecklessError `journal-left`.
    """
    _refuse_upon_left(session)
    answers: dict[str, Answer] = {}
    jobs = []
    listed = session.running() if any(change.before for change in changes) else None
    for change in changes:
        try:
            jobs.append(_begin(session, state, change, listed or ()))
        except (RecklessError, OSError) as error:
            answers[change.name] = error
    try:
        done = _carry_out(session, state, jobs, answers) if jobs else state
    finally:
        for change in changes:
            session.reporter.step(change.name, "done")
    return done, tuple(answers[change.name] for change in changes)


def _refuse_upon_left(session: Session) -> None:
    """Refuse another change while one that failed is still to be put back: its record would be lost."""
    if session.store.layout.journal.exists():
        raise RecklessError(
            "journal-left",
            "what failed before this could not be put back yet; nothing more was changed",
            "once the cause is mended, the next command that changes something puts it back first; then run this again",
        )


def _carry_out(session: Session, state: State, jobs: Sequence[Job], answers: dict[str, Answer]) -> State:
    layout = session.store.layout
    done = state
    try:
        journal.begin(layout, [job.record for job in jobs])
        for job in jobs:
            _before_node(job)
        answers |= on_node_together(session, jobs)
        for job in [job for job in jobs if not isinstance(answers[job.change.name], Exception)]:
            try:
                _after_node(job)
            except (RecklessError, OSError) as error:
                answers[job.change.name] = error
            else:
                done = _recorded(job, done)
        if done is not state:
            session.store.save(done)
        failed = [(job, e) for job in jobs if isinstance(e := answers[job.change.name], Exception)]
        for job in jobs:
            if not isinstance(answers[job.change.name], Exception):
                finish(layout, job.record)
        _put_back(session, failed)
    except BaseException as error:
        # Once it is recorded nothing is undone, and what went wrong with cleaning up does not make it a failure.
        if not _settled(session, jobs, answers, error) or not isinstance(error, Exception):
            raise
    return done


def _recorded(job: Job, state: State) -> State:
    change, booted = job.change, job.record.booted
    done = state.with_entry(change.after) if change.after else state.without(change.name)
    return remember(job.session, done, booted) if booted else done


def _put_back(session: Session, failed: Sequence[tuple[Job, Exception]]) -> None:
    """Undo what failed, last first, and end the journal; what cannot be put back stays in it."""
    layout, left = session.store.layout, []
    for job, error in reversed(failed):
        try:
            undo(session, job.record, touched=job.touched)
        except (RecklessError, OSError) as e:
            _say_left(session, job, error, e)
            left.append(job.record)
    if left:
        journal.begin(layout, left)
    else:
        journal.end(layout)


def _say_left(session: Session, job: Job, error: BaseException, trouble: Exception) -> None:
    session.reporter.note(
        f"{job.change.name}: could not put everything back ({trouble}); the next reckless command will try again"
    )
    if isinstance(error, RecklessError):
        later = "once the cause is mended, the next command that changes something puts back what was"
        error.hint = f"{error.hint}; {later}" if error.hint else later


def _begin(session: Session, state: State, change: Change, listed: Sequence[RunningPlugin]) -> Job:
    """Look at what is there; refuse what would keep a node from starting. Raises ConfigError, RecklessError."""
    conf = session.files.read_our_conf()
    leaving = change.offered
    if change.after is not None and session.network in change.after.enabled:
        leaving = tuple(name for name in change.offered if name not in change.offers)
        refuse_orphans(session.files, change.name, leaving, release=f"{change.name} {change.after.version}")
    _refuse_breaking_elsewhere(session, change)
    conf = session.files.absorb_setconfig(conf, change.name, leaving)
    running = change.before is not None and is_listed(session, change.before, listed)
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
    return Job(session=session, state=state, change=change, conf=conf, record=record)


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


def _settled(session: Session, jobs: Sequence[Job], answers: Mapping[str, Answer], error: BaseException) -> bool:
    """Undo after `error` what was not recorded; say whether all was, but for what had failed before.

    Where even that fails, the journal stays for the next command, and the error says so.
    """
    layout = session.store.layout
    if not layout.journal.exists():  # nothing was begun, or all is done
        return False
    as_answered, left = True, False
    for job in reversed(jobs):
        finished = False
        try:
            finished = settle(session, session.store.load(), job.record, touched=job.touched)
        except (RecklessError, OSError) as e:
            _say_left(session, job, error, e)
            left = True
        as_answered &= finished or isinstance(answers.get(job.change.name), Exception)
    if not left:
        journal.end(layout)
    return as_answered


def _before_node(job: Job) -> None:
    """Make config and link such that the node can be told."""
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


def _after_node(job: Job) -> None:
    """Write into the config what the node has run."""
    session, change, after = job.session, job.change, job.change.after
    if job.stays and after is not None:
        entrypoint = session.store.entrypoint(after)
        conf = job.conf.with_plugin(change.name, entrypoint, change.options, disables=change.disables)
        session.files.write_our_conf(conf)
        session.files.ensure_include()


def _stands_under(job: Job) -> bool:
    """Say whether the config's lines, as they are, would do for the new version too."""
    before, after = job.change.before, job.change.after
    if before is None or after is None or before.tree == after.tree:
        return True
    return before.entrypoint == after.entrypoint and {key for key, _ in job.had} <= set(job.change.offers)
