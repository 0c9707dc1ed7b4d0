"""A place in a git repository, as people give it: a URL to clone, or the address of a web page that shows a folder.

Pure: which of the repository's names a revision is, only the repository can say (reckless.operate.git_place).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote

from reckless.errors import RecklessError, UsageError
from reckless.model import hostile

RevKind = Literal["", "branch", "tag", "commit"]
MAX_REV = 200
# Hosts whose addresses of two parts are repositories, with and without `.git`.
_FORGES = frozenset({"github.com", "gitlab.com", "codeberg.org", "bitbucket.org"})
_PAGES = (
    re.compile(r"(?P<repo>/.+?)/-/(?:tree|blob|raw)/(?P<tail>.+)"),  # GitLab
    re.compile(r"(?P<repo>/.+?)/-/tags/(?P<tag>.+)"),
    re.compile(r"(?P<repo>/.+?)/-/commit/(?P<commit>[0-9a-f]+)"),
    re.compile(r"(?P<repo>/[^/]+/[^/]+)/(?:src|raw)/(?P<kind>branch|tag|commit)/(?P<tail>.+)"),  # Forgejo, Gitea
    re.compile(r"(?P<repo>/[^/]+/[^/]+)/(?:tree|blob)/(?P<tail>.+)"),  # GitHub
    re.compile(r"(?P<repo>/[^/]+\.git)/(?:tree|blob)/(?P<tail>.+)"),
    re.compile(r"(?P<repo>/[^/]+/[^/]+)/releases/tag/(?P<tag>.+)"),
    re.compile(r"(?P<repo>/[^/]+/[^/]+)/commit/(?P<commit>[0-9a-f]+)"),
    re.compile(r"(?P<repo>/[^/]+/[^/]+)/src/(?P<tail>.+)"),  # Bitbucket
)
_SCP = re.compile(r"(?:[\w.-]+@)?(?P<host>[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}):(?P<path>[^\s/:][^\s:]*)", re.IGNORECASE)
_BAD_REV = re.compile(r"[\x00-\x20~^:?*\[\\\x7f]|\.\.|@\{|//|^[-/.]|[/.]$|\.lock$")  # git check-ref-format


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """What of which repository is meant.

    `url` is what git fetches from. `rev` is the branch, tag or commit that was asked for (empty: the default branch),
    `kind` what the address says that it is. `path` is a folder or file in the repository (empty: the top).
    `tail` is set, and `rev` and `path` are not, where revision and path stand behind each other and either may have
    slashes: `main/summary`.
    """

    url: str
    rev: str = ""
    path: str = ""
    kind: RevKind = ""
    tail: str = ""

    def __str__(self) -> str:
        """Write it so that `parse_place` reads it again."""
        if self.tail:
            page = (
                "tree" if self.url.count("/") == 4 else "-/tree"
            )  # https://host/user/repo, or groups as GitLab has them
            return f"{self.url}/{page}/{self.tail}"
        behind = self.rev + (f":{self.path}" if self.path else "")
        return f"{self.url}#{behind}" if behind else self.url


def parse_place(text: str) -> Place | None:
    """Read the address of a repository or of something in it; None for what is no address at all.

    `https://host/user/repo`, also with `.git`; behind it `@REV`, `#REV`, `#REV:PATH` or `#:PATH`; `git+` before it; the
    pages of folders and files that GitHub (`/tree/REV/PATH`), GitLab (`/-/tree/`), Forgejo and Gitea
    (`/src/branch/`) and Bitbucket (`/src/`) show.
    Raises UsageError `insecure-url`, `invalid-url`, RecklessError `invalid-path`, `invalid-revision`.
    """
    given, text = text, text.strip()
    if text.startswith("git+/"):
        return _checked(_local(text.removeprefix("git+")))
    text = text.removeprefix("git+")
    if "://" not in text:
        if found := _SCP.fullmatch(text):
            raise _insecure(given, f"https://{found['host']}/{found['path']}")
        if given.startswith("git+"):
            raise _insecure(given, "")
        return None
    if found := re.match(r"(?:ssh|git|http)://(?:[^/@]*@)?(?P<rest>.*)", text):
        if hostile.local_url(text.partition("#")[0]) is not None:
            raise _insecure(given, f"https://{found['rest']}")
    elif text.startswith("file://"):
        return _checked(_local(text)) if given.startswith("git+") else None
    address, _, fragment = text.partition("#")
    scheme, _, rest = address.partition("?")[0].partition("://")
    host, _, path = rest.partition("/")
    host = host.lower()
    root = f"{scheme.lower()}://{host}"
    if hostile.local_url(f"{root}/") or len(text) > hostile.MAX_URL:  # a user or password in it, among others
        raise _insecure(given, "")
    path = f"/{path}".rstrip("/")
    place = _page(root, host, path) or _clone(root, host, path)
    if fragment:
        rev, _, path = unquote(fragment).partition(":")
        if place.tail or place.rev or place.path:
            raise UsageError(
                "invalid-url", f"{shown(given)} says twice which revision is meant", "leave out one of them"
            )
        place = Place(url=place.url, rev=rev, path=path.strip("/"))
    return _checked(place)


def is_repository(text: str) -> bool:
    """Say whether an address is plainly a git repository's and not an index's; by its form, nothing is asked."""
    if text.startswith("git+"):
        return True
    address, _, fragment = text.partition("#")
    host, _, path = address.partition("?")[0].partition("://")[2].partition("/")
    path = f"/{path}".rstrip("/")
    if "/raw/" in path:
        return False
    known = host.lower() in _FORGES or path.endswith(".git")
    return known or bool(fragment) or any(page.fullmatch(path) for page in _PAGES)


def repository_name(url: str) -> str:
    """Return what a repository is called: the last part of its URL, without `.git`."""
    return url.rstrip("/").rpartition("/")[2].removesuffix(".git")


def shown(text: str) -> str:
    """Return an address as it may be shown: quoted, without a password."""
    return repr(re.sub(r"//[^/]*@", "//***@", text))


def _local(text: str) -> Place:
    """Read a repository on this machine: an absolute path or file:// URL, with `#REV:PATH` behind it or not."""
    url, _, fragment = text.partition("#")
    rev, _, path = fragment.partition(":")
    return Place(url=url.removeprefix("file://").rstrip("/"), rev=rev, path=path.strip("/"))


