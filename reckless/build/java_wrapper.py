"""Wrappers: what `gradlew` and `mvnw` would run, found where they have put it before. They are never let to download.

A wrapper's properties name the archive of one version of the tool. Once it was run, that lies unpacked in the user's
home, and is started from there. So nothing of the repository's own wrapper (a script and a jar) is run.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.version import InvalidVersion, Version

_URL = re.compile(
    r"^\s*distributionUrl\s*[=:]\s*\S*/(?:gradle|apache-maven)-(\d[\w.-]*?)(?:-bin|-all)?\.(?:zip|tar\.gz)\s*$",
    re.MULTILINE,
)
_MAX_FILE = 1 << 16


@dataclass(frozen=True, kw_only=True, slots=True)
class Wrapper:
    """What a project's wrapper asks for. `program` is it, where it is here already."""

    version: Version
    program: Path | None


def gradle_wrapper(root: Path, env: Mapping[str, str]) -> Wrapper | None:
    """Return what `gradlew` in `root` would run; None where there is no wrapper."""
    version = _asked(root / "gradle" / "wrapper" / "gradle-wrapper.properties")
    if version is None:
        return None
    kept = gradle_home(env) / "wrapper" / "dists"
    # The file beside it says that it was unpacked to the end (Gradle's own Install.java).
    found = [p for p in kept.glob(f"gradle-{version}-*/*/gradle-{version}/bin/gradle") if [*p.parents[2].glob("*.ok")]]
    return _wrapper(version, found)


def maven_wrapper(root: Path, env: Mapping[str, str]) -> Wrapper | None:
    """Return what `mvnw` in `root` would run; None where there is no wrapper."""
    version = _asked(root / ".mvn" / "wrapper" / "maven-wrapper.properties")
    if version is None:
        return None
    name = f"apache-maven-{version}"
    kept = maven_home(env) / "wrapper" / "dists"
    # Unpacked by its jar, and by the script alone (Maven Wrapper 3.3).
    return _wrapper(version, [*kept.glob(f"{name}-*/*/{name}/bin/mvn"), *kept.glob(f"{name}/*/bin/mvn")])


def any_kept(env: Mapping[str, str], tool: str) -> bool:
    """Say whether wrappers have put some version of `tool` (`gradle`, `mvn`) into the user's home."""
    kept = (gradle_home(env) if tool == "gradle" else maven_home(env)) / "wrapper" / "dists"
    return any(os.access(p, os.X_OK) for depth in ("*/*/bin", "*/*/*/bin") for p in kept.glob(f"{depth}/{tool}"))


def gradle_home(env: Mapping[str, str]) -> Path:
    """Return the user's own Gradle home: settings, and what wrappers downloaded."""
    return Path(env.get("GRADLE_USER_HOME") or Path(env.get("HOME", "/"), ".gradle"))


def maven_home(env: Mapping[str, str]) -> Path:
    """Return the user's own Maven folder: settings, and what wrappers downloaded."""
    return Path(env.get("HOME", "/"), ".m2")


def _asked(properties: Path) -> str | None:
    try:
        with properties.open(encoding="utf-8", errors="replace") as file:
            hit = _URL.search(file.read(_MAX_FILE).replace("\\", ""))
    except OSError:
        return None
    return hit[1] if hit else None


def _wrapper(version: str, found: list[Path]) -> Wrapper | None:
    try:
        asked = Version(version)
    except InvalidVersion:
        return None
    return Wrapper(version=asked, program=next((p for p in sorted(found) if os.access(p, os.X_OK)), None))
