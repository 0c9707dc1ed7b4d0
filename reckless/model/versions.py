"""Versions and specifiers: PEP 440 for plugins, and a lenient reading of what lightningd calls itself."""

from __future__ import annotations

import re

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from reckless.errors import RecklessError

_LIGHTNINGD = re.compile(
    r"v?(?P<release>\d+(?:\.\d+){0,3})(?:[-.]?rc\.?(?P<rc>\d+))?(?:-(?P<commits>\d+)-g(?P<git>[0-9a-f]+))?(?P<rest>[-+.].*)?",
    re.IGNORECASE,
)


def parse_version(text: str) -> Version:
    """Parse a plugin's version (PEP 440; a leading v is dropped). Raises RecklessError `invalid-version`."""
    try:
        return Version(text)
    except InvalidVersion as e:
        raise RecklessError("invalid-version", f"{text!r} is not a version", "versions look like 1.2.0 or 2026.8.6") from e


def parse_specifier(text: str) -> SpecifierSet:
    """Parse version bounds such as `>=1.2,<2` (PEP 440). Raises RecklessError `invalid-specifier`."""
    try:
        return SpecifierSet(text)
    except InvalidSpecifier as e:
        raise RecklessError(
            "invalid-specifier", f"{text!r} is not a version specifier", "specifiers look like >=1.2 or >=1.2,<2 or ==1.4.*"
        ) from e


def parse_lightningd(text: str) -> Version:
    """Read what lightningd says its version is: `v26.06.6`, `v0.12.1`, `24.11rc2`, `v25.09-12-gabc1234-modded`.

    What stands behind the release (commits since, git hash, -modded) becomes a PEP 440 local version, so that it
    compares as its release does. Raises RecklessError `invalid-lightningd-version`.
    """
    found = _LIGHTNINGD.fullmatch(text.strip())
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
    """Say whether a lightningd of `version` is within `specifier`; a release candidate counts as its release."""
    return specifier.contains(version.base_version, prereleases=True) or specifier.contains(version, prereleases=True)
