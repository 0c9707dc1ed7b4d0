"""`reckless doctor --fix`: state.json made again out of what the installed trees and our config file say."""

from __future__ import annotations

from pathlib import Path

from reckless.errors import RecklessError
from reckless.model.dependency import parse_dependency
from reckless.model.reporter import Reporter
from reckless.model.state import Entry, Receipt, State
from reckless.node.conf import parse
from reckless.operate.session import Session
from reckless.store.layout import is_tree_name
from reckless.store.lock import writing
from reckless.store.store import Store

_CONF = "-reckless.conf"
_LOST = ("state-missing", "state-damaged")


def rebuild(session: Session) -> bool:
    """Make state.json again where it is gone or damaged; false where there was nothing to do.

    The damaged one stays beside it as `state.json.damaged`. What only it knew is lost: the sources, pins, and which
    plugins came as dependencies (those that others depend on are taken for such). Raises StoreError, ConfigError.
    """
    store = session.store
    if not store.layout.root.is_dir():
        return False
    session.files.check_owner(session.settings.command)
    with writing(store.layout.lock, session.settings.command, session.reporter):
        try:
            store.load()
        except RecklessError as e:
            if e.code not in _LOST:
                raise
        else:
            return False
        state = _from_trees(store, session.reporter)
        if store.layout.state.exists():
            store.layout.state.replace(store.layout.state.with_name("state.json.damaged"))
        store.save(state)
    names = ", ".join(sorted(state.plugins)) or "no plugins"
    session.reporter.note(f"state.json was made again, with {names}; sources and pins are forgotten")
    return True


def _from_trees(store: Store, reporter: Reporter) -> State:
    root = store.layout.root
    kept = {name: _sealed(store, name, reporter) for name in _folders(root)}
    chosen = {name: tree for name, trees in kept.items() if (tree := _current(store, name)) in trees}
    needed = {parse_dependency(d).name for name, tree in chosen.items() for d in kept[name][tree].depends}
    entries = {}
    for name, tree in chosen.items():
        others = sorted(kept[name].keys() - {tree}, key=lambda other: kept[name][other].built, reverse=True)
        receipt = kept[name][tree]
        entries[name] = Entry(
            name=name,
            version=receipt.version,
            tree=tree,
            entrypoint=receipt.entrypoint,
            origin=receipt.origin,
            dynamic=receipt.dynamic,
            requested=name not in needed,
            enabled=_enabled(root, name),
            previous=tuple(others[:1]),
            followed=receipt.followed,
        )
    return State(plugins=entries)


def _folders(root: Path) -> list[str]:
    return sorted(p.name for p in root.iterdir() if p.is_dir() and not p.is_symlink() and not p.name.startswith("."))


def _sealed(store: Store, name: str, reporter: Reporter) -> dict[str, Receipt]:
    found = {}
    trees = [folder.name for folder in sorted(store.layout.plugin(name).iterdir()) if is_tree_name(folder.name)]
    if not is_tree_name(now := _current(store, name)):
        trees.append(now or ".")  # what we took over from lightningd's own tool
    for tree in trees:
        if not store.is_sealed(name, tree):
            continue
        try:
            receipt = store.receipt(name, tree)
        except RecklessError as e:
            reporter.note(f"left out: {e.message}")
            continue
        if receipt.name == name:
            found[tree] = receipt
    return found


def _current(store: Store, name: str) -> str:
    """Return the tree that `current` points at; one that nothing points at is not installed."""
    link = store.layout.current(name)
    return str(link.readlink()) if link.is_symlink() else ""


def _enabled(root: Path, name: str) -> tuple[str, ...]:
    """Return the networks in whose config the plugin's block is, and is not switched off."""
    networks = []
    for file in sorted(root.glob(f"*{_CONF}")):
        block = parse(file.read_text(errors="surrogateescape")).find(name)
        if block is not None and block.enabled:
            networks.append(file.name.removesuffix(_CONF))
    return tuple(networks)
