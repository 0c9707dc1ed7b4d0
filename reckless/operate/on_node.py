"""The node's part of a change: stop what ran, start what is to run, verify that it does."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from reckless.errors import NodeError, RecklessError
from reckless.node.conf import Options
from reckless.operate.change import Change, Job
from reckless.operate.session import Session
from reckless.operate.starting import can_pass_options, left_since_boot, why_held, why_not
from reckless.operate.undo import stop
from reckless.system.parallel import in_parallel

Answer = bool | RecklessError | OSError


def on_node_together(session: Session, jobs: Sequence[Job]) -> dict[str, Answer]:
    """Have the node stop and start what the jobs say; then verify that it runs all that was started."""
    found: dict[str, bool | BaseException] = {}
    if len(jobs) == 1:
        try:
            found[jobs[0].change.name] = _on_node(jobs[0])
        except (RecklessError, OSError) as error:
            found[jobs[0].change.name] = error
    else:
        found.update(in_parallel(_on_node, {job.change.name: job for job in jobs}, len(jobs)))
    answers: dict[str, Answer] = {}
    for name, answer in found.items():
        if not isinstance(answer, (bool, RecklessError, OSError)):
            raise answer
        answers[name] = answer
    started = [job for job in jobs if job.started and not isinstance(answers[job.change.name], Exception)]
    return answers | _unverified(session, started)


def _on_node(job: Job) -> bool:
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
        job.started = True
    return False


def _held(job: Job) -> set[str]:
    """Return the options that are to have no value, and to which lightningd would give one at the start."""
    change = job.change
    names = {key for key, _ in job.had} if job.record.running else set(change.offers)
    names = (names & set(change.offers)) - {key for key, _ in change.options}
    return names & (left_since_boot(job.session, job.state) | set(job.record.booted))


def _passing(job: Job) -> Options | None:
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


def _unverified(session: Session, started: Sequence[Job]) -> dict[str, Answer]:
    """Return what the node does not list as active under its path, with its methods, and why that is an error."""
    try:
        known = session.node.methods() if any(job.change.methods for job in started) else {}
        active = {p.name for p in session.node.plugins() if p.active} if started else set()
    except NodeError as error:
        return {job.change.name: error for job in started}
    missing = {job.change.name: _missing(session, job.change, active=active, known=known) for job in started}
    return {name: error for name, error in missing.items() if error is not None}


def _missing(session: Session, change: Change, *, active: Collection[str], known: Collection[str]) -> NodeError | None:
    entry = change.after
    if entry is None:
        return None
    if str(session.store.running_path(entry)) not in active:
        return NodeError(
            "plugin-not-running",
            f"{entry.name} {entry.version} started and ended again at once",
            "lightningd's log says why: look for plugin-" + Path(entry.entrypoint).name,
        )
    missing = [m for m in change.methods if m not in known]
    if missing:
        return NodeError(
            "methods-missing", f"{entry.name} {entry.version} runs, but the node does not have its method {missing[0]}"
        )
    return None
