"""A file is the old one or the new one, never half of either."""

from __future__ import annotations

import os
import stat

import pytest

from reckless.system.files import atomic_write, put_in_place, remove_tree, swap_symlink


def test_a_new_file_gets_the_mode_and_an_old_one_keeps_its_own(tmp_path):
    path = tmp_path / "state.json"
    atomic_write(path, b"1", mode=0o600)
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"1", 0o600)
    path.chmod(0o640)
    atomic_write(path, b"2", mode=0o600)
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"2", 0o640)


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real/config").write_text("old")
    (tmp_path / "config").symlink_to("real/config")
    atomic_write(tmp_path / "config", b"new")
    assert (tmp_path / "config").is_symlink()
    assert (tmp_path / "real/config").read_text() == "new"


@pytest.mark.parametrize("failing", ["fsync", "fchmod"])
def test_a_failure_leaves_the_old_file_and_nothing_beside_it(failing, tmp_path, monkeypatch):
    path = tmp_path / "config"
    path.write_text("old")

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, failing, fail)
    with pytest.raises(OSError, match="No space"):
        atomic_write(path, b"new")
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("config", "old")]


def test_a_link_is_swapped_in_one_step_even_over_the_debris_of_a_crash(tmp_path):
    link = tmp_path / "current"
    (tmp_path / ".current.new").symlink_to("debris")
    for target in ("1.0", "2.0"):
        swap_symlink(link, target)
        assert str(link.readlink()) == target
    assert [p.name for p in tmp_path.iterdir()] == ["current"]


def test_files_and_folders_are_put_in_place(tmp_path):
    (tmp_path / "new").write_text("new")
    (tmp_path / "old").write_text("old")
    put_in_place(tmp_path / "new", tmp_path / "old")
    assert (tmp_path / "old").read_text() == "new"
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/x").write_text("x")
    (tmp_path / "taken").mkdir()
    put_in_place(tmp_path / "folder", tmp_path / "taken")
    assert (tmp_path / "taken/x").read_text() == "x"
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match=r"not empty|exists"):
        put_in_place(tmp_path / "folder", tmp_path / "taken")


def test_a_tree_is_removed_with_its_read_only_folders_and_not_through_links(tmp_path):
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept/x").write_text("x")
    deep = tmp_path / "tree/a/b"
    deep.mkdir(parents=True)
    (deep / "f").write_text("f")
    (deep / "out").symlink_to(tmp_path / "kept")
    (deep / "f").chmod(0o400)
    deep.chmod(0o500)
    deep.parent.chmod(0o500)
    remove_tree(tmp_path / "tree")
    remove_tree(tmp_path / "tree")
    assert [p.name for p in tmp_path.iterdir()] == ["kept"]
    assert (tmp_path / "kept/x").exists()


def test_a_link_or_a_file_is_removed_itself(tmp_path):
    (tmp_path / "kept").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "kept")
    (tmp_path / "file").write_text("x")
    remove_tree(tmp_path / "link")
    remove_tree(tmp_path / "file")
    assert [p.name for p in tmp_path.iterdir()] == ["kept"]
