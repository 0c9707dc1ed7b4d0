"""The worlds that other tests are set in: repositories, manifests that hold, releases that differ in their version."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from reckless.model.reader import check_manifest
from tests.world import BREAKS_IN_INIT, PROJECTS, World


@pytest.mark.parametrize("folder", sorted(PROJECTS))
def test_every_test_plugin_gets_a_manifest_that_is_in_order(tmp_path: Path, folder: str) -> None:
    world = World(tmp_path)
    world.add_plugin(folder)

    manifest, findings = check_manifest(world.manifests[folder], file="x.toml", strict=True, local=True)

    assert not findings
    assert manifest is not None
    assert str(manifest.releases[0].version) == "1.0.0"


def test_releases_are_commits_that_say_their_version(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.add_plugin("python-hello", versions=("1.0.0", "1.1.0"), subdir="plugins/hello")
    world.add_release("python-hello", "1.2.0", edits=BREAKS_IN_INIT)

    def source(version: str) -> str:
        rev = world.rev("python-hello", version)
        argv = ["git", "-C", str(world.git / "python-hello.git"), "show", f"{rev}:plugins/hello/hello.py"]
        return subprocess.run(argv, check=True, capture_output=True, text=True).stdout

    assert 'VERSION = "1.0.0"' in source("1.0.0")
    assert 'VERSION = "1.1.0"' in source("1.1.0")
    assert "BROKEN = False" in source("1.1.0")
    assert "BROKEN = True" in source("1.2.0")


def test_the_same_calls_make_the_same_commits(tmp_path: Path) -> None:
    revs = set()
    for place in ("one", "two"):
        world = World(tmp_path / place)
        world.add_plugin("rust-hello")
        revs.add(world.rev("rust-hello", "1.0.0"))

    assert len(revs) == 1


def test_a_world_can_be_built_into_an_index(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.add_plugin("python-hello")
    world.add_plugin("go-hello", depends=("python-hello>=1",), overrides={"release": {"cln": ">=23.08"}})

    built = world.built_index(tmp_path / "site")

    assert (built / "v1" / "catalog.json").is_file()
    assert 'depends = ["python-hello>=1"]' in (built / "v1" / "manifests" / "go-hello.toml").read_text()
