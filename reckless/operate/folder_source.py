"""A folder of plugins on this machine as a source: each as it is now, uncommitted changes included."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path

from reckless.build.detect import Candidate
from reckless.build.project_version import project_version
from reckless.errors import RecklessError
from reckless.fetch.worktree import Worktree
from reckless.index.port import Freshness
from reckless.model.catalog import Catalog
from reckless.model.followed import Followed
from reckless.model.manifest import Manifest, PathSource
from reckless.operate.below import plugins_below
from reckless.operate.folder_place import plugin_in
from reckless.operate.made_up import made_up, one_of_each
from reckless.operate.unvouched import One, Unvouched, entry_of


class PluginFolder(Unvouched):
    """See the module."""

    def __init__(self, folder: Path) -> None:
        self.location = str(folder)
        self._folder = folder
        self._guard = threading.RLock()
        self._found: dict[str, Candidate] | None = None
        self._catalog = Catalog()
        self._plugins: dict[str, One] = {}
        self._problems: dict[str, RecklessError] = {}

    def catalog(self) -> Catalog:
        """Return what there is. Raises FetchError `tree-too-large`."""
        self._looked()
        return self._catalog

    def manifests(self, names: Iterable[str]) -> dict[str, Manifest]:
        """Return the manifests of these plugins."""
        return {name: one.manifest for name in dict.fromkeys(names) if (one := self._one(name)) is not None}

    def followed(self, name: str) -> Followed:
        """Return the folder that a plugin is in."""
        return self._plugins[name].followed(name)

    def reasons(self, name: str) -> tuple[str, ...]:
        """Return what was made of a plugin's files."""
        return self._plugins[name].reasons(name)

    @property
    def freshness(self) -> Freshness:
        """Read just now."""
        return Freshness()

    @property
    def problems(self) -> Mapping[str, RecklessError]:
        """Plugins that cannot be installed, and why."""
        self._looked()
        return self._problems

    def _looked(self) -> dict[str, Candidate]:
        with self._guard:
            if self._found is None:
                tree = Worktree(self._folder)
                found, self._problems = one_of_each(plugins_below(tree, tree.subdir, name=self._folder.name))
                date = tree.date
                self._catalog = Catalog(plugins=tuple(entry_of(self._sketch(tree, c, date)) for c in found.values()))
                self._found = found
            return self._found

    def _sketch(self, tree: Worktree, candidate: Candidate, date: dt.date) -> Manifest:
        """Return a manifest that will do for the catalog: what the plugin is made of is not read yet."""
        source = PathSource(path=self.location, sha256="", subdir=candidate.subdir)
        version = project_version(tree, candidate.subdir, candidate.build.language)
        return made_up(candidate, source, version=version, date=date, home=self.location)

    def _one(self, name: str) -> One | None:
        with self._guard:
            candidate = self._looked().get(name)
            if candidate is None or name in self._problems:
                return None
            if name not in self._plugins:
                try:
                    place = Worktree(self._folder).top / candidate.path
                    self._plugins[name] = plugin_in(place, location=self.location)
                except RecklessError as e:
                    self._problems[name] = e
                    return None
            return self._plugins[name]
