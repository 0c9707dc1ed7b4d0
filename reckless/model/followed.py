"""Where an installed plugin that no index vouches for came from, and what an upgrade of it goes by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FollowKind = Literal["branch", "tag", "commit", "path"]
FOLLOW_KINDS: tuple[FollowKind, ...] = ("branch", "tag", "commit", "path")


@dataclass(frozen=True, kw_only=True, slots=True)
class Followed:
    """What was asked for, and what it was when it was taken.

    `place` is the URL that git fetches from, or the folder of a `path`. `ref` is the branch (empty: the default one) or
    the tag. `path` is the plugin's folder or file in the repository, or the file that was named in a folder.
    `commit` is what `ref` named, 40 hex digits; empty for a path, which may hold what was never committed.
    `content` changes with anything that the plugin is made of there: commits beside it do not change it.
    """

    kind: FollowKind
    place: str
    ref: str = ""
    path: str = ""
    commit: str = ""
    content: str = ""

    @property
    def asked(self) -> tuple[str, str, str, str]:
        """What was asked for, without what was found there."""
        return (self.kind, self.place, self.ref, self.path)

    @property
    def short(self) -> str:
        """The commit as people write it; empty for a path."""
        return self.commit[:7]

    def address(self, rev: str = "") -> str:
        """Return what `reckless install` takes it from, at the revision `rev` (empty: what was asked for)."""
        if self.kind == "path":
            return f"{self.place}/{self.path}" if self.path else self.place
        from reckless.model.place import Place  # `reckless list` needs no addresses, and starts faster without

        rev = rev or (self.commit if self.kind == "commit" else self.ref)
        return str(Place(url=self.place, rev=rev, path=self.path))

    def __str__(self) -> str:
        """Say it in words: `branch main at 1a2b3c4`, `tag v1.0 at 1a2b3c4`, `commit 1a2b3c4`, `/home/me/plugin`."""
        if self.kind == "path":
            return self.address()
        if self.kind == "commit":
            return f"commit {self.short}"
        what = f"{self.kind} {self.ref}" if self.ref else "the default branch"
        return f"{what} at {self.short}"
