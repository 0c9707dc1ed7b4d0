"""A tree on disk is listed and read, and nothing outside of it ever is."""

from __future__ import annotations

import os
import socket

import pytest

from reckless.model.treeview import Entry
from reckless.system.foldertree import FolderTree


@pytest.fixture
def tree(tmp_path):
    """A tree beside a secret."""
    root = tmp_path / "tree"
    (root / "sub").mkdir(parents=True)
    (root / "b.py").write_text("print()")
    (root / "a.sh").write_text("#!/bin/sh")
    (root / "a.sh").chmod(0o755)
    (root / "sub" / "c").write_text("c")
    (tmp_path / "secret").write_text("secret")
    return root


def test_a_folder_is_listed_by_name_with_what_each_is(tree):
    (tree / "z").symlink_to("b.py")
    assert FolderTree(tree).entries("") == (
        Entry("a.sh", "program"),
        Entry("b.py", "file"),
        Entry("sub", "folder"),
        Entry("z", "link", "b.py"),
    )
    assert FolderTree(tree).entries("sub") == (Entry("c", "file"),)


def test_at_most_so_much_of_a_file_is_read(tree):
    assert FolderTree(tree).read("b.py", 100) == b"print()"
    assert FolderTree(tree).read("b.py", 3) == b"pri"


@pytest.mark.parametrize("path", ["", "nothing", "sub", "../secret", "sub/../b.py", "/etc/passwd", "b.py/", "./b.py"])
def test_what_is_not_a_file_of_the_tree_reads_as_nothing(tree, path):
    assert FolderTree(tree).read(path, 100) == b""


@pytest.mark.parametrize("path", ["nothing", "b.py", "..", "../tree", "sub/..", "/"])
def test_what_is_not_a_folder_of_the_tree_lists_as_nothing(tree, path):
    assert FolderTree(tree).entries(path) == ()


def test_links_are_not_followed(tree, tmp_path):
    (tree / "out").symlink_to(tmp_path)
    (tree / "secret").symlink_to(tmp_path / "secret")
    (tree / "in").symlink_to("sub")
    view = FolderTree(tree)
    assert view.read("secret", 100) == view.read("out/secret", 100) == view.read("in/c", 100) == b""
    assert view.entries("out") == view.entries("in") == ()


def test_the_tree_itself_may_be_reached_through_a_link(tree, tmp_path):
    (tmp_path / "link").symlink_to(tree)
    assert FolderTree(tmp_path / "link").read("b.py", 100) == b"print()"


def test_pipes_and_sockets_are_not_there(tree):
    os.mkfifo(tree / "pipe")
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(tree / "socket")[-100:] if len(str(tree)) < 90 else str(tree / "s"))
    view = FolderTree(tree)
    assert {e.name for e in view.entries("")} == {"a.sh", "b.py", "sub"}
    assert view.read("pipe", 100) == b""
