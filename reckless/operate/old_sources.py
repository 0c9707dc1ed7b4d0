"""The sources of lightningd's own reckless, taken over once."""

from __future__ import annotations

from dataclasses import replace

from reckless.errors import RecklessError
from reckless.model.state import OLD_TOOL, State
from reckless.operate.session import DEFAULT_SOURCE, Session
from reckless.operate.succession import is_official
from reckless.store.legacy import old_sources


def take_old_sources(session: Session, state: State, *, dry_run: bool) -> State:
    """Return the state with the sources in that tool's `.sources` behind ours: those that can be used as one.

    That tool's default is what the index is of, and is left out. What cannot be used, or not now, is said. The file is
    read once: whoever removes a source later has removed it.
    """
    root = session.store.layout.root
    if state.old_sources_read or not (root / ".sources").is_file():
        return state
    from reckless.operate.sources import canonical, tried

    known = list(state.sources or (DEFAULT_SOURCE,))
    added = []
    for text in old_sources(root):
        if is_official(text):
            continue
        try:
            location, _ = tried(canonical(text), session.settings.cache)
        except RecklessError as e:
            session.reporter.note(
                f"{text}, a source of {OLD_TOOL}, was not taken over: {e.message}; `reckless source add` tries again"
            )
            continue
        if location not in known:
            known.append(location)
            added.append(location)
    if added:
        session.reporter.note(f"sources of {OLD_TOOL}, taken over: {', '.join(added)}")
    state = replace(state, sources=tuple(known) if added else state.sources, old_sources_read=True)
    if not dry_run:
        session.store.save(state)
    return state
