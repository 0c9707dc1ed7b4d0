"""What the next command does first: finish or undo what was interrupted, and clear away what was left lying about."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from reckless.errors import NodeError
from reckless.model.state import State
from reckless.operate.session import Session
from reckless.operate.undo import settle
from reckless.store import journal
from reckless.store.layout import is_ours
from reckless.store.legacy import remove_retired, retired
from reckless.store.store import Store
from reckless.system.files import remove_leftovers


def recover(session: Session, state: State) -> None:
    """Finish or undo each change that the journal holds, and say so. Where undoing raises, the journal stays."""
    records = journal.pending(session.store.layout)
    for record in reversed(records):
        there = session if record.network == session.network else session.on(record.network)
        if settle(there, state, record):
            session.reporter.note(f"an interrupted {record.verb} of {record.name} was already done; finished it")
        else:
            session.reporter.note(
                f"an interrupted {record.verb} of {record.name} was undone; everything is as it was before it"
            )
    if records:
        journal.end(session.store.layout)


def sweep(session: Session) -> None:
    """Remove temporary files of a command that was killed. Those of ours that a person's folders may have, too."""
    layout, files = session.store.layout, session.files
    with contextlib.suppress(OSError):
        for path in (layout.state, layout.journal, *layout.root.glob("*-reckless.conf"), files.our_conf):
            remove_leftovers(path)
        for path, _ in files.roots:
            remove_leftovers(path)
            remove_leftovers(path.with_name(path.name + ".setconfig"))
        for current in layout.root.glob("*/.current.new"):
            current.unlink()


def clear_debris(session: Session, state: State) -> None:
    """Remove trees that nothing refers to, and what we took over from lightningd's own tool and then replaced.

    But none that a node still runs, nor any where we cannot ask it. None either while the journal is there: until that
    is undone, `current` may point at a tree unknown to the state.
    """
    store = session.store
    if store.layout.journal.exists():
        return
    stray, old = store.stray_trees(state), retired(store.layout.root)
    try:
        active = [p.name for s in _sessions(session) for p in s.running() or ()] if stray or old else []
    except NodeError:
        return
    with contextlib.suppress(OSError):  # what cannot be removed now is tried again by the next command
        gone = [t for t in stray if not any(name.startswith(f"{t.resolve()}/") for name in active)]
        _remove(store, gone, session.jobs)
        for folder in old:
            if not _runs_beside_ours(folder.resolve(), active):
                remove_retired(folder)
        for part in store.stray_parts():
            store.remove_tree(part)
        for folder in store.layout.root.iterdir():
            if folder.is_dir() and folder.name not in state.plugins and not any(folder.iterdir()):
                folder.rmdir()


def _runs_beside_ours(folder: Path, active: Sequence[str]) -> bool:
    """Say whether a plugin runs from this folder that is in none of our trees there."""
    below = (Path(name).relative_to(folder).parts[0] for name in active if folder in Path(name).parents)
    return not all(is_ours(first) for first in below)


def _remove(store: Store, trees: Sequence[Path], jobs: int) -> None:
    """Remove trees, several at once: each has thousands of files, and disks forget them slowly. Raises OSError."""
    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(store.remove_tree, trees))


def _sessions(session: Session) -> list[Session]:
    """Return a session for each network whose node may run our plugins."""
    suffix = "-reckless.conf"
    found = sorted(p.name.removesuffix(suffix) for p in session.store.layout.root.glob("*" + suffix))
    return [session, *(session.on(network) for network in found if network != session.network)]
