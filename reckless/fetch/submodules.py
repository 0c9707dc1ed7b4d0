"""Submodules: which URLs a tree names, and which of them are followed (gitmodules(5))."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from reckless.errors import FetchError
from reckless.fetch.command import check_url, is_local
from reckless.fetch.giterrors import GitFailedError

if TYPE_CHECKING:
    from reckless.fetch.command import Git

MAX_DEPTH = 5
MAX_COUNT = 50
MAX_GITMODULES = 1 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Submodule:
    """What `.gitmodules` says of the submodule at `path`; `wanted` is false where it says `update = none`."""

    path: str
    url: str
    wanted: bool = True


def parse_gitmodules(git: Git, text: bytes) -> dict[str, Submodule]:
    """Read a `.gitmodules` file; keys are paths. Raises FetchError `submodule-refused` where it cannot be read."""
    try:
        listed = git.run(
            ["config", "--no-includes", "-z", "--list", "--file", "-"], stdin=text.decode(errors="replace")
        )
    except GitFailedError as e:
        raise FetchError(
            "submodule-refused",
            f"{git.url} has a .gitmodules that git cannot read",
            "tell its authors",
            detail=e.detail,
        ) from e
    sections: dict[str, dict[str, str]] = {}
    for item in listed.stdout.split("\0"):
        key, _, value = item.partition("\n")
        found = re.fullmatch(r"submodule\.(.*)\.([a-z]+)", key, re.DOTALL)
        if found:
            sections.setdefault(found[1], {})[found[2]] = value
    modules = (
        Submodule(path=s["path"].strip("/"), url=s["url"], wanted=s.get("update") != "none")
        for s in sections.values()
        if "path" in s and "url" in s
    )
    return {module.path: module for module in modules}


def follow(module: Submodule, parent: str) -> str:
    """Return the URL to fetch a submodule from. `parent` is the URL of the repository that names it.

    A relative URL is resolved as git does. Raises FetchError `submodule-refused` for anything but https; where the
    parent itself is on this machine, for anything but https and this machine.
    """
    url = _resolve(module.url, parent) if module.url.startswith(("./", "../")) else module.url
    try:
        if url is None:
            raise _refused(module, parent)
        check_url(url)
    except FetchError as e:
        raise _refused(module, parent) from e
    if is_local(url) and not is_local(parent):
        raise _refused(module, parent)
    return url


def _resolve(relative: str, parent: str) -> str | None:
    root = ""
    path = parent
    if "://" in parent:
        parts = urlsplit(parent)
        root, path = f"{parts.scheme}://{parts.netloc}", parts.path
    folders = path.rstrip("/").split("/")
    rest = relative
    while rest.startswith(("./", "../")):
        if rest.startswith("../"):
            if len(folders) <= 1:
                return None
            folders.pop()
        rest = rest.split("/", 1)[1]
    return root + "/".join([*folders, rest])


def _refused(module: Submodule, parent: str) -> FetchError:
    url = re.sub(r"//[^/]*@", "//***@", module.url)
    return FetchError(
        "submodule-refused",
        f"{parent} has the submodule {module.path!r} at {url!r}, and only https is followed",
        "ask its authors to name the submodule by an https URL",
    )
