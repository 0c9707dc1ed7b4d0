"""Reading and writing state.json, receipts and trees."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from reckless.errors import StoreError
from reckless.model.state import (
    Entry,
    Receipt,
    State,
    receipt_from_json,
    receipt_to_json,
    remedy,
    state_from_json,
    state_to_json,
)
from reckless.store.layout import Layout, is_ours, is_part_name, is_tree_name
from reckless.system.files import atomic_write, remove_tree, sync_folder

MAX_STATE = 16 << 20
# A plugin line that does not go through `current`
_OTHERS = re.compile(rb"^(?:important-|disable-)?plugin=/(?!.*/current/)", re.MULTILINE)


def load_json(path: Path, what: str) -> object:
    """Read one of our own JSON files. Raises FileNotFoundError, StoreError `state-damaged`, `state-unreadable`."""
    try:
        with path.open("rb") as f:
            data = f.read(MAX_STATE + 1)
    except FileNotFoundError:
        raise
    except OSError as e:
        raise StoreError(
            "state-unreadable", f"cannot read {path}: {e.strerror}", "run reckless as the user who runs lightningd"
        ) from e
    try:
        if len(data) > MAX_STATE:
            raise ValueError
        value: object = json.loads(data)
    except (ValueError, RecursionError) as e:
        raise StoreError(
            "state-damaged",
            f"{path} is not {what}: it is cut short or damaged; nothing was changed",
            remedy(str(path)),
        ) from e
    return value


@dataclass(frozen=True, slots=True)
class Store:
    """The reckless folder of one lightning-dir.

    `imagined` are receipts, by name and tree, of what lightningd's own tool installed: it writes none.
    """

    layout: Layout
    imagined: dict[tuple[str, str], Receipt] = field(default_factory=dict, compare=False)

    def load(self) -> State:
        """Return what is installed.

        Raises StoreError `state-damaged`, `state-too-new`, `state-unreadable`, and `state-missing` where there are
        sealed trees but no state: that is never taken for a fresh start.
        """
        try:
            data = load_json(self.layout.state, "a state file of reckless")
        except FileNotFoundError as e:
            if self.layout.root.is_dir() and any(self.layout.root.glob("*/*/receipt.json")):
                raise StoreError(
                    "state-missing",
                    f"{self.layout.state} is gone, but plugins are installed beside it; nothing was changed",
                    "`reckless doctor --fix` makes it again from the installed trees",
                ) from e
            return State()
        return state_from_json(data, file=str(self.layout.state))

    def save(self, state: State) -> None:
        """Replace state.json in one rename. Raises OSError."""
        atomic_write(self.layout.state, json.dumps(state_to_json(state), indent=1).encode() + b"\n", mode=0o600)

    def receipt(self, name: str, tree: str) -> Receipt:
        """Return a sealed tree's receipt. Raises StoreError `tree-missing`, `state-damaged` or `state-too-new`."""
        if (name, tree) in self.imagined:
            return self.imagined[name, tree]
        path = self.layout.receipt(name, tree)
        try:
            return receipt_from_json(load_json(path, "a receipt of reckless"), file=str(path))
        except FileNotFoundError as e:
            raise StoreError(
                "tree-missing",
                f"the installed tree {path.parent} is not whole",
                f"`reckless install {name}` builds it again",
            ) from e

    def is_sealed(self, name: str, tree: str) -> bool:
        """Say whether the tree was built to the end."""
        return (name, tree) in self.imagined or self.layout.receipt(name, tree).is_file()

    def is_whole(self, name: str, tree: str) -> bool:
        """Say whether a sealed tree can still be run: an OS upgrade may have taken the interpreter from under it."""
        try:
            receipt = self.receipt(name, tree)
        except StoreError:
            return False
        needed = [self.layout.tree(name, tree) / receipt.entrypoint]
        if receipt.interpreter:
            needed.append(Path(receipt.interpreter))
        env = self.layout.tree(name, tree) / "env"
        if env.is_symlink():  # to one that it shares with other trees
            needed.append(env)
        return all(os.access(path, os.X_OK) for path in needed)

    def flush(self) -> None:
        """Return when all that was written is on disk: before trees are sealed. It may wait for what others wrote."""
        os.sync()

    def seal(self, tree: str, receipt: Receipt) -> None:
        """Write the receipt, last of all: from now on the tree counts. All that is in it has been flushed."""
        atomic_write(
            self.layout.receipt(receipt.name, tree), json.dumps(receipt_to_json(receipt), indent=1).encode() + b"\n"
        )

    def remove_tree(self, tree: Path) -> None:
        """Remove a tree, its receipt first: never does half a tree count. Raises OSError."""
        (tree / "receipt.json").unlink(missing_ok=True)
        remove_tree(tree)

    def is_current(self, name: str, tree: str) -> bool:
        """Say whether `current` points at this tree, be it whole or not."""
        current = self.layout.current(name)
        return current.is_symlink() and str(current.readlink()) == tree

    def make_tree(self, name: str, tree: str) -> Path:
        """Return a fresh, empty folder for a tree; what an earlier, broken build left there goes."""
        path = self.layout.tree(name, tree)
        self.remove_tree(path)
        path.mkdir(parents=True)
        sync_folder(path.parent)
        return path

    def entrypoint(self, entry: Entry) -> Path:
        """Return the path that config's plugin= line names: it goes through `current`."""
        return self.layout.current(entry.name) / entry.entrypoint

    def running_path(self, entry: Entry) -> Path:
        """Return the path under which lightningd lists it: symlinks resolved."""
        return Path(os.path.realpath(self.layout.tree(entry.name, entry.tree) / entry.entrypoint))

    def has_others(self) -> bool:
        """Say, fast, whether something in our folder may be lightningd's own tool's; then it is worth looking well."""
        try:
            for path in self.layout.root.iterdir():
                if path.name.endswith("-reckless.conf"):
                    if _OTHERS.search(path.read_bytes()):
                        return True
                elif path.is_dir() and any(not is_ours(inside.name) for inside in path.iterdir()):
                    return True
        except OSError:  # whoever needs it says so
            return False
        return False

    def stray_trees(self, state: State) -> list[Path]:
        """Return folders of trees that the state does not know: debris, and builds that never came into use."""
        stray = []
        for folder in sorted(p for p in self.layout.root.glob("*") if p.is_dir() and not p.is_symlink()):
            entry = state.plugins.get(folder.name)
            known = {entry.tree, *entry.previous} if entry else set()
            trees = [p for p in folder.iterdir() if p.is_dir() and not p.is_symlink() and is_tree_name(p.name)]
            stray += [tree for tree in sorted(trees) if tree.name not in known]
        return stray

    def stray_parts(self) -> list[Path]:
        """Return environments that trees shared and that none has any more."""
        linked = {
            os.path.normpath(link.parent / link.readlink())
            for link in self.layout.root.glob("*/*/env")
            if link.is_symlink()
        }
        parts = sorted(p for p in self.layout.root.glob("*/env.*") if is_part_name(p.name) and not p.is_symlink())
        return [part for part in parts if str(part) not in linked]
