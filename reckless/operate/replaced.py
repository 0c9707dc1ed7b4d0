"""The author's loop: the same plugin out of the same folder again, of which nothing has changed that others look at."""

from __future__ import annotations

from collections.abc import Iterable

from packaging.version import Version

from reckless.index.port import Found
from reckless.model.manifest import Release
from reckless.model.state import Entry, Receipt, State
from reckless.operate.forced import differs
from reckless.operate.session import Session
from reckless.operate.solve import Solved
from reckless.operate.target import Target
from reckless.resolve.problem import Choice, Resolution


def replaced(session: Session, state: State, targets: Iterable[Target]) -> Solved | None:
    """Return the answer that the resolver would give, where it need not be asked; else None.

    That is where each target is installed, asked for before, and states the same version, dependencies, conflicts and
    lightningd versions as the installed tree: whatever fitted fits. No source is opened for it.
    """
    from reckless.build.machine import this_machine

    choices: list[Choice] = []
    found: dict[str, Found] = {}
    for target in targets:
        entry = state.plugins.get(target.name)
        if target.one is None or entry is None or entry.followed is None or entry.pinned or not entry.requested:
            return None
        release = target.one.manifest.releases[0]
        if not session.store.is_whole(entry.name, entry.tree):
            return None
        if not _is_alike(release, entry, session.store.receipt(entry.name, entry.tree)):
            return None
        moves = differs(session.store, entry, target.one)
        choices.append(
            Choice(
                name=entry.name,
                kind="upgrade" if moves else "keep",
                version=release.version,
                release=release,
                requested=True,
                because=("you asked for it",),
                before=release.version,
            )
        )
        found[entry.name] = Found(manifest=target.one.manifest, source=target.one)
    languages = {c.release.build.language for c in choices if c.release}
    machine = this_machine(languages=languages, cache=session.settings.cache)
    return Solved(
        resolution=Resolution(choices=tuple(choices)), found=found, builtins={}, machine=machine, offline=True
    )


def _is_alike(release: Release, entry: Entry, receipt: Receipt) -> bool:
    """Say whether a release is to others what the installed tree is. One that replaces built-ins is not looked into."""
    same = (
        release.version == Version(entry.version)
        and tuple(map(str, release.depends)) == receipt.depends
        and tuple(map(str, release.conflicts)) == receipt.conflicts
        and str(release.cln) == receipt.cln
    )
    return same and not release.runtime.disables and not receipt.disables
