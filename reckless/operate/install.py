"""`reckless install` and `reckless upgrade`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from reckless.errors import IndexSourceError, RecklessError, ResolutionError, UsageError
from reckless.model.names import normalize_name
from reckless.model.state import Entry, State
from reckless.operate.asked import Asked, look_up, only_paths, parse_asked
from reckless.operate.carry import carry_out
from reckless.operate.following import newest_of
from reckless.operate.old_sources import take_old_sources
from reckless.operate.options import parse_options
from reckless.operate.remove import installed_name
from reckless.operate.replaced import replaced
from reckless.operate.result import Outcome, Result
from reckless.operate.session import Session
from reckless.operate.solve import Solved
from reckless.operate.succession import asked_for, broken_old, solve_taking_over, upgradable
from reckless.operate.target import Target
from reckless.operate.unvouched import One


def install(
    session: Session,
    targets: Sequence[str],
    options: Sequence[str] = (),
    *,
    from_source: bool | None = None,
    dry_run: bool = False,
) -> Result:
    """Install each target with its dependencies, and switch it on: a name, an address of a repository, a folder.

    `options` are `KEY=VALUE`, for a single target. `from_source` has the targets built here also where a ready-made
    program fits, or takes that again; None: as was said before. It is remembered. Raises UsageError, ResolutionError,
    ToolchainMissingError, what looking at a target raises and what opening the session raises; what fails for one
    plugin is in its outcome.
    """
    asked = [parse_asked(text) for text in targets]
    if options and len(asked) != 1:
        raise UsageError("usage", "--option goes with one plugin at a time", "install them one by one")
    given = parse_options(options)
    with session.writing(dry_run=dry_run) as there:
        state = take_old_sources(session, there, dry_run=dry_run)
        state, wanted, solved = _solve(session, state, asked, from_source=from_source, dry_run=dry_run)
        result = carry_out(session, state, solved, {t.name: given for t in wanted}, dry_run=dry_run)
    names = {t.name for t in wanted}
    outcomes = tuple(o for o in result.outcomes if o.action != "keep" or o.name in names)
    return replace(result, outcomes=outcomes, notes=(*result.notes, *solved.elsewhere))


def _solve(
    session: Session, state: State, asked: Sequence[Asked], *, from_source: bool | None, dry_run: bool
) -> tuple[State, list[Target], Solved]:
    """Look up what was asked for and resolve it; no server is asked for folders that need nothing new."""

    def attempt(found: Sequence[Target], *, offline: bool = False) -> tuple[State, list[Target], Solved]:
        wanted = [replace(t, from_source=from_source) for t in found]
        ours, moving = asked_for(session, state, wanted, dry_run=dry_run)
        at = session.sources(state, offline=True) if offline else sources or session.sources(state)
        ours, solved = solve_taking_over(
            session, ours, wanted, upgrade=moving, dry_run=dry_run, sources=at, offline=offline
        )
        return ours, wanted, solved

    sources = None if only_paths(asked) else session.sources(state)
    found = look_up(session, state, sources, asked)
    same = replaced(session, state, found) if sources is None and from_source is None else None
    if same is not None:
        return state, found, same
    needed = {d.name for t in found if t.one for r in t.one.manifest.releases for d in r.depends}
    if sources is None and needed <= state.plugins.keys():
        with contextlib.suppress(IndexSourceError, ResolutionError):  # something else is needed after all
            return attempt(found, offline=True)
    return attempt(found)


def upgrade(
    session: Session, names: Sequence[str] = (), *, from_source: bool | None = None, dry_run: bool = False
) -> Result:
    """Bring the named plugins, or all, to their newest fitting release, or to what their branch holds now.

    Pinned ones stay, and so does what was asked for at a tag or commit, or came from a folder; that is said.
    `from_source`: as for `install`.
    """
    with session.writing(dry_run=dry_run) as there:
        state = take_old_sources(session, there, dry_run=dry_run)
        state, left = upgradable(session, state, [normalize_name(name) for name in names], dry_run=dry_run)
        away = {o.name for o in left}
        named = [name for name in names if normalize_name(name) not in away]
        chosen = [installed_name(state, n) for n in named] if names else sorted(state.plugins.keys() - away)
        pinned = [n for n in chosen if state.plugins[n].pinned]
        stays = [*left, *(_stays(state.plugins[n], "pinned") for n in pinned)]
        moving = frozenset(n for n in chosen if n not in pinned)
        if not moving:
            return Result(outcomes=tuple(stays), notes=() if state.plugins or stays else ("no plugins are installed",))
        ones: dict[str, One] = {}
        for name, newest in sorted(newest_of(session, [state.plugins[n] for n in moving]).items()):
            if isinstance(newest, One):
                ones[name] = newest
            elif isinstance(newest, RecklessError):
                stays.append(_blind(state.plugins[name], newest))
            else:
                stays.append(_stays(state.plugins[name], newest.why))
        indexed = frozenset(n for n in moving if state.plugins[n].followed is None)
        if not indexed and not ones:
            return Result(outcomes=tuple(stays))
        others = broken_old(session, state, indexed)
        if from_source is not None:
            others = [_anew(state.plugins[n], from_source=from_source) for n in sorted(indexed)]
        state, solved, refused = _solve_upgrade(session, state, indexed, ones, others, dry_run=dry_run)
        stays += [_blind(state.plugins[n], e) for n, e in sorted(refused.items())]
        result = carry_out(session, state, solved, {}, dry_run=dry_run)
    unseen = {n: e for n, e in solved.problems.items() if n in indexed}
    stays += [_blind(state.plugins[n], e) for n, e in sorted(unseen.items())]
    shown = tuple(o for o in result.outcomes if o.action != "keep" or o.name in indexed - unseen.keys())
    return replace(result, outcomes=(*shown, *stays))


def _solve_upgrade(
    session: Session,
    state: State,
    indexed: frozenset[str],
    ones: Mapping[str, One],
    others: Sequence[Target],
    *,
    dry_run: bool,
) -> tuple[State, Solved, dict[str, RecklessError]]:
    """Resolve an upgrade; what a branch holds now and does not fit is left as it is, with why, and the others go on."""
    sources = session.sources(state)

    def attempt(names: Iterable[str]) -> tuple[State, Solved]:
        targets = [Target(name=n, one=ones[n], unasked=not state.plugins[n].requested) for n in names]
        return solve_taking_over(session, state, [*targets, *others], upgrade=indexed, dry_run=dry_run, sources=sources)

    try:
        return *attempt(ones), {}
    except ResolutionError:
        if not ones:
            raise
    fits: list[str] = []
    refused: dict[str, RecklessError] = {}
    for name in ones:
        try:
            attempt([*fits, name])
        except ResolutionError as e:
            refused[name] = e
        else:
            fits.append(name)
    return *attempt(fits), refused


def _anew(entry: Entry, *, from_source: bool) -> Target:
    return Target(name=entry.name, from_source=from_source, unasked=not entry.requested)


def _stays(entry: Entry, why: str) -> Outcome:
    return Outcome(name=entry.name, action="keep", status="unchanged", version=entry.version, message=why)


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
