"""`reckless list`: what is installed and how it is. Fast: it reads one small file and asks the node one thing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from reckless.errors import NodeError, RecklessError
from reckless.model.followed import Followed
from reckless.model.state import Entry
from reckless.operate.session import Session
from reckless.operate.starting import left_since_boot

Health = Literal["running", "stopped", "restart-due", "disabled", "node-down", "unknown", "broken"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One installed plugin. `path` is the one that lightningd lists; `followed` is set where no index has it.

    `origin` is the source that it came from, or "lightningd's own reckless" where that tool installed it and it still
    runs from its place.
    """

    name: str
    version: str
    health: Health
    requested: bool
    pinned: bool
    enabled: tuple[str, ...]
    origin: str
    path: str
    followed: Followed | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Listing:
    """All rows by name, and sentences for a person."""

    rows: tuple[Row, ...]
    network: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Places:
    """Where things are, under the names that lightningd's own tool gives them.

    `requested_lightning_conf` is what --conf says (None: nothing), `lightning_conf` the file that includes ours.
    """

    requested_lightning_conf: str | None
    lightning_conf: str
    lightning_dir: str
    reckless_dir: str
    network: str
    version: str


def places(session: Session) -> Places:
    """Return which node is meant, and where its files are. Raises ConfigError."""
    from reckless import __version__

    files = session.files
    return Places(
        requested_lightning_conf=str(files.explicit_conf) if files.explicit_conf else None,
        lightning_conf=str(files.config),
        lightning_dir=str(files.lightning_dir),
        reckless_dir=str(files.reckless_dir),
        network=files.network,
        version=__version__,
    )


def list_installed(session: Session) -> Listing:
    """Return what is installed. The node down, or not to be asked, is said in a note and no error."""
    notes = []
    active: set[str] | None = None
    try:
        running = session.running()
        active = None if running is None else {p.name for p in running if p.active}
        problem = session.no_contact
    except NodeError as e:
        problem = e
    down = active is None and problem is None
    if problem is not None:
        notes.append(f"cannot ask lightningd what runs: {problem.message}")
    state = session.seen(session.store.load())
    if session.store.layout.journal.exists():
        notes.append("an interrupted command left work behind; the next one that changes something puts it right")
    waiting = bool(left_since_boot(session, state))
    rows = tuple(
        Row(
            name=entry.name,
            version=entry.version,
            health=_health(session, entry, active, down=down, waiting=waiting),
            requested=entry.requested,
            pinned=entry.pinned,
            enabled=entry.enabled,
            origin=entry.origin,
            path=str(session.store.running_path(entry)),
            followed=entry.followed,
        )
        for _, entry in sorted(state.plugins.items())
    )
    if down and rows:
        notes.append("lightningd is not running")
    due = [row.name for row in rows if row.health == "restart-due"]
    if due:
        notes.append(f"restart lightningd to bring in {', '.join(due)}")
    return Listing(rows=rows, network=session.network, notes=tuple(notes))


def _health(session: Session, entry: Entry, active: set[str] | None, *, down: bool, waiting: bool) -> Health:
    """Say how a plugin is; `waiting`: this run of lightningd may be unable to start any that has options."""
    store = session.store
    if not (store.is_whole if entry.is_old else store.is_sealed)(entry.name, entry.tree):
        return "broken"
    if down and session.network in entry.enabled:
        return "node-down"
    path = str(session.store.running_path(entry))
    if active is not None and path in active:
        return "running"
    if session.network not in entry.enabled:
        return "disabled"
    if active is None:
        return "unknown"
    return "stopped" if entry.dynamic and not waiting else "restart-due"


def build_log(session: Session, name: str) -> tuple[str, str]:
    """Return the path and text of a plugin's build log: of the newest build that failed, else of the installed tree.

    Raises RecklessError `no-log`.
    """
    from reckless.model.names import normalize_name

    name = normalize_name(name)
    layout = session.store.layout
    entry = session.store.load().plugins.get(name)
    places = [layout.failed_log(name)] + ([layout.tree(name, entry.tree) / "build.log"] if entry else [])
    found = [p for p in places if p.is_file()]
    if not found:
        raise RecklessError("no-log", f"there is no build log of {name}", "a log is there once a build was tried")
    newest = max(found, key=lambda p: p.stat().st_mtime)
    return str(newest), newest.read_text(errors="replace")
