"""The manifests of this repository's index: whole, strict, and at one with each other."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

from reckless.build.python_deps import logical_lines
from reckless.model.manifest import GitSource, Manifest, ShippedLock
from reckless.model.reader import parse_builtins, parse_manifest
from reckless.model.versions import lightningd_fits, parse_lightningd
from reckless.model.writer import write_manifest

FOLDER = Path(__file__).parents[2] / "manifests"
FILES = sorted(path for path in FOLDER.glob("*.toml") if path.name != "builtin.toml")
BUILTINS = parse_builtins((FOLDER / "builtin.toml").read_text("utf-8"), file="builtin.toml", strict=True)


def read(path: Path) -> Manifest:
    return parse_manifest(path.read_text("utf-8"), file=path.name, strict=True)


each = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


@each
def test_manifest_is_strictly_valid_and_named_as_its_file(path: Path) -> None:
    assert read(path).name == path.stem


@each
def test_manifest_writes_and_reads_back_the_same(path: Path) -> None:
    manifest = read(path)
    assert parse_manifest(write_manifest(manifest), file=path.name, strict=True) == manifest


@each
def test_releases_are_dated_and_written_newest_first(path: Path) -> None:
    releases = read(path).releases
    assert releases
    written = re.findall(r'^version = "(.+)"$', path.read_text("utf-8"), re.MULTILINE)
    assert [str(item.version) for item in releases] == written
    for release in releases:
        assert release.date is not None
        if release.version.major > 2000:  # no tags upstream: the version is the commit's date
            assert release.version.release[:3] == (release.date.year, release.date.month, release.date.day)


@each
def test_depends_conflicts_and_replacements_exist(path: Path) -> None:
    names = {other.stem for other in FILES} | set(BUILTINS)
    manifest = read(path)
    named = [dependency.name for release in manifest.releases for dependency in (*release.depends, *release.conflicts)]
    named += [name for release in manifest.releases for name in release.runtime.disables]
    assert set(named) <= names
    assert manifest.plugin.replaced_by in {"", *names}


NODES = [*(builtin.since for builtin in BUILTINS.values()), parse_lightningd("v26.06.6")]


@each
def test_no_release_claims_a_method_of_a_node_it_is_for(path: Path) -> None:
    for release in read(path).releases:
        for node in (node for node in NODES if lightningd_fits(release.cln, node)):
            there = [builtin for builtin in BUILTINS.values() if builtin.provided_by(node)]
            taken = {method for builtin in there for method in builtin.rpcmethods}
            replaced = {method for name in release.runtime.disables for method in BUILTINS[name].rpcmethods}
            assert (taken - replaced).isdisjoint(release.runtime.rpcmethods or ()), f"{release.version} on {node}"


@each
def test_every_release_says_what_the_probe_will_check(path: Path) -> None:
    for release in read(path).releases:
        runtime = release.runtime
        assert None not in (runtime.dynamic, runtime.rpcmethods, runtime.hooks, runtime.subscriptions, runtime.options)


@each
def test_every_python_release_is_pinned_by_its_own_lock_or_one_of_ours(path: Path) -> None:
    for release in read(path).releases:
        lock = release.build.lock
        if release.build.language == "python":
            assert lock, release.version
        if isinstance(lock, ShippedLock):
            assert lock.file == f"locks/{path.stem}-{release.version}{KINDS[release.build.language]}"
            assert hashlib.sha256((FOLDER / lock.file).read_bytes()).hexdigest() == lock.sha256


KINDS = {"python": ".txt", "node": ".json"}
LOCKS = sorted((FOLDER / "locks").iterdir())
PIN = re.compile(r"[a-z0-9.-]+==[A-Za-z0-9.!+-]+( ; [^#@]+?)?( --hash=sha256:[0-9a-f]{64})+")


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_a_shipped_lock_holds_versions_and_hashes_and_names_no_place(lock: Path) -> None:
    text = lock.read_text("utf-8")
    assert "://" not in text
    if lock.suffix == ".json":
        packages = json.loads(text)["packages"]
        assert len(packages) > 1
        assert [name for name, package in packages.items() if name and "integrity" not in package] == []
        return
    lines = logical_lines(text)
    assert lines
    assert [line for line in lines if not PIN.fullmatch(re.sub(r"\s+", " ", line))] == []


def test_no_shipped_lock_is_left_over() -> None:
    named = {r.build.lock.file for m in map(read, FILES) for r in m.releases if isinstance(r.build.lock, ShippedLock)}
    assert {f"locks/{lock.name}" for lock in LOCKS} == named


def test_every_plugin_has_been_installed_for_trial() -> None:
    """Where this fails: `reckless index check manifests NAME --out docs`."""
    record = json.loads((FOLDER.parent / "docs" / "catalogue.json").read_text("utf-8"))
    assert {path.stem for path in FILES} <= {trial["name"] for trial in record["trials"]}


def test_there_are_real_plugins_in_each_of_python_rust_and_go() -> None:
    languages = [manifest.build.language for manifest in map(read, FILES) if manifest.build]
    assert len(FILES) >= 14
    assert {language: languages.count(language) >= 3 for language in ("python", "rust", "go")} == {
        "python": True, "rust": True, "go": True,
    }  # fmt: skip


def test_commando_is_a_plugin_for_old_nodes_and_built_in_since() -> None:
    releases = read(FOLDER / "commando.toml").releases
    assert BUILTINS["commando"].provided_by(parse_lightningd("v26.06.6"))
    assert not BUILTINS["commando"].provided_by(parse_lightningd("v0.11.2"))
    for version, fits in (("v0.11.2", True), ("v0.12.0rc1", False), ("v26.06.6", False)):
        assert {lightningd_fits(release.cln, parse_lightningd(version)) for release in releases} == {fits}


def test_every_builtin_has_come_by_the_newest_lightningd() -> None:
    newest = parse_lightningd("v26.06.6")
    assert all(builtin.provided_by(newest) for builtin in BUILTINS.values())
    assert len(BUILTINS) >= 32


MIRRORS = Path(os.environ.get("RECKLESS_MIRRORS", "/nonexistent"))


@each
@pytest.mark.skipif(not MIRRORS.is_dir(), reason="RECKLESS_MIRRORS names no folder of git mirrors (OWNER+NAME/repo)")
def test_commits_entrypoints_and_locks_are_in_the_repository(path: Path) -> None:
    for release in read(path).releases:
        source, build = release.source, release.build
        assert isinstance(source, GitSource)
        repo = MIRRORS / source.git.removeprefix("https://github.com/").replace("/", "+") / "repo"
        assert git(repo, "cat-file", "-t", source.rev) == "commit"
        assert release.date is not None
        assert git(repo, "log", "-1", "--format=%cs", source.rev) == release.date.isoformat()
        files = git(repo, "ls-tree", "--name-only", f"{source.rev}:{source.subdir}").splitlines()
        if isinstance(build.lock, str):
            assert build.lock in files
        elif build.lock is None:
            assert not {"uv.lock", "poetry.lock"} & set(files)
        if build.language == "python":
            assert build.entrypoint in files
            assert build.toolchain != SpecifierSet() or not {"pyproject.toml"} & set(files)


def git(repo: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(repo), *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()
