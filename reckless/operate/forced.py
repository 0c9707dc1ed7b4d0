"""Releases that take an installed one's place whatever their version: what a folder or branch holds now.

A project's version stays the same from commit to commit, or goes back. To the resolver, which goes by versions, such a
release is shown with a local label behind its version (PEP 440, Local version identifiers): so it is another release,
all bounds on its version mean what they mean, and the label is taken off the answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from reckless.model.followed import Followed
from reckless.model.manifest import Manifest
from reckless.model.state import Entry
from reckless.operate.target import Target
from reckless.operate.unvouched import One
from reckless.resolve.problem import Choice, Resolution
from reckless.store.store import Store

_MOVES = ("upgrade", "downgrade")


@dataclass(frozen=True, kw_only=True, slots=True)
class Forced:
    """Manifests to be shown to the resolver, by name, and the bounds that make it take their release."""

    manifests: Mapping[str, Manifest] = field(default_factory=dict)
    bounds: Mapping[str, SpecifierSet] = field(default_factory=dict)

    def unlabelled(self, resolution: Resolution, targets: Iterable[Target], entries: Mapping[str, Entry]) -> Resolution:
        """Return the answer with the labels taken off again."""
        forced = {t.name: t for t in targets if t.name in self.manifests}
        choices = (
            _plain(c, forced[c.name], entries[c.name]) if c.name in forced and c.kind in _MOVES else c
            for c in resolution.choices
        )
        return replace(resolution, choices=tuple(choices))


def force(store: Store, ones: Mapping[str, One], entries: Mapping[str, Entry]) -> Forced:
    """Return how to have these plugins, all of them installed, take the place of their installed releases.

    One that is installed just as it is there now is not forced: it is kept.
    """
    manifests, bounds = {}, {}
    for name, one in ones.items():
        if not differs(store, entries[name], one):
            continue
        release = one.manifest.releases[0]
        version = _labelled(release.version, Version(entries[name].version), one.followed(name))
        manifests[name] = replace(one.manifest, releases=(replace(release, version=version),))
        bounds[name] = SpecifierSet(f"=={version}")
    return Forced(manifests=manifests, bounds=bounds)


def differs(store: Store, entry: Entry, one: One) -> bool:
    """Say whether what is there now is not what is installed, or was asked for in another way."""
    now, then = one.followed(entry.name), entry.followed
    same = then is not None and then.asked == now.asked and then.content == now.content
    return not same or not store.is_whole(entry.name, entry.tree)


def _labelled(version: Version, installed: Version, followed: Followed) -> Version:
    """Return the version with a label that makes it another than the installed one, and newer where they are equal."""
    labelled = Version(f"{version.public}+{f'g{followed.short}' if followed.short else 'path'}")
    if labelled.public == installed.public and labelled <= installed:
        return Version(f"{version.public}+{2**31}")  # numbers sort above letters
    return labelled


def _plain(choice: Choice, target: Target, entry: Entry) -> Choice:
    assert target.one is not None  # noqa: S101 - only such are forced
    release = target.one.manifest.releases[0]
    return replace(
        choice,
        version=release.version,
        release=release,
        kind="downgrade" if release.version < Version(entry.version) else "upgrade",
        requested=choice.requested and not target.unasked,
    )
