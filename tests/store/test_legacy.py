"""What lightningd's own tool left is read as it is, and nothing that it left is trusted."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reckless.store.layout import is_ours, is_tree_name
from reckless.store.legacy import (
    MAX_SOURCES,
    Metadata,
    old_sources,
    old_trees,
    read_metadata,
    remote_source,
    remove_retired,
    retire,
    retired,
)

WHOLE = """\
installation date
2026-09-01
installation time
1788220800
original source
https://github.com/lightningd/plugins
requested commit
None
installed commit
c0b768f3ed3c88d5119442299f159267b5fc09ba
"""


def put(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")


def names(root: Path) -> dict[str, str]:
    return {tree.name: tree.entrypoint for tree in old_trees(root)}


def test_metadata_is_a_key_and_below_it_its_value(tmp_path: Path) -> None:
    (tmp_path / ".metadata").write_text(WHOLE)
    assert read_metadata(tmp_path) == Metadata(
        source="https://github.com/lightningd/plugins",
        commit="c0b768f3ed3c88d5119442299f159267b5fc09ba",
        date="2026-09-01",
    )


def test_what_a_person_asked_for_is_told_from_nothing(tmp_path: Path) -> None:
    (tmp_path / ".metadata").write_text(WHOLE.replace("requested commit\nNone", "requested commit\nv1.2"))
    found = read_metadata(tmp_path)
    assert found is not None
    assert found.requested == "v1.2"


@pytest.mark.parametrize(
    "text",
    ["", "\n\n", "installed commit\n", "installed commit\nrequested commit\n", "rubbish", "installed commit\n--upload"],
    ids=["empty", "blank", "cut", "without-values", "rubbish", "no-commit"],
)
def test_damaged_metadata_says_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / ".metadata").write_text(text)
    assert read_metadata(tmp_path) == Metadata()


def test_metadata_that_is_no_text_or_no_file_is_not_waited_for(tmp_path: Path) -> None:
    assert read_metadata(tmp_path) is None
    (tmp_path / ".metadata").write_bytes(b"\xff\0" * 500_000)
    assert read_metadata(tmp_path) == Metadata()
    (tmp_path / ".metadata").unlink()
    os.mkfifo(tmp_path / ".metadata")
    assert read_metadata(tmp_path) is None


def test_every_version_s_folders_are_known(tmp_path: Path) -> None:
    put(tmp_path, "copied/copied.py", "copied/requirements.txt", "package/__init__.py", "noded/noded.js")
    put(tmp_path, "staged/.metadata", "staged/staged.py", "staged/source/staged/staged.py")
    put(tmp_path, "built/.metadata", "built/built", "built/source/built/Cargo.toml")
    put(tmp_path, "Capital/Capital.py", "mixed/Mixed.py")
    assert names(tmp_path) == {
        "copied": "copied.py", "package": "__init__.py", "noded": "noded.js", "staged": "staged.py", "built": "built",
        "capital": "Capital.py", "mixed": "Mixed.py",
    }  # fmt: skip


def test_its_folder_may_spell_the_name_another_way(tmp_path: Path) -> None:
    put(tmp_path, "my_plugin/my_plugin.py", "plain/plain.py")
    assert {tree.name: tree.tree for tree in old_trees(tmp_path)} == {"my-plugin": "../my_plugin", "plain": "."}


def test_half_of_an_installation_is_seen_without_anything_to_start(tmp_path: Path) -> None:
    put(tmp_path, "half/source/half/half.py", "noted/.metadata")
    assert names(tmp_path) == {"half": "", "noted": ""}


def test_other_folders_are_none_of_that_tools(tmp_path: Path) -> None:
    put(tmp_path, ".remote_sources/lightningd/plugins/x.py", ".logs/hello.log", "notes/today.txt", "state.json")
    put(tmp_path, "ours/1.0+abcdef12/receipt.json", "c++ lightning/x.py")
    (tmp_path / "ours" / "current").symlink_to("1.0+abcdef12")
    assert names(tmp_path) == {}
    assert old_trees(tmp_path / "nowhere") == []


def test_ours_may_stand_in_the_same_folder(tmp_path: Path) -> None:
    put(tmp_path, "both/both.py", "both/1.0+abcdef12/receipt.json")
    (tmp_path / "both" / "current").symlink_to("1.0+abcdef12")
    assert names(tmp_path) == {"both": "both.py"}


@pytest.mark.parametrize("name", ["c++", "1+2", "1.0+ABCDEF12", "1.0+abcdef1", "a b+abcdef12", "x+abcdef123"])
def test_what_looks_a_little_like_a_tree_of_ours_is_none(name: str) -> None:
    assert not is_tree_name(name)
    assert not is_ours(name)


@pytest.mark.parametrize("name", ["1.0+abcdef12", "1.0+abcdef12.2", "1-2.0+01234567", "1.0+local.1+01234567"])
def test_trees_of_ours_are_known_by_name(name: str) -> None:
    assert is_tree_name(name)


def test_sources_are_lines_and_bounded(tmp_path: Path) -> None:
    assert old_sources(tmp_path) == ()
    (tmp_path / ".sources").write_text("https://github.com/lightningd/plugins\n\n  /srv/plugins \n/srv/plugins")
    assert old_sources(tmp_path) == ("https://github.com/lightningd/plugins", "/srv/plugins")
    (tmp_path / ".sources").write_text("\n".join(f"/srv/{n}" for n in range(9999)))
    assert len(old_sources(tmp_path)) == MAX_SOURCES


def test_a_clone_of_that_tool_s_stands_for_what_it_was_made_of(tmp_path: Path) -> None:
    clone = tmp_path / ".remote_sources" / "lightningd" / "plugins"
    assert remote_source(tmp_path, str(clone)) == "https://github.com/lightningd/plugins"
    assert remote_source(tmp_path, "/srv/plugins") == "/srv/plugins"
    assert remote_source(tmp_path, "https://example.com/x") == "https://example.com/x"


def test_what_is_retired_goes_and_our_trees_stay(tmp_path: Path) -> None:
    put(tmp_path, "hello/.metadata", "hello/hello.py", "hello/.venv/bin/python", "hello/source/hello/hello.py")
    put(tmp_path, "hello/receipt.json", "hello/1.0+abcdef12/receipt.json")
    (tmp_path / "hello" / "current").symlink_to("1.0+abcdef12")
    folder = tmp_path / "hello"

    retire(folder)

    assert old_trees(tmp_path) == []
    assert retired(tmp_path) == [folder]
    assert (folder / "hello.py").exists(), "a node may still run it"
    retire(folder)
    remove_retired(folder)
    assert sorted(p.name for p in folder.iterdir()) == ["1.0+abcdef12", "current"]
    assert retired(tmp_path) == []


def test_what_that_tool_installs_into_a_retired_folder_is_not_retired(tmp_path: Path) -> None:
    put(tmp_path, "hello/.metadata", "hello/hello.py")
    retire(tmp_path / "hello")
    put(tmp_path, "hello/.metadata")
    assert retired(tmp_path) == []
    assert names(tmp_path) == {"hello": "hello.py"}


def test_what_it_installed_without_metadata_can_be_retired(tmp_path: Path) -> None:
    put(tmp_path, "hello/hello.py")
    retire(tmp_path / "hello")
    assert old_trees(tmp_path) == []
    assert retired(tmp_path) == [tmp_path / "hello"]
    retire(tmp_path / "gone")
    assert retired(tmp_path) == [tmp_path / "hello"]