def _page(root: str, host: str, path: str) -> Place | None:
    """Read the address of a web page that shows something of a repository."""
    for page in _PAGES:
        found = page.fullmatch(path)
        if found is None:
            continue
        groups = found.groupdict()
        url = root + (groups["repo"].removesuffix(".git") if host in _FORGES else groups["repo"])
        if groups.get("tag"):
            return Place(url=url, rev=unquote(groups["tag"]), kind="tag")
        if groups.get("commit"):
            return Place(url=url, rev=groups["commit"], kind="commit")
        tail = unquote(groups["tail"]).strip("/")
        kind: RevKind = "tag" if groups.get("kind") == "tag" else "branch"
        if groups.get("kind") == "commit" or re.match(r"[0-9a-f]{40}(/|$)", tail):
            rev, _, below = tail.partition("/")
            return Place(url=url, rev=rev, path=below, kind="commit")
        return Place(url=url, tail=tail, kind=kind)
    return None


def _clone(root: str, host: str, path: str) -> Place:
    """Read the address that is cloned, with `@REV` behind it or not."""
    at = next((n for n, c in enumerate(path) if c == "@" and path[n - 1] != "/"), len(path))
    repo, rev = path[:at], unquote(path[at + 1 :])
    if host in _FORGES:
        repo = repo.removesuffix(".git")
        parts = repo.strip("/").split("/")
        if host != "gitlab.com" and len(parts) > 2:
            base = "/".join(parts[:2])
            raise UsageError(
                "invalid-url",
                f"{root}{repo} is not the address of a repository",
                f"a folder of one is named as {root}/{base}#:{'/'.join(parts[2:])}",
            )
        if len(parts) < 2:
            raise UsageError(
                "invalid-url", f"{root}{repo} is not the address of a repository", f"{root}/USER/REPOSITORY"
            )
    return Place(url=root + repo, rev=rev)


def _checked(place: Place) -> Place:
    bad = hostile.local_url(place.url)
    if bad is not None:
        raise UsageError(
            "insecure-url", f"{shown(place.url)} is not an address that reckless will fetch from", bad.hint
        )
    for path in filter(None, (place.path, place.tail)):
        bad = hostile.path(path)
        if bad is not None:
            raise RecklessError(bad.code, bad.message, bad.hint)
    if place.rev and (len(place.rev) > MAX_REV or _BAD_REV.search(place.rev) or not place.rev.isprintable()):
        raise RecklessError(
            "invalid-revision",
            f"{place.rev!r} cannot be the name of a branch, tag or commit",
            "give the name of a branch or tag, or all 40 digits of a commit",
        )
    return place


def _insecure(text: str, instead: str) -> UsageError:
    return UsageError(
        "insecure-url",
        f"{shown(text)} is not an address that reckless will fetch from",
        f"use its https address: {instead}" if instead else "https only, without a user or password in it",
    )
