"""Which releases a change to a folder of manifests touches, asked of git."""

from __future__ import annotations

import os
from pathlib import Path

from packaging.version import Version

from reckless.errors import ManifestError, ProcessError, RecklessError
from reckless.index.base import named_manifest
from reckless.index.folder import manifest_files
from reckless.model.manifest import Release
from reckless.publish.folder import read_manifest
from reckless.system.process import Command, run


def changed_releases(folder: Path, rev: str, *, local: bool) -> frozenset[tuple[str, Version]]:
    """Return the releases that are new or other than at `rev`, by name and version; uncommitted changes count.

    A release is other where anything is that decides what is installed or how it is checked. Raises RecklessError
    `no-such-revision`, ManifestError.
    """
    commit = _git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{rev}^{{commit}}").strip()
    names = _git(folder, "diff", "--name-only", "--relative", "-z", commit, "--", ".").split("\0")
    new = _git(folder, "ls-files", "--others", "--exclude-standard", "-z", "--", ".").split("\0")
    touched = {Path(name).stem for name in (*names, *new) if name.endswith(".toml") and "/" not in name}
    locks = {name for name in names if name.startswith("locks/")}
    found = set()
    for file in manifest_files(folder):
        before = _before(folder, commit, file.name, local=local) if file.stem in touched else {}
        for release in read_manifest(file, local=local).releases:
            lock = getattr(release.build.lock, "file", "")
            if lock in locks or (file.stem in touched and before.get(release.version) != release):
                found.add((file.stem, release.version))
    return frozenset(found)


def _before(folder: Path, commit: str, name: str, *, local: bool) -> dict[Version, Release]:
    """Return the releases of a manifest as it was; none where it was not there, or was no manifest."""
    try:
        text = _git(folder, "show", f"{commit}:./{name}")
        old = named_manifest(text.encode(), Path(name).stem, file=name, local=local)
    except (RecklessError, ManifestError):
        return {}
    return {release.version: release for release in old.releases}


def _git(folder: Path, *arguments: str) -> str:
    env = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    try:
        return run(Command(argv=["git", "-C", folder, *arguments], env=env, timeout=60)).stdout
    except ProcessError as e:
        raise RecklessError(
            "no-such-revision",
            f"git cannot say what changed in {folder}: {e.detail.strip() or e.message}",
            "name a revision of the repository that the manifests are in, such as origin/main",
        ) from e
