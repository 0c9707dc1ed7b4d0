"""One command's view of the world: where the node is, what it says, what is installed, where manifests come from."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from reckless.errors import ConfigError, NodeDownError, NodeError, StoreError
from reckless.model.reporter import Reporter, SilentReporter
from reckless.model.state import State
from reckless.node.files import NodeFiles, locate
from reckless.node.rpc import Lightning, NodeInfo, RunningPlugin
from reckless.store.layout import Layout
from reckless.store.store import Store

if TYPE_CHECKING:
    from reckless.index.source import Sources

DEFAULT_SOURCE = "embedded"
RECENT_LIGHTNINGD = "v26.06.6"


def default_cache() -> Path:
    """Return the folder for what is always safe to delete: RECKLESS_CACHE, or the user's cache (XDG)."""
    named = os.environ.get("RECKLESS_CACHE")
    if named:
        return Path(named)
    from platformdirs import user_cache_path

    return user_cache_path("reckless")


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """What the command line and environment say. None: ask the node, or the usual default.

    `probe_timeout` is how many seconds a plugin has to answer getmanifest: as many as lightningd gives it.
    """

    lightning_dir: Path | None = None
    reckless_dir: Path | None = None
    conf: Path | None = None
    network: str | None = None
    cache: Path = field(default_factory=default_cache)
    jobs: int = 0
    command: str = "reckless"
    probe_timeout: float = 120.0


class Session:
    """Everything a verb needs; opened once a command."""

    def __init__(
        self,
        settings: Settings,
        reporter: Reporter | None = None,
        *,
        only_looking: bool = False,
        asked: Lightning | None = None,
    ) -> None:
        """Nothing is opened yet. A verb that is `only_looking` goes on where the node cannot be asked.

        `asked` is the node that `settings` name, where it is at hand already.
        """
        self.settings = settings
        self._asked = asked
        self.reporter: Reporter = reporter or SilentReporter()
        self.only_looking = only_looking
        self.no_contact: NodeError | None = None

    @cached_property
    def info(self) -> NodeInfo | None:
        """What the node says that it is; None where it is down.

        Where we cannot know (no lightning-cli, rubbish, silence): raises NodeError, or, for a verb that is only
        looking, None with the reason in `no_contact`.
        """
        try:
            return self._first_contact.info()
        except NodeDownError:
            return None
        except NodeError as e:
            if not self.only_looking:
                raise
            self.no_contact = e
            return None

    @cached_property
    def _first_contact(self) -> Lightning:
        s = self.settings
        return self._asked or Lightning(lightning_dir=s.lightning_dir, network=s.network, conf=s.conf)

    @cached_property
    def files(self) -> NodeFiles:
        """Where the node's files are. Raises ConfigError."""
        s = self.settings
        found = locate(
            lightning_dir=s.lightning_dir, network=s.network, conf=s.conf, info=self.info, reckless_dir=s.reckless_dir
        )
        if found.note:
            self.reporter.note(found.note)
        return found

    @cached_property
    def node(self) -> Lightning:
        """The node, by the folder and network that it itself named."""
        return self._asked or Lightning(
            lightning_dir=self.files.lightning_dir, network=self.files.network, conf=self.settings.conf
        )

    @property
    def network(self) -> str:
        """The network whose node this is."""
        return self.files.network

    @cached_property
    def store(self) -> Store:
        """What is installed, on disk."""
        return Store(Layout(self.files.reckless_dir))

    def state(self) -> State:
        """Return what is installed, by lightningd's own tool too, for a verb that is only looking.

        Nothing, for such a verb, where there is no node on this machine. Raises StoreError, ConfigError.
        """
        try:
            return self.seen(self.store.load())
        except ConfigError as e:
            if self.only_looking and e.code == "lightning-dir-missing" and self.settings.lightning_dir is None:
                return State()
            raise

    def seen(self, state: State) -> State:
        """Return the state as if we had installed what lightningd's own tool did: `reckless.operate.legacy`."""
        if not self.store.has_others():
            return state
        from reckless.operate.legacy import with_old

        return with_old(self, state)

    def running(self) -> tuple[RunningPlugin, ...] | None:
        """Return the node's plugins, or None where it is down. Raises NodeError where we cannot know."""
        if self.info is None:
            return None
        try:
            return self.node.plugins()
        except NodeDownError:
            return None

    def sources(self, state: State, *, offline: bool = False) -> Sources:
        """Open the sources of manifests, in order of preference. Raises IndexSourceError."""
        from reckless.index.source import Sources
        from reckless.operate.opening import open_location

        locations = state.sources or (DEFAULT_SOURCE,)
        return Sources([open_location(at, cache=self.settings.cache, offline=offline) for at in locations])

    @contextlib.contextmanager
    def writing(self, *, dry_run: bool = False) -> Iterator[State]:
        """Hold the lock, put right what a killed command left, and yield what is installed; clear away debris after.

        With `dry_run` nothing is touched: no lock, no undoing. Raises StoreError, ConfigError, NodeError, OSError.
        """
        from reckless.operate.recover import clear_debris, recover, sweep
        from reckless.store.lock import writing

        if dry_run:
            yield self.store.load()
            return
        root = self.store.layout.root
        self.files.check_owner(self.settings.command)
        try:
            root.mkdir(mode=0o700, exist_ok=True)
        except PermissionError as e:
            raise StoreError(
                "cannot-write", f"cannot make {root}: {e.strerror}", "run reckless as lightningd's user"
            ) from e
        with writing(self.store.layout.lock, self.settings.command, self.reporter) as killed:
            if killed:
                sweep(self)
            recover(self, self.store.load())
            state = self.store.load()  # undoing notes what lightningd still holds
            if self.info and state.lightningd.get(self.network) != self.info.version:
                state = replace(state, lightningd={**state.lightningd, self.network: self.info.version})
            yield state
            clear_debris(self, self.store.load())

    def on(self, network: str) -> Session:
        """Return a session on another network's node of the same lightning-dir."""
        files = self.files
        there = replace(
            self.settings,
            lightning_dir=files.lightning_dir,
            reckless_dir=files.reckless_dir,
            network=network,
            conf=None,
        )
        return Session(there, self.reporter)

    @property
    def lightningd(self) -> str:
        """The version that a plugin is told when it is probed: the node's, or a recent one where it is down."""
        return self.info.version if self.info else RECENT_LIGHTNINGD

    @property
    def jobs(self) -> int:
        """How many cores work may use at once."""
        if self.settings.jobs > 0:
            return self.settings.jobs
        try:
            return len(os.sched_getaffinity(0))
        except AttributeError:  # macOS
            return os.cpu_count() or 1
