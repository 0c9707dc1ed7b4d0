"""Plugins that lightningd's own reckless installed, as our verbs see them: its folders, and its lines in the config.

Its config file is ours, too (`<network>-reckless.conf`): what it wrote are the lines outside our blocks. A plugin may
be seen by its folder only (no network has it), by a line only (its folder is gone), or by both.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from reckless.errors import RecklessError
from reckless.model.names import normalize_name
from reckless.model.state import OLD_TOOL, Entry, Receipt, State
from reckless.node.conf import RecklessConf
from reckless.node.files import NodeFiles
from reckless.node.programs import cannot_run, interpreter_of
from reckless.operate.session import Session
from reckless.store.layout import is_ours
from reckless.store.legacy import OldTree, old_trees, remote_source, tree_of

SUFFIX = "-reckless.conf"


@dataclass(frozen=True, kw_only=True, slots=True)
class OldPlugin:
    """One such plugin. `enabled` and `disabled` are networks whose config has it so; `lines` are the paths named there.

    `noted`: that tool wrote metadata. From it are `source`, the URL or folder that it came from, `commit`, `asked`, the
    tag or commit that a person asked for, and `date`, of the installation; each may be empty.
    """

    name: str
    folder: Path
    entrypoint: str
    enabled: tuple[str, ...] = ()
    disabled: tuple[str, ...] = ()
    lines: frozenset[str] = frozenset()
    source: str = ""
    commit: str = ""
    asked: str = ""
    date: str = ""
    noted: bool = False

    @property
    def tree(self) -> str:
        """Its place as `Entry.tree` has it."""
        return tree_of(self.name, self.folder)

    @property
    def path(self) -> Path:
        """What is started; its folder where nothing could be."""
        return self.folder / self.entrypoint

    @property
    def damage(self) -> str:
        """Why it cannot be started, as far as one sees; empty where nothing speaks against it."""
        if not self.entrypoint:
            return f"nothing in {self.folder} can be started"
        bad = cannot_run(self.path)
        return f"{self.path} {bad.why}" if bad else ""

    @property
    def is_installed(self) -> bool:
        """Whether there is more of it than what a failed installation left."""
        return bool(self.entrypoint or self.noted or self.enabled or self.disabled)

    @property
    def version(self) -> str:
        """A version that is older than any release: what it is of ours is not known."""
        return f"0+{self.commit[:10] or 'unknown'}"

    def entry(self) -> Entry:
        """Return it as an installed plugin."""
        return Entry(
            name=self.name, version=self.version, tree=self.tree, entrypoint=self.entrypoint, origin=OLD_TOOL,
            pinned=bool(self.asked), enabled=self.enabled,
        )  # fmt: skip

    def receipt(self) -> Receipt:
        """Return what is known of it without asking it; `source` is `PLACE@COMMIT`, as far as that was noted."""
        return Receipt(
            name=self.name, version=self.version, origin=OLD_TOOL, entrypoint=self.entrypoint, built=self.date,
            digest=hashlib.sha256(f"{self.folder}@{self.commit}".encode()).hexdigest(),
            source="@".join(part for part in (self.source, self.commit) if part),
            language=_LANGUAGES.get(Path(self.entrypoint).suffix, ""), interpreter=_interpreter(self.path),
        )  # fmt: skip


_LANGUAGES = {".py": "python", ".js": "node"}


def old_plugins(session: Session, state: State) -> dict[str, OldPlugin]:
    """Return, by name, what that tool installed and `state` does not know. Raises ConfigError `config-unreadable`.

    Where two folders have one name by our rules, it is the one that a config has switched on.
    """
    by_name: dict[str, OldPlugin] = {}
    for plugin in all_old(session, state):
        other = by_name.get(plugin.name)
        if plugin.name not in state.plugins and (other is None or len(plugin.enabled) > len(other.enabled)):
            by_name[plugin.name] = plugin
    return by_name


def all_old(session: Session, state: State) -> list[OldPlugin]:
    """Return all that tool's folders and lines, also of plugins that `state` knows. Raises as `old_plugins`."""
    root = session.store.layout.root
    if not session.store.has_others():
        return []
    found = {tree.folder.name: _from_tree(root, tree) for tree in old_trees(root)}
    for network, files in networks(session):
        for folder, path, on in _lines(root, files.read_our_conf(), state):
            plugin = found.get(folder) or _from_line(root, folder, path)
            if plugin is not None:
                found[folder] = _with_line(plugin, network, path, on=on)
    return [*found.values()]


