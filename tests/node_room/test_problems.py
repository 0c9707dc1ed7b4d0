"""What would keep lightningd from starting is seen in its files: each recorded boot, and what else we know."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reckless.node.files import locate

TRANSCRIPTS = json.loads((Path(__file__).parents[1] / "node" / "transcripts.json").read_text())
BOOTS = {case["case"]: case for case in TRANSCRIPTS["cases"] if case["case"].startswith("boot: ")}
GOOD_OPTIONS = ("good-color", "good-count")
UNSEEN = {"boot: important-plugin= names one that exits at once"}  # only running it shows it
CODES = {
    "boot: plugin= names a missing file": "plugin-missing",
    "boot: plugin= names a file that is not executable": "plugin-not-executable",
    "boot: a plugin's option without the plugin": "option-orphaned",
    "boot: the same plugin line twice": "plugin-twice",
    "boot: include of a file that is missing": "include-missing",
    "boot: relative plugin path": "plugin-relative",
    "boot: garbage line": "config-garbage",
}


@pytest.fixture
def place(tmp_path):
    """The recorded node's folder, with files where it had them."""
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    for name in ("good", "clash", "exits", "disinit", "static", "noexec"):
        (plugins / f"{name}.py").write_text("#!/bin/sh\n")
        (plugins / f"{name}.py").chmod(0o644 if name == "noexec" else 0o755)
    (tmp_path / "empty.conf").write_text("")
    (tmp_path / "one.conf").write_text(f"plugin={plugins}/good.py\n")
    (tmp_path / "n1" / "regtest").mkdir(parents=True)
    return tmp_path


def find(place: Path, config: str, **kwargs):
    files = locate(place / "n1", "regtest")
    files.config.write_text(config.replace("$DIR", str(place)))
    return files.problems({str(place / "plugins" / "good.py"): GOOD_OPTIONS}, **kwargs)


def codes(*args, **kwargs) -> list[str]:
    return [p.code for p in find(*args, **kwargs)]


@pytest.mark.parametrize("name", sorted(set(BOOTS) - UNSEEN))
def test_what_a_real_node_refused_is_a_problem_and_what_it_took_is_none(place, name):
    found = find(place, BOOTS[name]["config"])
    assert [p.code for p in found] == ([] if BOOTS[name]["comes_up"] else [CODES[name]])
    for problem in found:
        assert problem.message
        assert problem.hint
        assert problem.file == place / "n1" / "regtest" / "config"
        assert problem.line == BOOTS[name]["config"].count("\n")


def test_every_recorded_refusal_has_its_code():
    assert {n for n in BOOTS if not BOOTS[n]["comes_up"]} == {*CODES, *UNSEEN}


def test_a_link_to_a_tree_that_is_gone(place):
    (place / "current").symlink_to("1.0+gone")
    assert codes(place, "plugin=$DIR/current/p.py\n") == ["plugin-missing"]


def test_an_interpreter_that_an_upgrade_of_the_system_took_away(place):
    (place / "plugins" / "good.py").write_text("#!/usr/bin/python3.0\n")
    (problem,) = find(place, "plugin=$DIR/plugins/good.py\n")
    assert problem.code == "plugin-interpreter-missing"
    assert "/usr/bin/python3.0" in problem.message


def test_the_same_plugin_twice_through_a_link_is_twice(place):
    (place / "link").symlink_to(place / "plugins")
    assert codes(place, "plugin=$DIR/plugins/good.py\nimportant-plugin=$DIR/link/good.py\n") == ["plugin-twice"]
    assert codes(place, "plugin-dir=$DIR/plugins\nplugin=$DIR/plugins/good.py\n") == ["plugin-twice"]
    assert codes(place, "plugin=$DIR/plugins/good.py\nclear-plugins\nplugin=$DIR/plugins/good.py\n") == []


def test_two_files_of_one_name_are_two_plugins(place):
    (place / "elsewhere").mkdir()
    (place / "elsewhere" / "good.py").write_text("#!/bin/sh\n")
    (place / "elsewhere" / "good.py").chmod(0o755)
    assert codes(place, "plugin=$DIR/plugins/good.py\nplugin=$DIR/elsewhere/good.py\n") == []


