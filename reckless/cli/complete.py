"""Shell completion of plugin names: from state.json and the index's cache, never from the network, never failing."""

from __future__ import annotations


def complete_installed(incomplete: str) -> list[str]:
    """Return installed plugins that begin so."""
    return _matching(incomplete, known=False)


def complete_known(incomplete: str) -> list[str]:
    """Return all plugins that begin so."""
    return _matching(incomplete, known=True)


def _matching(incomplete: str, *, known: bool) -> list[str]:
    try:
        from reckless.cli.globals import Globals
        from reckless.operate.session import Session, Settings

        given = Globals()
        session = Session(Settings(lightning_dir=given.path(given.lightning_dir)), only_looking=True)
        state = session.store.load()
        names = set(state.plugins)
        if known:
            names |= {entry.name for entry, _ in session.sources(state, offline=True).catalog()}
    except Exception:  # noqa: BLE001 - a completion that cannot be made is an empty one, never noise in a prompt
        return []
    return sorted(n for n in names if n.startswith(incomplete.lower()))
