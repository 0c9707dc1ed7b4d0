"""The plugin in a person's own folder, or file, as it is now, and a manifest made of it."""

from __future__ import annotations

from pathlib import Path

from reckless.build.detect import detect
from reckless.build.project_version import project_version
from reckless.errors import DetectionError
from reckless.fetch.worktree import Worktree
from reckless.model.followed import Followed
from reckless.model.manifest import PathSource
from reckless.operate.made_up import made_up, which_one
from reckless.operate.unvouched import One

PROJECT_FILES = frozenset({
    "reckless.toml", "manifest.json", "coffee.yml", "pyproject.toml", "requirements.txt", "setup.py", "Cargo.toml",
    "go.mod", "package.json", "pom.xml", "build.gradle", "build.gradle.kts", "configure.ac", "configure", "Makefile",
})  # fmt: skip


def plugin_in(path: Path, *, location: str = "") -> One:
    """Return the plugin in this folder; or the one that this file is, with its folder where that is a project.

    Uncommitted changes are part of it. Raises FetchError `no-such-folder`, `tree-too-large`, DetectionError,
    ManifestError, RecklessError `not-installable`.
    """
    folder, file = (path, "") if path.is_dir() else (path.parent, path.name)
    alone = bool(file) and not any((folder / name).is_file() for name in PROJECT_FILES)
    tree = Worktree(path if alone else folder)
    below = "/".join(part for part in (tree.subdir, file) if part)
    try:
        candidate = detect(tree, below, name=folder.name)
    except DetectionError as e:
        if e.choices:
            e.hint = which_one(e, lambda choice: str(tree.top / choice))
        raise
    source = PathSource(path=str(tree.path), sha256=tree.digest(), subdir=candidate.subdir)
    version = project_version(tree, candidate.subdir, candidate.build.language)
    manifest = made_up(candidate, source, version=version, date=tree.date, home=str(path))
    followed = Followed(kind="path", place=str(folder), path=file, content=source.sha256)
    reasons = candidate.reasons
    if alone:
        reasons = (*reasons, f"only {file} is taken: nothing in {folder} says that it is a project")
    return One(location or str(path), manifest, followed, reasons)
