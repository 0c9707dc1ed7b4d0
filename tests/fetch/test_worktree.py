"""A person's own folder, copied as it is: what belongs to it, and not what tools made in it."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from reckless.errors import FetchError
from reckless.fetch.fetcher import fetch
from reckless.fetch.limits import MAX_FILES
from reckless.fetch.worktree import Worktree
from reckless.model.manifest import PathSource
from reckless.model.reporter import SilentReporter
from tests.fetch.conftest import tree
from tests.servers import git


def write(folder: Path, *files: str, **more: str) -> None:
    for name, text in {**dict.fromkeys(files, "x"), **more}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "plugins"
    made.mkdir()
    return made


@pytest.fixture
def copied(tmp_path: Path) -> Callable[[Path], dict[str, str]]:
    """Copy a folder; what is in the copy. The digest of what was copied is that of what was looked at."""
    count = iter(range(100))

    def call(path: Path) -> dict[str, str]:
        worktree, root = Worktree(path), tmp_path / f"copy-{next(count)}"
        assert worktree.copy(root) == worktree.digest()
        return tree(root)

    return call


def commit(folder: Path) -> None:
    if not (folder / ".git").exists():
        git("init", "-q", folder, cwd=folder)
    git("add", "-A", cwd=folder)
    git("commit", "-q", "--allow-empty", "-m", "x", cwd=folder)


MADE = (
    "target/CACHEDIR.TAG", "target/release/a", ".venv/pyvenv.cfg", ".venv/lib/a.py", "node_modules/a/a.js",
    "__pycache__/a.pyc", "b.pyc", ".git/config",
)  # fmt: skip


def test_a_folder_that_is_no_checkout_is_taken_without_what_tools_made(folder, copied):
    write(folder, "a.py", "lib/b.py", ".hidden", *MADE)
    assert set(copied(folder)) == {"a.py", "lib/b.py", ".hidden"}


def test_of_a_checkout_what_is_not_committed_is_taken_and_what_is_ignored_is_not(folder, copied):
    write(folder, "a.py", "gone.py", **{".gitignore": "*.o\nbuild/\n"})
    commit(folder)
    write(folder, "new.py", "a.o", "build/x", "venv/pyvenv.cfg", "venv/x.py", **{"a.py": "changed"})
    (folder / "gone.py").unlink()
    assert copied(folder) == {"a.py": "changed", "new.py": "x", ".gitignore": "*.o\nbuild/\n"}


def test_a_sub_folder_of_a_checkout_comes_with_what_lies_above_it_as_of_a_commit(folder, copied):
    write(folder, "README.md", "one/one.py", "two/two.py", "scratch.txt")
    git("init", "-q", folder, cwd=folder)
    git("add", "README.md", "one", "two", cwd=folder)
    git("commit", "-q", "-m", "x", cwd=folder)
    write(folder, "one/new.py", "two/new.py")
    assert set(copied(folder / "one")) == {"README.md", "one/one.py", "one/new.py"}
    assert Worktree(folder / "one").subdir == "one"


def test_a_member_of_a_workspace_comes_with_all_of_it(folder, copied):
    write(folder, "a/Cargo.toml", "b/lib.rs", **{"Cargo.toml": "[workspace]"})
    commit(folder)
    assert set(copied(folder / "a")) == {"Cargo.toml", "a/Cargo.toml", "b/lib.rs"}


def test_a_folder_that_its_checkout_knows_nothing_of_is_taken_by_itself(folder, copied):
    """As where a home folder is a checkout of the dotfiles in it."""
    write(folder, ".bashrc", **{".gitignore": "ignored/\n"})
    commit(folder)
    write(folder, "new/a.py", "new/b.py", "ignored/a.py", "other/c.py")
    assert set(copied(folder / "new")) == {"a.py", "b.py"}
    assert set(copied(folder / "ignored")) == {"a.py"}


def test_a_submodule_that_is_checked_out_comes_along(folder, copied, tmp_path):
    write(inner := tmp_path / "inner", "lib.c")
    commit(inner)
    write(folder, "a.c")
    commit(folder)
    git("-c", "protocol.file.allow=always", "submodule", "add", "-q", inner, "inner", cwd=folder)
    write(folder, "inner/more.c")
    assert set(copied(folder)) == {".gitmodules", "a.c", "inner/lib.c", "inner/more.c"}


def test_one_file_is_taken_alone(folder, copied):
    write(folder, "a.py", "b.py")
    assert set(copied(folder / "a.py")) == {"a.py"}


def test_modes_and_links_stay(folder, copied, tmp_path):
    write(folder, "a.py", "b.py")
    (folder / "a.py").chmod(0o700)
    (folder / "c.py").symlink_to("a.py")
    assert copied(folder) == {"a.py": "x", "b.py": "x", "c.py": "-> a.py"}
    assert (tmp_path / "copy-0" / "a.py").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "copy-0" / "b.py").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize(
    "change",
    [
        lambda f: (f / "a.py").write_text("y"),
        lambda f: (f / "a.py").chmod(0o755),
        lambda f: (f / "a.py").rename(f / "b.py"),
        lambda f: (f / "new").write_text(""),
        lambda f: (f / "link").unlink(),
    ],
)
def test_the_digest_changes_with_any_change(folder, change):
    write(folder, "a.py")
    (folder / "link").symlink_to("a.py")
    first = Worktree(folder).digest()
    os.utime(folder / "a.py", (1, 1))
    assert Worktree(folder).digest() == first, "times do not matter"
    change(folder)
    assert Worktree(folder).digest() != first


def test_the_date_is_that_of_the_commit_or_of_the_newest_file(folder):
    write(folder, "a.py", "b.py")
    os.utime(folder / "a.py", (1_600_000_000, 1_600_000_000))
    os.utime(folder / "b.py", (1_650_000_000, 1_650_000_000))
    assert Worktree(folder).date == dt.date(2022, 4, 15)
    commit(folder)
    assert Worktree(folder).date == dt.date(2023, 11, 14)


def test_a_link_that_leads_out_is_refused_and_nothing_is_left(folder, tmp_path):
    write(folder, "a.py")
    (folder / "out").symlink_to("../../etc/passwd")
    source = PathSource(path=str(folder), sha256="")
    with pytest.raises(FetchError) as e:
        fetch(source, tmp_path / "src", cache=tmp_path / "cache", name="a", reporter=SilentReporter())
    assert e.value.code == "unsafe-link"
    assert not (tmp_path / "src").exists()
    assert not list(tmp_path.glob(".fetch-*"))


def test_a_hundred_thousand_files_are_too_many(folder, monkeypatch):
    monkeypatch.setattr("reckless.fetch.worktree.MAX_FILES", 50)
    assert MAX_FILES == 100_000
    for n in range(60):
        (folder / f"{n}.py").touch()
    for _ in ("no checkout", "a checkout"):
        with pytest.raises(FetchError) as e:
            Worktree(folder)
        assert e.value.code == "tree-too-large"
        assert ".gitignore" in e.value.hint
        commit(folder)


def test_what_is_not_there_is_said(folder):
    with pytest.raises(FetchError) as e:
        Worktree(folder / "none")
    assert e.value.code == "no-such-folder"


def test_pipes_and_the_like_are_passed_over(folder, copied):
    write(folder, "a.py")
    os.mkfifo(folder / "pipe")
    assert set(copied(folder)) == {"a.py"}


class Restless(Worktree):
    """A folder that is written to while it is copied, `times` times."""

    times = 1

    def _each(self, writer):
        digest = super()._each(writer)
        if writer and self.times:
            self.times -= 1
            write(self.path, **{f"new-{self.times}.py": "x", "a.py": f"changed {self.times}"})
            (self.path / "gone.py").unlink(missing_ok=True)
        return digest


@pytest.mark.parametrize("times", [1, 2, 100])
def test_a_folder_that_changes_while_it_is_copied_is_copied_again(folder, tmp_path, times):
    write(folder, "a.py", "gone.py")
    worktree = Restless(folder)
    worktree.times = times
    digest = worktree.copy(tmp_path / "copy")
    if times < 3:
        assert digest == Worktree(folder).digest() == Worktree(tmp_path / "copy").digest()
        assert tree(tmp_path / "copy") == tree(folder)
    else:
        assert Worktree(tmp_path / "copy").digest() == digest, "at last it is taken as it is"


def test_what_goes_away_between_listing_and_copying_is_passed_over(folder, tmp_path):
    write(folder, "a.py", "lib/b.py")
    worktree = Worktree(folder)
    (folder / "lib" / "b.py").unlink()
    (folder / "lib").rmdir()
    worktree.copy(tmp_path / "copy")
    assert set(tree(tmp_path / "copy")) == {"a.py"}


def test_fetching_says_what_was_taken_in_the_end(folder, tmp_path):
    write(folder, "a.py")
    source = PathSource(path=str(folder), sha256=Worktree(folder).digest())
    write(folder, "b.py")
    taken = fetch(source, tmp_path / "src", cache=tmp_path / "cache", name="a", reporter=SilentReporter())
    assert taken == PathSource(path=str(folder), sha256=Worktree(folder).digest())
    assert taken != source
