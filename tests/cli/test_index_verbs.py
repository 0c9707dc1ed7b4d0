"""`reckless index lock` and `index check` as a maintainer sees them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.build.workshop import without
from tests.cli.conftest import Run
from tests.world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "world")


def test_locking_says_what_became_of_each_release(run: Run, world: World, tmp_path: Path) -> None:
    world.add_plugin("python-hello")
    world.add_plugin("python-locked")
    answer = run("index", "lock", world.index_dir, "--local")
    assert answer.status == 0
    assert [line.split() for line in answer.out.splitlines()] == [
        ["name", "version", "lock"],
        ["python-hello", "1.0.0", "asks", "for", "nothing"],
        ["python-locked", "1.0.0", "its", "own", "tree", "pins", "it", "uv.lock"],
    ]
    assert "python-hello: fetching" in answer.err
    assert run("index", "lock", tmp_path / "manifests").status == 1


def test_a_lock_that_cannot_be_made_is_an_error_with_the_reason(run: Run, world: World) -> None:
    world.add_plugin("python-hello", overrides={"build": {"entrypoint": "gone.py"}})
    answer = run("index", "lock", world.index_dir, "--local")
    assert answer.status == 1
    assert "failed" in answer.out
    assert "error: python-hello 1.0.0: python-hello: its source has no file gone.py" in answer.err
    found = run("-j", "index", "lock", world.index_dir, "--local").json
    assert [row["standing"] for row in found["result"]] == ["failed"]
    assert found["result"][0]["error"]["code"] == "entrypoint-missing"


def test_checking_says_how_far_each_release_came(run: Run, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", without("lightningd"))
    world.add_plugin("python-hello")
    world.add_plugin("crashes")
    answer = run("index", "check", world.index_dir, "--local")
    assert answer.status == 1
    rows = {line.split()[0]: line for line in answer.out.splitlines()}
    assert "built, probed" in rows["python-hello"]
    assert "there is no lightningd here" in rows["python-hello"]
    assert "built (fails)" in rows["crashes"]
    found = run("-j", "index", "check", world.index_dir, "python-hello", "--local").json
    assert [(row["name"], row["reached"], row["ok"]) for row in found["result"]] == [("python-hello", "probed", True)]


def test_checking_nothing(run: Run, tmp_path: Path) -> None:
    (tmp_path / "manifests").mkdir()
    assert run("index", "check", tmp_path / "manifests").out == "there is nothing to check\n"
    assert run("index", "lock", tmp_path / "manifests").out == "there are no Python releases\n"
