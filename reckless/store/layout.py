"""Where things are below the reckless folder (shared design: architecture, "On the operator's disk")."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_TREE = re.compile(r"\S+\+[0-9a-f]{8}(\.[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Layout:
    """Paths below `<lightning-dir>/reckless`, or the folder that -d names."""

    root: Path

    @property
    def state(self) -> Path:
        """What is installed."""
        return self.root / "state.json"

    @property
    def journal(self) -> Path:
        """The change under way; absent when there is none."""
        return self.root / "journal.json"

    @property
    def lock(self) -> Path:
        """Held by whoever writes."""
        return self.root / "lock"

    def conf(self, network: str) -> Path:
        """The file that the node's config includes."""
        return self.root / f"{network}-reckless.conf"

    def plugin(self, name: str) -> Path:
        """The folder with all trees of a plugin."""
        return self.root / name

    def tree(self, name: str, tree: str) -> Path:
        """One sealed tree, `<version>+<digest8>`; or lightningd's own tool's folder, `.` or `../NAME`."""
        return self.root / tree.removeprefix("../") if tree.startswith("../") else self.root / name / tree

    def receipt(self, name: str, tree: str) -> Path:
        """The file whose presence makes a tree count."""
        return self.tree(name, tree) / "receipt.json"

    def failed_log(self, name: str) -> Path:
        """The log of a plugin's newest build that failed; a name cannot start with a dot."""
        return self.root / ".logs" / f"{name}.log"

    def current(self, name: str) -> Path:
        """The symlink that config's plugin= line goes through."""
        return self.root / name / "current"


def tree_name(version: str, digest: str) -> str:
    """Return a tree's folder name: the version, which bytes and which build made it."""
    return f"{version.replace('!', '-')}+{digest[:8]}"


def is_ours(name: str) -> bool:
    """Say whether what has this name in a plugin's folder is ours: a tree, the link to one, or a part of several."""
    return name in ("current", ".current.new") or is_tree_name(name) or is_part_name(name)


def is_part_name(name: str) -> bool:
    """Say whether a folder is an environment that several of our trees share (reckless.build.python_shared)."""
    return re.fullmatch(r"env\.[0-9a-f]{16}", name) is not None


def is_tree_name(name: str) -> bool:
    """Say whether a folder is one of our trees, by its name: what others put beside them is not ours to remove."""
    return _TREE.fullmatch(name) is not None