def with_old(session: Session, state: State) -> State:
    """Return the state as if we had installed what that tool did; nothing is written, and nothing of it is run."""
    for plugin in old_plugins(session, state).values():
        if plugin.is_installed:
            state = imagine(session, state, plugin.entry(), plugin.receipt())
    return state


def imagine(session: Session, state: State, entry: Entry, receipt: Receipt) -> State:
    """Return the state with this plugin, whose receipt stands nowhere."""
    session.store.imagined[entry.name, entry.tree] = receipt
    return state.with_entry(entry)


def networks(session: Session) -> Iterator[tuple[str, NodeFiles]]:
    """Yield each network that has a config file of ours, with the files of its node; our own first."""
    yield session.network, session.files
    for file in sorted(session.store.layout.root.glob(f"*{SUFFIX}")):
        network = file.name.removesuffix(SUFFIX)
        if network != session.network:
            yield network, replace(session.files, network=network, explicit_conf=None)


def _from_tree(root: Path, tree: OldTree) -> OldPlugin:
    meta = tree.metadata
    plugin = OldPlugin(name=tree.name, folder=tree.folder, entrypoint=tree.entrypoint, noted=meta is not None)
    if meta is None:
        return plugin
    source = remote_source(root, meta.source)
    return replace(plugin, source=source, commit=meta.commit, asked=meta.requested, date=meta.date)


def _from_line(root: Path, folder: str, path: str) -> OldPlugin | None:
    try:
        return OldPlugin(name=normalize_name(folder), folder=root / folder, entrypoint=Path(path).name)
    except RecklessError:
        return None


def _with_line(plugin: OldPlugin, network: str, path: str, *, on: bool) -> OldPlugin:
    """Take in one line: lightningd runs what is enabled and not disabled, wherever the lines stand."""
    enabled, disabled = {*plugin.enabled}, {*plugin.disabled}
    (enabled if on else disabled).add(network)
    below = os.path.relpath(real_place(path), os.path.realpath(plugin.folder))
    return replace(
        plugin,
        entrypoint=below if on or not plugin.entrypoint else plugin.entrypoint,
        enabled=tuple(sorted(enabled - disabled)),
        disabled=tuple(sorted(disabled)),
        lines=plugin.lines | {path},
    )


def _lines(root: Path, conf: RecklessConf, state: State) -> Iterator[tuple[str, str, bool]]:
    """Yield the folder below `root`, the path, and whether it is switched on, of each line that names such a plugin.

    Among them are those in a block of ours that `state` does not know: whoever took it over did not get to the end.
    """
    named = [(line.path, line.key != "disable-plugin") for line in conf.loose]
    named += [(block.path, block.enabled) for block in conf.blocks if block.name not in state.plugins and block.path]
    real = os.path.realpath(root)
    for path, on in named:
        parts = Path(os.path.relpath(real_place(path), real)).parts if path.startswith("/") else ()
        if len(parts) > 1 and parts[0] != ".." and not parts[0].startswith(".") and not is_ours(parts[1]):
            yield parts[0], path, on


def _interpreter(path: Path) -> str:
    try:
        return interpreter_of(path) or ""
    except OSError:
        return ""


def real_place(path: str) -> str:
    """Return a path with its folders resolved, not the file: it may be a symlink into a copy of the source."""
    folder, name = os.path.split(path)
    return os.path.join(os.path.realpath(folder), name)  # noqa: PTH118 - as split
