"""A git repository as a source: the plugins in it, as its branch has them now.

Its location is `git+URL`, with `#BRANCH` or `#BRANCH:FOLDER` behind it where not all of the default branch is meant.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from reckless.errors import FetchError, IndexSourceError, RecklessError
from reckless.fetch.gittree import look_into
from reckless.fetch.remote import remote_tip
from reckless.index.port import Freshness
from reckless.model.catalog import Catalog, CatalogEntry
from reckless.model.followed import Followed
from reckless.model.manifest import Manifest
from reckless.model.names import normalize_name
from reckless.model.place import Place, parse_place
from reckless.operate.git_listing import Listing, ListingCache, list_plugins
from reckless.operate.git_place import Meant, plugin_of, what_is_meant
from reckless.operate.unvouched import One, Unvouched, entry_of

PREFIX = "git+"
_NO_ANSWER = frozenset({"network-down", "fetch-timeout"})


class GitRepository(Unvouched):
    """See the module. Raises IndexSourceError `invalid-source` for a location that is none."""

    def __init__(self, location: str, *, cache: Path, offline: bool = False) -> None:
        place = parse_place(location)
        if place is None:
            raise IndexSourceError(
                "invalid-source", f"{location} is not the address of a repository", "git+https://..."
            )
        self.location = location
        self._place = place
        self._cache = cache
        self._kept = ListingCache(cache / "listings", location)
        self._offline = offline
        self._guard = threading.RLock()
        self._read: tuple[Listing, Freshness, Followed] | None = None
        self._plugins: dict[str, One] = {}
        self._problems: dict[str, RecklessError] = {}

    def catalog(self) -> Catalog:
        """Return what there is. Raises IndexSourceError, FetchError."""
        listing = self._listing()
        rows = {name: entry_of(p.manifest) for name, p in listing.plugins.items()}
        for name, path in self._modules().items():
            rows.setdefault(name, _module_entry(name, path))
        return Catalog(plugins=tuple(rows[name] for name in sorted(rows)))

    def manifests(self, names: Iterable[str]) -> dict[str, Manifest]:
        """Return the manifests of these plugins; that of a submodule's is made now, from its own repository."""
        found = {}
        for name in dict.fromkeys(names):
            listing = self._listing()
            if name in listing.plugins:
                found[name] = listing.plugins[name].manifest
            elif name in self._modules() and (one := self._module(name)) is not None:
                found[name] = one.manifest
        return found

    def followed(self, name: str) -> Followed:
        """Return the branch that a plugin comes from; this looks into the repository again, mostly from the cache."""
        return self.plugin(name).followed(name)

    def reasons(self, name: str) -> tuple[str, ...]:
        """Return what was made of a plugin's files."""
        listing = self._listing()
        return listing.plugins[name].reasons if name in listing.plugins else self.plugin(name).reasons(name)

    def plugin(self, name: str, rev: str = "") -> One:
        """Return a plugin by itself: at the commit of the listing, or at another revision. Raises as `plugin_at`."""
        if rev:
            place = Place(url=self._place.url, rev=rev, path=self._path(name))
            return plugin_of(what_is_meant(place), cache=self._cache, location=self.location)
        with self._guard:
            if name not in self._plugins:
                listing, _, asked = self._loaded()
                asked = replace(asked, path=self._path(name), commit=listing.commit)
                meant = Meant(followed=asked, ref=listing.commit)
                self._plugins[name] = plugin_of(meant, cache=self._cache, location=self.location)
            return self._plugins[name]

    @property
    def plain(self) -> str:
        """Its location with branch and folder told apart. Raises as `catalog`."""
        asked = self._loaded()[2]
        rev = asked.ref or (asked.commit if asked.kind == "commit" else "")
        return PREFIX + str(Place(url=asked.place, rev=rev, path=asked.path))

    @property
    def freshness(self) -> Freshness:
        """How old the listing is."""
        return self._loaded()[1]

    @property
    def problems(self) -> Mapping[str, RecklessError]:
        """Plugins that cannot be installed, and why, as far as it is known."""
        return {**self._listing().problems, **self._problems}

    def _path(self, name: str) -> str:
        listing = self._listing()
        return listing.plugins[name].path if name in listing.plugins else self._modules()[name]

    def _modules(self) -> dict[str, str]:
        """Return the submodules that may be plugins: names that nothing else in the repository has."""
        listing, found = self._listing(), {}
        for name, path in listing.modules.items():
            try:
                plain = normalize_name(name)
            except RecklessError:
                continue
            if plain not in listing.plugins and plain not in listing.problems:
                found[plain] = path
        return found

    def _module(self, name: str) -> One | None:
        try:
            one = self.plugin(name)
        except RecklessError as e:
            if e.code in _NO_ANSWER:
                raise
            self._problems[name] = e
            return None
        if one.name != name:
            message = f"the submodule {name} of {self._place.url} holds the plugin {one.name}"
            self._problems[name] = RecklessError(
                "not-a-plugin", message, f"reckless install {one.followed(name).address()}"
            )
            return None
        return one

    def _listing(self) -> Listing:
        return self._loaded()[0]

    def _loaded(self) -> tuple[Listing, Freshness, Followed]:
        with self._guard:
            if self._read is None:
                self._read = self._load()
            return self._read

    def _load(self) -> tuple[Listing, Freshness, Followed]:
        kept = self._kept.read(self._place.url)
        plain = Followed(kind="branch", place=self._place.url, ref=self._place.rev, path=self._place.path)
        if self._offline:
            if kept is None:
                raise IndexSourceError(
                    "index-unreachable", f"working offline, and {self.location} was never listed", ""
                )
            return kept[0], Freshness(fetched_at=kept[1], offline=True), plain
        try:
            return self._newest(kept[0] if kept else None)
        except FetchError as e:
            if kept is None or e.code not in _NO_ANSWER:
                raise
            return kept[0], Freshness(fetched_at=kept[1], offline=True), plain

    def _newest(self, kept: Listing | None) -> tuple[Listing, Freshness, Followed]:
        """Ask which commit is meant now; where it is the one that is listed, that is all."""
        meant = what_is_meant(self._place)
        ref = meant.ref
        if kept is not None and not meant.followed.commit:
            ref = remote_tip(self._place.url)
        if kept is not None and kept.commit == ref:
            self._kept.still_newest()
            listing = kept
        else:
            path = meant.followed.path
            listing = look_into(
                self._place.url, ref, lambda tree: list_plugins(tree, self._place.url, path), cache=self._cache
            )
            self._kept.keep(listing)
        return listing, Freshness(fetched_at=time.time()), meant.followed


def _module_entry(name: str, path: str) -> CatalogEntry:
    """Return what search shows of a submodule: what is in it is only looked at when it is asked for."""
    return CatalogEntry(
        name=name, summary=f"In a repository of its own (the submodule {path})", sha256="", size=0, category="other"
    )
