"""What a repository calls its commits: branches and tags, asked of its server without fetching anything."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from reckless.errors import FetchError
from reckless.fetch.command import Git
from reckless.fetch.limits import Deadline

ASKING = 60.0
_LINE = re.compile(r"(?P<commit>[0-9a-f]{40})\t(?P<ref>\S+)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Refs:
    """Branches and tags by name, and the commits that they name; an annotated tag's is the one that it stands for."""

    heads: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


def remote_refs(url: str, *, timeout: float = ASKING) -> Refs:
    """Return the branches and tags of the repository. Raises FetchError, as `reckless.fetch.fetcher.fetch`."""
    git = Git(url, Deadline(timeout, f"the list of branches of {url}"))
    heads: dict[str, str] = {}
    tags: dict[str, str] = {}
    for line in git.run(["ls-remote", "--quiet", "--heads", "--tags", "--", url]).stdout.splitlines():
        found = _LINE.fullmatch(line)
        if found is None:
            continue
        ref = found["ref"]
        if ref.startswith("refs/heads/"):
            heads[ref.removeprefix("refs/heads/")] = found["commit"]
        elif ref.startswith("refs/tags/"):  # a tag's own object comes first, then what it stands for, as TAG^{}
            tags[ref.removeprefix("refs/tags/").removesuffix("^{}")] = found["commit"]
    return Refs(heads=heads, tags=tags)


def remote_tip(url: str, branch: str = "", *, timeout: float = ASKING) -> str:
    """Return the commit that a branch (empty: the default one) names now.

    Raises FetchError `no-such-revision` where there is none (an empty repository, a branch that is gone), and as above.
    """
    ref = f"refs/heads/{branch}" if branch else "HEAD"
    git = Git(url, Deadline(timeout, f"the newest commit of {url}"))
    for line in git.run(
        ["ls-remote", "--quiet", *(("--heads",) if branch else ()), "--", url, ref]
    ).stdout.splitlines():
        found = _LINE.fullmatch(line)
        if found is not None and found["ref"] == ref:
            return found["commit"]
    raise FetchError(
        "no-such-revision",
        f"{url} has no branch {branch}" if branch else f"{url} has no commits",
        "it may have been renamed or removed: look at the repository",
    )
