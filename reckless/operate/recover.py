"""What the next command does first: finish or undo what was interrupted, and clear away debris."""

from __future__ import annotations

from reckless.errors import NodeError
from reckless.model.state import State
from reckless.operate import activate
from reckless.operate.session import Session
from reckless.store import journal
from reckless.system.files import remove_tree


def recover(session: Session, state: State) -> State:
    """Finish or undo the change that the journal holds, and say so. Where undoing raises, the journal stays."""
    record = journal.pending(session.store.layout)
    if record is None:
        return state
    committed = state.plugins.get(record.name) == record.after
    if committed and record.before != record.after:
        activate.finish(session, record)
        session.reporter.note(f"an interrupted {record.verb} of {record.name} was already done; finished it")
        return state
    activate.undo(session, record)
    session.reporter.note(
        f"an interrupted {record.verb} of {record.name} was undone; everything is as it was before it"
    )
    return state


def clear_debris(session: Session, state: State) -> None:
    """Remove trees that nothing refers to, but none that the node still runs, nor any where we cannot ask it."""
    try:
        running = session.running()
    except NodeError:
        return
    active = [p.name for p in running or ()]
    for tree in session.store.stray_trees(state):
        real = str(tree.resolve())
        if not any(name.startswith(real + "/") for name in active):
            remove_tree(tree)
    for folder in session.store.layout.root.iterdir():
        if folder.is_dir() and folder.name not in state.plugins and not any(folder.iterdir()):
            folder.rmdir()
