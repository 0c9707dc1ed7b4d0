"""The registries that languages have: how each names packages and versions, and which checksum it goes by.

Names and versions are given to that registry's client as arguments: what passes here cannot be taken for an option, a
path, a URL, or a range of versions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from packaging.version import InvalidVersion, Version

from reckless.model import hostile
from reckless.model.finding import Complaint, shown
from reckless.model.hostile import Check
from reckless.model.manifest import Registry

MAX_NAME = 214  # npm's; crates.io 64, PyPI and Go name no limit
_SEMVER = r"(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})(-[0-9A-Za-z.-]{1,64})?"
_CRATE = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
_PYPI = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")  # PEP 508, Names
_NPM = re.compile(r"(?:@[a-z0-9][a-z0-9._~-]*/)?[A-Za-z0-9][A-Za-z0-9._~-]*")
_GO = re.compile(
    r"[a-z0-9][a-z0-9.-]*\.[a-z0-9-]+(?:/[A-Za-z0-9_~][A-Za-z0-9._~-]*)*"
)  # Go Modules Reference, Module paths
_SHA512 = re.compile(r"sha512-[A-Za-z0-9+/]{86}==")  # W3C Subresource Integrity, one digest
_H1 = re.compile(r"h1:[A-Za-z0-9+/]{43}=")  # golang.org/x/mod/sumdb/dirhash


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """How one registry's sources are written: `key` is what a manifest calls the checksum."""

    key: str
    example: str
    package: Check
    version: Check
    checksum: Check


def _matching(pattern: re.Pattern[str], code: str, what: str, hint: str) -> Check:
    def check(text: str) -> Complaint | None:
        if len(text) <= MAX_NAME and pattern.fullmatch(text) and ".." not in text:
            return None
        return Complaint(code, f"{shown(text)} is not {what}", hint)

    return check


def _python_version(text: str) -> Complaint | None:
    complaint = Complaint("invalid-version", f"{shown(text)} is not a version of PyPI's", "write it like 1.2.0")
    try:
        Version(text)
    except InvalidVersion:
        return complaint
    return None if re.fullmatch(r"[0-9][0-9A-Za-z.!+_-]{0,63}", text) else complaint


_CARGO_VERSION = re.compile(_SEMVER + r"(\+[0-9A-Za-z.-]{1,64})?")
_GO_VERSION = re.compile("v" + _SEMVER + r"(\+incompatible)?")
_EXACT = "all three numbers, as the registry lists it; no range, no tag"
RULES: dict[Registry, Rules] = {
    "crates": Rules(
        key="sha256",
        example='sha256 = "<64 hex>"',
        package=_matching(_CRATE, "invalid-package", "a crate's name", "letters, digits, dashes and underscores"),
        version=_matching(_CARGO_VERSION, "invalid-version", "a crate's version", f"1.2.0: {_EXACT}"),
        checksum=hostile.sha256,
    ),
    "pypi": Rules(
        key="sha256",
        example='sha256 = "<64 hex>"',
        package=_matching(_PYPI, "invalid-package", "the name of a package on PyPI", "without extras or a version"),
        version=_python_version,
        checksum=hostile.sha256,
    ),
    "npm": Rules(
        key="integrity",
        example='integrity = "sha512-..."',
        package=_matching(_NPM, "invalid-package", "an npm package's name", "such as name or @scope/name"),
        version=_matching(_CARGO_VERSION, "invalid-version", "an npm package's version", f"1.2.0: {_EXACT}"),
        checksum=_matching(
            _SHA512, "invalid-checksum", "an npm integrity", "`npm view NAME@VERSION dist.integrity` prints it"
        ),
    ),
    "go": Rules(
        key="sum",
        example='sum = "h1:..."',
        package=_matching(_GO, "invalid-package", "a Go module's path", "such as github.com/you/plugin"),
        version=_matching(_GO_VERSION, "invalid-version", "a Go module's version", "v1.2.0, with its v"),
        checksum=_matching(
            _H1, "invalid-checksum", "a Go checksum", "`go mod download -json MODULE@VERSION` prints Sum"
        ),
    ),
}
REGISTRIES: tuple[Registry, ...] = ("crates", "pypi", "npm", "go")
