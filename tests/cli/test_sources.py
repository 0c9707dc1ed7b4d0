"""Sources and index building as a person sees them: what is left out is said, with why."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import MANIFESTS, Run
from tests.world import World


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of manifests, one of which is for a newer reckless and one has two findings."""
    made = tmp_path / "manifests"
    made.mkdir()
    text = (MANIFESTS / "summary.toml").read_text()
    (made / "summary.toml").write_text(text)
    (made / "newer.toml").write_text("schema = 99\n")
    (made / "worse.toml").write_text(
        text.replace('name = "summary"', 'name = "worse"').replace("schema = 1", "schema = 1").replace("license", "x")
        + '\n[[release]]\nversion = "not one"\n'
    )
    return made


def test_adding_says_what_is_left_out(run: Run, down: Path, folder: Path) -> None:
    answer = run("-l", down, "-r", "source", "add", folder)
    assert answer.status == 0
    assert answer.out == f"✓ {folder}: added, 1 plugin\n"
    assert f"left out: the manifest {folder}/newer.toml cannot be used" in answer.err
    assert f"left out: the manifest {folder}/worse.toml cannot be used" in answer.err
    assert run("-l", down, "-r", "source", "add", folder).out == f"· {folder}: already there\n"


def test_listing_shows_every_finding(run: Run, down: Path, folder: Path) -> None:
    run("-l", down, "-r", "source", "add", folder)
    answer = run("-l", down, "-r", "source", "list")
    assert f"{folder}  1        2 left out" in answer.out
    assert "warning: newer: the manifest" in answer.err
    assert "worse.toml" in answer.err
    assert "[invalid-version]" in answer.err
    rows = run("-j", "-l", down, "-r", "source", "list").json["result"]
    assert rows[1]["problems"]["newer"]["code"] == "manifest-too-new"
    assert rows[0]["problems"] == {}


def test_searching_says_that_something_is_left_out(run: Run, down: Path, folder: Path) -> None:
    run("-l", down, "-r", "source", "add", folder)
    assert "cannot be used: the manifest of newer, worse" in run("-l", down, "-r", "search").err
    assert "newer, worse" in run("-j", "-l", down, "-r", "search").json["log"][0]


@pytest.mark.parametrize("verb", ["info", "install"])
def test_asking_for_one_that_cannot_be_used_says_why(run: Run, down: Path, folder: Path, verb: str) -> None:
    run("-l", down, "-r", "source", "add", folder)
    assert run("-j", "-l", down, "-r", verb, "newer").error == "manifest-too-new"


def test_a_source_that_went_away_is_shown(run: Run, down: Path, folder: Path) -> None:
    run("-l", down, "-r", "source", "add", folder)
    folder.rename(folder.with_name("elsewhere"))
    answer = run("-l", down, "-r", "source", "list")
    assert answer.status == 0
    assert f"{folder}  -        cannot be used" in answer.out
    assert f"warning: {folder}: " in answer.err
    assert run("-l", down, "-r", "source", "remove", folder).out == f"✓ {folder}: removed\n"


def test_a_plan_says_what_would_be(run: Run, down: Path, folder: Path) -> None:
    answer = run("-l", down, "-r", "source", "add", folder, "--dry-run")
    assert answer.out == f"would change {folder}: add it, 1 plugin\n"


# index build


def test_building_an_index(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = run("index", "build", MANIFESTS, "--out", out)
    assert first.status == 0
    assert (out / "v1" / "catalog.json").is_file()
    again = run("index", "build", MANIFESTS, "--out", out)
    assert again.out == first.out.rstrip("\n") + "; nothing changed\n"


def test_remarks_are_warnings(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "manifests"
    folder.mkdir()
    (folder / "summars.toml").write_text((MANIFESTS / "summars.toml").read_text())
    (folder / "notes.txt").write_text("x")
    answer = run("index", "build", folder, "--out", tmp_path / "out")
    assert answer.status == 0
    assert answer.err == "warning: notes.txt: this is no manifest and was left out [unknown-file]\n"
    assert answer.out.startswith("1 plugin, ")


def test_findings_stop_it_and_are_all_shown(run: Run, tmp_path: Path, folder: Path) -> None:
    answer = run("index", "build", folder, "--out", tmp_path / "out")
    assert answer.status == 1
    assert "newer.toml" in answer.err
    assert "worse.toml" in answer.err
    assert not (tmp_path / "out").exists()
    assert run("-j", "index", "build", folder, "--out", tmp_path / "out").error == "invalid-manifests"


def test_sources_on_this_machine_are_for_trials(run: Run, tmp_path: Path, world: World) -> None:
    out = tmp_path / "out"
    refused = run("index", "build", world.index_dir, "--out", out)
    assert refused.status == 1
    assert not out.exists()
    assert run("index", "build", world.index_dir, "--out", out, "--local").out.startswith("1 plugin, 2 releases, ")
