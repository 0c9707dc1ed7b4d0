"""`reckless install` and `reckless upgrade`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reckless.errors import RecklessError, UsageError
from reckless.model.state import Entry
from reckless.operate.carry import carry_out
from reckless.operate.options import parse_options
from reckless.operate.remove import installed_name
from reckless.operate.result import Outcome, Result
from reckless.operate.session import Session
from reckless.operate.solve import parse_target, solve


def install(session: Session, targets: Sequence[str], options: Sequence[str] = (), *, dry_run: bool = False) -> Result:
    """Install each target with its dependencies, and switch it on.

    `options` are `KEY=VALUE`, for a single target. Raises UsageError, ResolutionError, ToolchainMissingError and what
    opening the session raises; what fails for one plugin is in its outcome.
    """
    wanted = [parse_target(text) for text in targets]
    if options and len(wanted) != 1:
        raise UsageError("usage", "--option goes with one plugin at a time", "install them one by one")
    given = parse_options(options)
    with session.writing(dry_run=dry_run) as state:
        solved = solve(session, state, wanted)
        result = carry_out(session, state, solved, {t.name: given for t in wanted}, dry_run=dry_run)
    asked = {t.name for t in wanted}
    return replace(result, outcomes=tuple(o for o in result.outcomes if o.action != "keep" or o.name in asked))


def upgrade(session: Session, names: Sequence[str] = (), *, dry_run: bool = False) -> Result:
    """Bring the named plugins, or all, to their newest fitting release. Pinned ones stay, and that is said."""
    with session.writing(dry_run=dry_run) as state:
        chosen = [installed_name(state, name) for name in names] or sorted(state.plugins)
        pinned = [n for n in chosen if state.plugins[n].pinned]
        stays = tuple(
            Outcome(name=n, action="keep", status="unchanged", version=state.plugins[n].version, message="pinned")
            for n in pinned
        )
        moving = frozenset(n for n in chosen if n not in pinned)
        if not moving:
            return Result(outcomes=stays, notes=() if state.plugins else ("no plugins are installed",))
        solved = solve(session, state, (), upgrade=moving)
        result = carry_out(session, state, solved, {}, dry_run=dry_run)
    blind = tuple(_blind(state.plugins[n], solved.problems[n]) for n in sorted(moving) if n in solved.problems)
    shown = tuple(
        o for o in result.outcomes if o.action != "keep" or (o.name in moving and o.name not in solved.problems)
    )
    return replace(result, outcomes=(*shown, *blind, *stays))


def _blind(entry: Entry, problem: RecklessError) -> Outcome:
    """Say that whether there is anything newer cannot be known: the plugin's manifest or receipt is unusable."""
    return Outcome(
        name=entry.name,
        action="upgrade",
        status="failed",
        version=entry.version,
        before=entry.version,
        message=f"{entry.version} is as it was",
        error=problem,
    )
