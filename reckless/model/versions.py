"""Versions and specifiers: PEP 440 for plugins, and a lenient reading of what lightningd calls itself."""

from __future__ import annotations

import re

from packaging.specifiers import InvalidSpecifier, Specifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from reckless.errors import RecklessError

MAX_VERSION = 64
MAX_SPECIFIER = 200

_LIGHTNINGD = re.compile(
    r"v?(?P<release>[0-9]+(?:\.[0-9]+){0,3})(?:[-.]?rc\.?(?P<rc>[0-9]+))?"
    r"(?:-(?P<commits>[0-9]+)-g(?P<git>[0-9a-f]+))?(?P<rest>[-+.].*)?",
    re.IGNORECASE | re.ASCII,
)


_VERSION_HINT = "versions look like 1.2.0 or 2026.8.6"
_SPECIFIER_HINT = "specifiers look like >=1.2 or >=1.2,<2 or ==1.4.*"


def parse_version(text: str) -> Version:
    """Parse a plugin's version (PEP 440; a leading v is dropped; at most 64 characters).

    Raises RecklessError `invalid-version`.
    """
    if len(text) > MAX_VERSION:
        raise RecklessError("invalid-version", f"a version is at most {MAX_VERSION} characters", _VERSION_HINT)
    try:
        return Version(text)
    except InvalidVersion as e:
        raise RecklessError("invalid-version", f"{text!r} is not a version", _VERSION_HINT) from e


def parse_specifier(text: str) -> SpecifierSet:
    """Parse version bounds such as `>=1.2,<2` (PEP 440; empty: any version; at most 200 characters).

    A v before a version is dropped. `===`, which compares text, is refused. Raises RecklessError `invalid-specifier`.
    """
    if len(text) > MAX_SPECIFIER:
        raise RecklessError("invalid-specifier", f"bounds are at most {MAX_SPECIFIER} characters", _SPECIFIER_HINT)
    try:
        if "===" in text:
            raise InvalidSpecifier(text)
        return SpecifierSet(re.sub(r"(?<=[=<>])\s*v(?=[0-9])", "", text, flags=re.IGNORECASE))
    except InvalidSpecifier as e:
        raise RecklessError("invalid-specifier", f"{text!r} is not a version specifier", _SPECIFIER_HINT) from e


def parse_lightningd_specifier(text: str) -> SpecifierSet:
    """Parse bounds on lightningd's version, as people write them: `>=v23.08`, `>=0.12.0, <v25.02rc1`.

    The same as parse_specifier but for its hint. Raises RecklessError `invalid-specifier`.
    """
    try:
        return parse_specifier(text)
    except RecklessError as e:
        raise RecklessError(e.code, e.message, "bounds on lightningd look like >=23.08 or >=0.12,<25.02") from e


def parse_lightningd(text: str) -> Version:
    """Read what lightningd says its version is: `v26.06.6`, `v0.12.1`, `24.11rc2`, `v25.09-12-gabc1234-modded`.

    What stands behind the release (commits since, git hash, -modded) becomes a PEP 440 local version, so that it
    compares as its release does. Raises RecklessError `invalid-lightningd-version`.
    """
    found = _LIGHTNINGD.fullmatch(text.strip()) if len(text) <= 2 * MAX_VERSION else None
    if found is None:
        raise RecklessError(
            "invalid-lightningd-version",
            f"{text!r} is not a version of lightningd that reckless can read",
            "it looks like v26.06.6; `lightning-cli getinfo` shows it",
        )
    version = found["release"]
    if found["rc"]:
        version += f"rc{found['rc']}"
    local = [part for part in (found["commits"], found["git"] and f"g{found['git']}") if part]
    local += re.findall(r"[a-z0-9]+", (found["rest"] or "").lower())
    return Version(version + ("+" + ".".join(local) if local else ""))


def lightningd_fits(specifier: SpecifierSet, version: Version) -> bool:
    """Say whether a lightningd of `version` is within `specifier`.

    A release candidate counts as its release, but for bounds that themselves name a candidate. What stands behind the
    release (commits since, -modded) never counts.
    """
    base, public = Version(version.base_version), Version(version.public)
    return all(bound.contains(public if _names_candidate(bound) else base, prereleases=True) for bound in specifier)


def _names_candidate(bound: Specifier) -> bool:
    """Say whether a bound names a pre-release: `>=26.06rc2`."""
    return any(character.isalpha() for character in bound.version.lower().removeprefix("v"))
