"""Plugins that lightningd's own tool installed: seen, switched, removed, and replaced by releases of ours."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reckless.model.state import OLD_TOOL
from tests.old_tool import COMMIT, COPIES, FLAT, HEADER, NESTED, OldTool
from tests.operate.bench import NAME, Bench
from tests.world import BREAKS_IN_INIT, World

VERSIONS = (*COPIES, *FLAT, *NESTED)
GREETING = "hello-greeting=moin"


@pytest.fixture
def bench(make_bench: Callable[..., Bench]) -> Bench:
    return make_bench()


@pytest.fixture(params=VERSIONS)
def any_version(bench: Bench, request: pytest.FixtureRequest) -> OldTool:
    return OldTool(bench.node, version=request.param)


@pytest.fixture
def old(bench: Bench) -> OldTool:
    return OldTool(bench.node)


def run(bench: Bench, path: Path) -> None:
    """Start it as that tool does."""
    bench.node.cli("plugin", "start", str(path))


def rows(bench: Bench) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in bench("-j", "list").json["result"]}


def hello(bench: Bench) -> tuple[str, str]:
    answer = bench.node.cli("hello")
    return answer["version"], answer["say"]


def contents(folder: Path) -> dict[str, str | bytes]:
    """Every file below a folder, links as links."""
    found = {p.relative_to(folder): p for p in sorted(folder.rglob("*")) if p.is_symlink() or p.is_file()}
    return {str(name): str(p.readlink()) if p.is_symlink() else p.read_bytes() for name, p in found.items()}


def test_list_shows_what_it_installed(bench: Bench, any_version: OldTool) -> None:
    run(bench, any_version.install(NAME))
    any_version.install("static", enabled=False)
    before = contents(bench.root)

    found = rows(bench)

    assert (found[NAME]["health"], found[NAME]["origin"]) == ("running", OLD_TOOL)
    assert found["static"]["health"] == "disabled"
    noted = any_version.version not in COPIES
    assert found[NAME]["version"] == (f"0+{COMMIT[:10]}" if noted else "0+unknown")
    assert f"installed by {OLD_TOOL}" in bench("list").text
    assert contents(bench.root) == before, "looking changes nothing"


def test_install_puts_a_release_in_its_place(bench: Bench, any_version: OldTool) -> None:
    run(bench, any_version.install(NAME))
    assert hello(bench)[0] == "0.9.0"
    before = contents(bench.root / NAME)

    said = bench("install", NAME)

    assert "1.1.0: upgraded; running" in said.text
    assert hello(bench)[0] == "1.1.0"
    assert any_version.conf.read_text() == HEADER + (
        f"# reckless: {NAME}\nplugin={bench.root}/{NAME}/current/bin/hello.py\n# reckless: end of {NAME}\n"
    )
    assert before.items() <= contents(bench.root / NAME).items(), "kept for the way back"
    bench.check_boots()


def test_the_way_back_is_there_until_the_next_upgrade(bench: Bench, any_version: OldTool, world: World) -> None:
    run(bench, any_version.install(NAME))
    bench("install", NAME)
    bench("rollback", NAME)
    assert hello(bench)[0] == "0.9.0"
    assert rows(bench)[NAME]["origin"] == OLD_TOOL
    bench.check_boots()
    bench("install", NAME)
    world.add_release(NAME, "1.2.0")

    bench("upgrade", NAME)

    assert hello(bench)[0] == "1.2.0"
    trees = {p.name.partition("+")[0] for p in (bench.root / NAME).iterdir()}
    assert trees == {"1.1.0", "1.2.0", "current"}, "that tool's part has gone"
    bench.check_boots()


def test_options_beside_its_line_come_along(bench: Bench, any_version: OldTool) -> None:
    path = any_version.install(NAME)
    any_version.line(GREETING)
    any_version.line("# a person's own remark")
    bench.node.restart()
    assert hello(bench) == ("0.9.0", "moin world")

    bench("upgrade")

    assert hello(bench) == ("1.1.0", "moin world")
    block = f"# reckless: {NAME}\nplugin={bench.root}/{NAME}/current/bin/hello.py\n{GREETING}\n"
    text = any_version.conf.read_text()
    assert text == f"{HEADER}# a person's own remark\n{block}# reckless: end of {NAME}\n"
    assert str(path) not in text
    bench.node.restart()
    assert hello(bench) == ("1.1.0", "moin world")
    bench("uninstall", NAME)
    assert "hello-greeting" not in any_version.conf.read_text()
    bench.check_boots()


def test_options_in_a_persons_own_config_stay_there(bench: Bench, old: OldTool) -> None:
    old.install(NAME)
    bench.own += f"{GREETING}\n"
    bench.node.restart(bench.own)
    bench("upgrade", NAME)
    assert hello(bench) == ("1.1.0", "moin world")
    assert bench.node.config.read_text() == bench.own

    error = bench("-j", "uninstall", NAME, status=1).json["error"]

    assert error["code"] == "option-in-config"
    assert f"{bench.node.config} line 2 sets hello-greeting" in error["message"]


def test_a_release_that_does_not_run_leaves_the_old_one_running(bench: Bench, old: OldTool, world: World) -> None:
    old.install(NAME)
    old.line(GREETING)
    bench.node.restart()
    world.add_release(NAME, "2.0.0", edits=BREAKS_IN_INIT)

    said = bench("-j", "upgrade", NAME, status=1)

    assert said.json["result"][0]["error"]["code"] == "plugin-start-failed"
    assert hello(bench) == ("0.9.0", "moin world")
    assert rows(bench)[NAME]["origin"] == OLD_TOOL
    bench.check_boots()
    bench.node.restart()
    assert hello(bench) == ("0.9.0", "moin world")


@pytest.mark.parametrize("up", [True, False], ids=["node-up", "node-down"])
def test_it_is_switched_off_and_on_and_removed(make_bench: Callable[..., Bench], up: bool) -> None:
    bench = make_bench()
    old = OldTool(bench.node)
    run(bench, old.install(NAME))
    old.line(GREETING)
    if not up:
        bench.node.stop()

    bench("disable", NAME)
    bench.check_boots()
    assert rows(bench)[NAME]["health"] == "disabled"
    assert f"#off {GREETING}" in old.conf.read_text()
    bench("enable", NAME)
    bench.check_boots()
    assert rows(bench)[NAME]["health"] == ("running" if up else "node-down")
    bench("uninstall", NAME)

    bench.check_boots()
    assert rows(bench) == {}
    assert not (bench.root / NAME).exists()
    assert old.conf.read_text() == HEADER


def test_what_was_switched_off_comes_on_where_it_is_asked_for(bench: Bench, any_version: OldTool) -> None:
    any_version.install(NAME, enabled=False)
    bench("install", NAME)
    assert hello(bench)[0] == "1.1.0"
    assert "disable-plugin" not in any_version.conf.read_text()
    bench.check_boots()


def test_upgrade_leaves_off_what_is_off(bench: Bench, old: OldTool) -> None:
    old.install(NAME, enabled=False)
    assert "disabled, as before" in bench("upgrade").text
    assert rows(bench)[NAME]["health"] == "disabled"
    assert bench.node.plugins() == {}


def test_one_that_no_config_names_is_seen_and_can_be_removed(bench: Bench, old: OldTool) -> None:
    path = old.install(NAME, enabled=None)
    path.write_text(f"#!/bin/sh\ntouch {bench.root}/it-was-run\n")
    assert rows(bench)[NAME]["health"] == "disabled"
    bench("uninstall", NAME)
    assert not (bench.root / NAME).exists()
    assert not (bench.root / "it-was-run").exists()


def test_set_reaches_a_plugin_that_it_installed(bench: Bench, old: OldTool) -> None:
    run(bench, old.install(NAME))
    bench("set", NAME, "hello-greeting=servus")
    assert hello(bench) == ("0.9.0", "servus world")
    bench.node.restart()
    assert hello(bench) == ("0.9.0", "servus world")


def test_a_program_that_is_a_link_into_its_build_is_known_to_run(bench: Bench, old: OldTool) -> None:
    path = old.install("rust-hello")
    run(bench, path)
    assert [*bench.node.plugins()] == [str(path.resolve())]
    assert rows(bench)["rust-hello"]["health"] == "running"
    bench("disable", "rust-hello")
    assert bench.node.plugins() == {}
    bench("enable", "rust-hello")
    assert [*bench.node.plugins()] == [str(path.resolve())]


def test_a_folder_may_spell_the_name_another_way(bench: Bench, old: OldTool) -> None:
    run(bench, old.install(NAME, folder="Python_Hello"))
    assert rows(bench)[NAME]["health"] == "running"
    bench("upgrade", "Python_Hello")
    assert hello(bench)[0] == "1.1.0"
    bench.check_boots()
    bench("rollback", NAME)
    assert hello(bench)[0] == "0.9.0"
    bench.check_boots()
    bench("uninstall", NAME)
    assert not (bench.root / "Python_Hello").exists()
    assert not (bench.root / NAME).exists()


def test_upgrade_takes_only_the_same_plugin(bench: Bench, old: OldTool) -> None:
    run(bench, old.install(NAME, source="https://github.com/somebody/python-hello"))
    before = contents(bench.root / NAME)

    said = bench("upgrade")

    assert "somebody/python-hello" in said.text
    assert f"`reckless install {NAME}` takes it" in said.text
    assert hello(bench)[0] == "0.9.0"
    assert contents(bench.root / NAME) == before


def test_upgrade_takes_it_from_the_repository_that_it_came_from(bench: Bench, old: OldTool) -> None:
    run(bench, old.install(NAME, source=f"https://example.com/{NAME.upper()}.git"))  # the manifest's, spelt otherwise
    bench("upgrade")
    assert hello(bench)[0] == "1.1.0"


def test_upgrade_says_that_no_source_has_it_and_leaves_it_running(bench: Bench, old: OldTool) -> None:
    run(bench, old.install(NAME, folder="unheard-of"))
    said = bench("upgrade", "unheard-of")
    assert "no source lists it, so it stays as it is" in said.text
    assert hello(bench)[0] == "0.9.0"
    assert not (bench.root / "unheard-of" / "receipt.json").exists()


def test_what_was_asked_for_at_a_tag_stays_until_it_is_asked_for_again(bench: Bench, old: OldTool) -> None:
    run(bench, old.install(NAME, asked="v0.9"))
    assert rows(bench)[NAME]["pinned"]
    assert "held where it is" in bench("upgrade").text
    assert hello(bench)[0] == "0.9.0"
    bench("install", f"{NAME}@v1.0.0")
    assert hello(bench)[0] == "1.0.0"
    assert not rows(bench)[NAME]["pinned"]


def test_outdated_says_what_upgrade_would_do(bench: Bench, old: OldTool) -> None:
    old.install(NAME)
    old.install("rust-hello", source="https://github.com/somebody/else")
    found = {row["name"]: row for row in bench("-j", "outdated").json["result"]}
    assert (found[NAME]["newest"], found[NAME]["available"]) == ("1.1.0", "1.1.0")
    assert "rust-hello" not in found, "no source lists it"


def test_a_plan_shows_it_and_touches_nothing(bench: Bench, old: OldTool) -> None:
    run(bench, old.install(NAME))
    old.sources(str(bench.source.parent))
    before = contents(bench.root)
    for verb, shown in (
        (("install", NAME), "would upgrade"), (("upgrade",), "would upgrade"), (("disable", NAME), "would disable"),
        (("uninstall", NAME), "would uninstall"), (("set", NAME, "hello-greeting=x"), "would set"),
    ):  # fmt: skip
        assert shown in bench(*verb, "--dry-run").text
        assert contents(bench.root) == before


def test_what_needs_it_takes_it_along(bench: Bench, old: OldTool, world: World) -> None:
    runtime = {"rpcmethods": ["wants-it"], "options": ["wants-it-greeting"]}
    world.add_plugin("python-hello", name="wants-it", versions=(), overrides={"runtime": runtime})
    edits = (("hello-greeting", "wants-it-greeting"), ('"name": "hello"', '"name": "wants-it"'))
    world.add_release("wants-it", "1.0.0", edits=edits, depends=(f"{NAME}>=1.1",))
    run(bench, old.install(NAME))

    bench("install", "wants-it")

    assert hello(bench)[0] == "1.1.0"
    assert rows(bench)[NAME]["requested"], "a person asked for it, with that tool"
    bench.check_boots()


def test_what_any_version_would_do_for_leaves_it_as_it_is(bench: Bench, old: OldTool, world: World) -> None:
    runtime = {"rpcmethods": ["wants-it"], "options": ["wants-it-greeting"]}
    world.add_plugin("python-hello", name="wants-it", versions=(), overrides={"runtime": runtime})
    edits = (("hello-greeting", "wants-it-greeting"), ('"name": "hello"', '"name": "wants-it"'))
    world.add_release("wants-it", "1.0.0", edits=edits, depends=(NAME,))
    run(bench, old.install(NAME))
    bench("install", "wants-it")
    assert hello(bench)[0] == "0.9.0"


def test_clearing_up_never_touches_what_it_installed(bench: Bench, old: OldTool, world: World) -> None:
    old.install(NAME)
    for name in ("c++", "1.0+draft", "1.0+00000000x"):
        (bench.root / NAME / name).mkdir()
        (bench.root / NAME / name / "kept.txt").write_text("kept")
    (bench.root / ".remote_sources" / "lightningd").mkdir(parents=True)
    before = contents(bench.root / NAME)
    world.add_plugin("static")

    bench("install", "static")
    bench("uninstall", "static")

    assert contents(bench.root / NAME) == before
    assert (bench.root / ".remote_sources" / "lightningd").exists()


def test_two_networks_each_keep_their_line(bench: Bench, old: OldTool) -> None:
    path = old.install(NAME)
    other = bench.root / "testnet-reckless.conf"
    other.write_text(f"{HEADER}plugin={path}")
    (bench.node.dir / "testnet").mkdir()

    bench("disable", NAME)

    assert f"plugin={bench.root}/{NAME}/current/{NAME}.py" in other.read_text()
    assert rows(bench)[NAME]["enabled"] == ["testnet"]
    error = bench("-j", "uninstall", NAME, status=1).json["error"]
    assert error["code"] == "enabled-elsewhere"


def test_a_line_in_a_persons_own_config_is_in_the_way(bench: Bench, old: OldTool) -> None:
    path = old.install(NAME, enabled=None)
    bench.own += f"plugin={path}\n"
    bench.node.restart(bench.own)

    error = bench("-j", "install", NAME, status=1).json["error"]

    assert error["code"] == "plugin-in-config"
    assert f"{bench.node.config} line 2 loads {NAME}" in error["message"]
    assert hello(bench)[0] == "0.9.0"


def test_a_file_where_our_link_must_be_is_left_alone(bench: Bench, old: OldTool) -> None:
    run(bench, old.install(NAME))
    (bench.root / NAME / "current").write_text("something of the plugin's own")
    before = contents(bench.root)

    error = bench("-j", "install", NAME, status=1).json["error"]

    assert error["code"] == "folder-in-the-way"
    assert {k: v for k, v in contents(bench.root).items() if not k.startswith(("lock", "state"))} == {
        k: v for k, v in before.items() if not k.startswith(("lock", "state"))
    }
    assert hello(bench)[0] == "0.9.0"


def test_its_sources_are_taken_over_once(bench: Bench, old: OldTool, tmp_path: Path) -> None:
    others = World(tmp_path / "others")
    others.add_plugin("static")
    old.sources("https://github.com/lightningd/plugins", str(others.index_dir), "/nowhere/at/all")

    said = bench("install", NAME)

    assert f"sources of {OLD_TOOL}, taken over: {others.index_dir}" in said.text
    assert f"/nowhere/at/all, a source of {OLD_TOOL}, was not taken over" in said.text
    listed = [row["location"] for row in bench("-j", "source", "list").json["result"]]
    assert listed == ["embedded", str(bench.source), str(others.index_dir)], "behind ours"
    bench("source", "remove", str(others.index_dir))
    assert "taken over" not in bench("install", "static", status=1).text
    assert str(others.index_dir) not in [row["location"] for row in bench("-j", "source", "list").json["result"]]


def test_doctor_knows_them(bench: Bench, old: OldTool) -> None:
    run(bench, old.install(NAME))
    (bench.root / "unfinished" / "source").mkdir(parents=True)

    found = {row["code"]: row for row in bench("-j", "doctor").json["result"]}

    assert found["old-plugin"]["message"] == f"{NAME} was installed by {OLD_TOOL}"
    assert str(bench.root / "unfinished") in found["old-plugin-remains"]["message"]
    assert {row["severity"] for row in found.values()} == {"note"}
    assert "unfinished" not in rows(bench)
    bench("uninstall", "unfinished")
    assert not (bench.root / "unfinished").exists()


def test_of_two_folders_with_one_name_the_one_that_is_on_is_meant(bench: Bench, old: OldTool) -> None:
    old.install(NAME, folder="Python_Hello", enabled=False)
    run(bench, old.install(NAME))

    assert rows(bench)[NAME]["path"] == str((bench.root / NAME / f"{NAME}.py").resolve())
    found = {row["code"]: row for row in bench("-j", "doctor").json["result"]}
    assert str(bench.root / "Python_Hello") in found["old-plugin-beside"]["message"]
    bench("install", NAME)
    assert hello(bench)[0] == "1.1.0"
    assert (bench.root / "Python_Hello" / "Python_Hello.py").exists()
    assert "old-plugin-beside" in {row["code"] for row in bench("-j", "doctor").json["result"]}


def test_a_lost_state_is_made_again_with_them(bench: Bench, old: OldTool) -> None:
    run(bench, old.install(NAME))
    bench("install", NAME)
    bench("rollback", NAME)
    state = bench.root / "state.json"
    before = json.loads(state.read_text())["plugins"]
    state.write_text("{")

    bench("doctor", "--fix")

    after = json.loads(state.read_text())["plugins"]
    assert {n: (e["tree"], e["enabled"], e["previous"]) for n, e in after.items()} == {
        n: (e["tree"], e["enabled"], e["previous"]) for n, e in before.items()
    }
    assert hello(bench)[0] == "0.9.0"