def test_disable_plugin_before_it_saves_a_line_that_names_nothing_but_not_after_it(place):
    assert codes(place, "disable-plugin=missing.py\nplugin=$DIR/plugins/missing.py\n") == []
    assert codes(place, "disable-plugin=$DIR/plugins/missing.py\nplugin=$DIR/plugins/missing.py\n") == []
    assert codes(place, "plugin=$DIR/plugins/missing.py\ndisable-plugin=missing.py\n") == ["plugin-missing"]


def test_an_option_of_a_plugin_that_is_disabled_is_orphaned(place):
    config = "plugin=$DIR/plugins/good.py\ngood-color=blue\n"
    assert codes(place, config) == []
    assert codes(place, config + "disable-plugin=good.py\n") == ["option-orphaned"]
    assert codes(place, "disable-plugin=good.py\n" + config) == ["option-orphaned"]


def test_an_option_that_nobody_knows_is_found_where_all_are_known(place):
    assert codes(place, "log-level=debug\nnonsense=1\n") == []
    assert codes(place, "log-level=debug\nnonsense=1\n", known={"log-level"}) == ["option-unknown"]


@pytest.mark.parametrize(
    ("config", "code"),
    [
        (" plugin=/x\n", "config-garbage"),
        ("\tlog-level=debug\n", "config-garbage"),
        ("log level=debug\n", "config-garbage"),
        (" # comment\n", "config-garbage"),
        (" \n", "config-garbage"),
        ("log-level = debug\n", "config-garbage"),
        ("plugin\n", "value-missing"),
        ("plugin=\n", "value-missing"),
        ("disable-plugin\n", "value-missing"),
        ("network=regtest\n", "option-not-permitted"),
        ("regtest\n", "option-not-permitted"),
        ("lightning-dir=/x\n", "option-not-permitted"),
        ("conf=/x\n", "option-not-permitted"),
        ("include $DIR\n", "include-unreadable"),
        ("include $DIR/one.conf \n", "include-missing"),
    ],
)
def test_lines_that_lightningd_refuses_by_their_form_or_place(place, config, code):
    assert codes(place, config) == [code]


def test_what_may_stand_in_the_top_config_and_in_conf(place):
    top = place / "n1" / "config"
    top.write_text("network=regtest\n")
    assert find(place, "") == ()
    top.write_text("lightning-dir=/x\n")
    assert codes(place, "") == ["option-not-permitted"]
    files = locate(place / "n1", "regtest", top)
    assert files.problems() == ()


def test_an_include_that_comes_back_to_itself_is_found_and_ends(place):
    (place / "a.conf").write_text("include b.conf\ninclude b.conf\n")
    (place / "b.conf").write_text("log-level=debug\ninclude a.conf\n")
    assert set(codes(place, "include $DIR/a.conf\n")) == {"include-loop"}


def test_includes_deeper_than_lightningd_follows(place):
    for n in range(150):
        (place / f"{n}.conf").write_text(f"include {n + 1}.conf\n")
    (place / "150.conf").write_text("")
    assert codes(place, "include $DIR/0.conf\n") == ["include-loop"]


def test_includes_are_relative_to_the_file_they_stand_in(place):
    (place / "sub").mkdir()
    (place / "sub" / "a.conf").write_text("include b.conf\n")
    (place / "sub" / "b.conf").write_text("\r\ngood-color=blue\r\n")
    (problem,) = find(place, "include ../../sub/a.conf\n")
    assert (problem.code, problem.file.resolve(), problem.line) == (
        "option-orphaned", place / "sub" / "b.conf", 2,
    )  # fmt: skip


def test_what_stands_after_a_nul_is_not_read(place):
    assert codes(place, "log-level=debug\n\0plugin=/missing\n") == []


def test_an_include_of_the_null_device_is_empty_and_a_pipe_is_not_waited_for(place):
    assert codes(place, "include /dev/null\n") == []
    import os

    os.mkfifo(place / "pipe")
    assert codes(place, "include $DIR/pipe\n") == ["include-unreadable"]


def test_problems_come_in_the_order_of_the_config(place):
    found = find(place, "plugin=/missing-1\nnonsense=1\nplugin=/missing-2\n", known=())
    assert [(p.line, p.code) for p in found] == [
        (1, "plugin-missing"), (2, "option-unknown"), (3, "plugin-missing"),
    ]  # fmt: skip


def test_no_config_at_all_is_no_problem(place):
    assert locate(place / "n1", "regtest").problems() == ()
