"""What a person typed to be installed: names, addresses of repositories, folders; and what is there."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from reckless.model.place import Place, parse_place
from reckless.model.state import State
from reckless.operate.session import Session
from reckless.operate.target import Target, parse_target
from reckless.operate.unvouched import One

if TYPE_CHECKING:
    from reckless.index.source import Sources

Asked = Target | Place | Path


def parse_asked(text: str) -> Asked:
    """Read a path, an address or a name, by its form: a path has a slash in it or begins with a dot.

    Raises RecklessError `invalid-name`, UsageError as `parse_place`.
    """
    if is_path(text):
        return absolute(text)
    return parse_place(text) or parse_target(text)


def is_path(text: str) -> bool:
    """Say whether a person means a folder or file with this, and not the name of a plugin: by its form alone."""
    return text.startswith((".", "/", "~", "file:///")) or ("/" in text and "://" not in text and "@" not in text)


def absolute(text: str) -> Path:
    """Return the path that a person means; links in it stay as they were named."""
    return Path(os.path.abspath(Path(text.removeprefix("file://")).expanduser()))  # noqa: PTH100 - links stay


def look_up(session: Session, state: State, sources: Sources | None, asked: Iterable[Asked]) -> list[Target]:
    """Return the plugins that are meant, those that were named by where they are with what is there now.

    `sources` may be None where all are folders.

    `NAME@REV` is looked for in the repository that the plugin came from, or that lists it; where an index has it, it
    is one of the index's releases. Raises FetchError, DetectionError, ManifestError, RecklessError.
    """
    return [_looked_up(session, state, sources, one) for one in asked]


def _looked_up(session: Session, state: State, sources: Sources | None, asked: Asked) -> Target:
    cache = session.settings.cache
    if isinstance(asked, Target):
        at = _at_revision(state, sources, asked, cache) if asked.rev and sources else None
        return replace(asked, one=at)
    if isinstance(asked, Path):
        from reckless.operate.folder_place import plugin_in

        one = plugin_in(asked)
    else:
        from reckless.operate.git_place import plugin_at

        session.reporter.step(str(asked), "look", "")
        one = plugin_at(asked, cache=cache)
        session.reporter.step(str(asked), "done")
    return Target(name=one.name, one=one)


def _at_revision(state: State, sources: Sources, target: Target, cache: Path) -> One | None:
    """Return a plugin at a revision of the repository that it came from or would come from; None for an index's."""
    from reckless.operate.git_place import plugin_at
    from reckless.operate.git_source import GitRepository

    entry = state.plugins.get(target.name)
    if entry is not None and entry.followed is not None and entry.followed.kind != "path":
        there = entry.followed
        return plugin_at(Place(url=there.place, rev=target.rev, path=there.path), cache=cache, location=entry.origin)
    owner = sources.owner(target.name)
    return owner.plugin(target.name, target.rev) if isinstance(owner, GitRepository) else None


def only_paths(asked: Sequence[Asked]) -> bool:
    """Say whether only folders and files of this machine were named: then no server need be asked."""
    return bool(asked) and all(isinstance(one, Path) for one in asked)
