"""Looking into a commit without writing it to disk: one fetch of what is small, and no more than is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from reckless.errors import FetchError
from reckless.fetch.fetcher import fetch
from reckless.fetch.gittree import GitTree, look_into
from reckless.model.manifest import GitSource
from reckless.model.reporter import SilentReporter
from tests.servers import GitRepository, GitServer, git

BIG = "x" * 100_000
Look = Callable[..., Any]


@pytest.fixture
def repository(root: Path) -> GitRepository:
    made = GitRepository(root / "many.git")
    (made.work / "one").mkdir()
    (made.work / "one" / "link.py").symlink_to("one.py")
    made.commit(
        {
            "README.md": "many",
            "one/one.py": "#!/usr/bin/env python3\nprint(1)\n",
            "one/uv.lock": BIG,
            "two/two.py": "print(2)\n",
            "two/data.bin": BIG + "2",
        }
    )
    return made


@pytest.fixture(params=["modern", "no filters", "old", "dumb"])
def any_server(request: pytest.FixtureRequest, root: Path) -> Iterator[GitServer]:
    how: dict[str, dict[str, bool]] = {
        "modern": {}, "no filters": {"filters": False}, "old": {"allow_any_sha1": False}, "dumb": {"dumb": True},
    }  # fmt: skip
    with GitServer(root, **how[request.param]) as running:
        yield running


@pytest.fixture
def look(tmp_path: Path) -> Look:
    def call(url: str, use: Callable[[GitTree], Any], ref: str = "HEAD") -> Any:
        return look_into(url, ref, use, cache=tmp_path / "cache")

    return call


def test_any_server_lets_a_commit_be_looked_into(any_server, repository, look):
    def use(tree: GitTree) -> tuple[object, ...]:
        kinds = {e.name: e.kind for e in tree.entries("one")}
        target = next(e.target for e in tree.entries("one") if e.kind == "link")
        return (
            tree.commit,
            str(tree.date),
            kinds,
            target,
            tree.read("one/one.py", 5),
            len(tree.read("one/uv.lock", 1 << 20)),
        )

    commit = git("rev-parse", "HEAD", cwd=repository.work)
    kinds = {"link.py": "link", "one.py": "program", "uv.lock": "file"}
    seen = (commit, "2023-11-14", kinds, "one.py", b"#!/us", len(BIG))
    for ref in ("HEAD", "refs/heads/main", commit):
        assert look(any_server.url("many.git"), use, ref) == seen


def test_what_is_not_there_is_an_answer(server, repository, look):
    def use(tree: GitTree) -> set[object]:
        paths = ("none.py", "one/none.py", "one", "one/link.py", "/one/one.py", "../x", "", "one/../two/two.py")
        return {tree.read(path, 10) for path in paths} | {tree.entries("none"), tree.entries("one/one.py")}

    assert look(server.url("many.git"), use) == {b"", ()}


def test_the_first_look_is_one_fetch_and_brings_no_large_files(server, repository, look):
    url = server.url("many.git")
    look(url, lambda tree: [tree.read(f"{x}/{x}.py", 100) for x in ("one", "two")])
    assert [r for r in server.requests if "POST" in r] == ["POST /many.git/git-upload-pack"] * 2  # its refs, its pack
    assert server.sent < len(BIG) / 10


def test_a_second_look_at_a_commit_asks_nothing(server, repository, look):
    url = server.url("many.git")
    commit = look(url, lambda tree: tree.commit)
    before = len(server.requests)
    assert look(url, lambda tree: tree.read("two/two.py", 100), commit) == b"print(2)\n"
    assert len(server.requests) == before


def test_large_files_that_are_about_to_be_read_come_in_one_request(server, root, look):
    repository = GitRepository(root / "large.git")
    repository.commit({f"{n}.bin": str(n) * 40_000 for n in range(5)})
    url = server.url("large.git")

    def use(tree: GitTree) -> list[bytes]:
        tree.prefetch(f"{n}.bin" for n in range(5))
        before = len(server.requests)
        found = [tree.read(f"{n}.bin", 1) for n in range(5)]
        assert len(server.requests) == before
        return found

    assert look(url, use) == [b"0", b"1", b"2", b"3", b"4"]
    assert sum("git-upload-pack HTTP" in r or r.startswith("POST") for r in server.requests) <= 4


def test_what_was_looked_at_is_not_fetched_again_to_be_installed(server, repository, look, tmp_path):
    url = server.url("many.git")
    commit = look(url, lambda tree: tree.commit)
    before = server.sent
    source = GitSource(git=url, rev=commit)
    fetch(source, tmp_path / "src", cache=tmp_path / "cache", name="many", reporter=SilentReporter())
    assert (tmp_path / "src" / "two" / "data.bin").read_text() == BIG + "2"
    first = server.sent - before
    fetch(source, tmp_path / "again", cache=tmp_path / "other", name="many", reporter=SilentReporter())
    assert first < server.sent - before - first


def test_the_content_of_a_folder_changes_with_it_and_with_nothing_beside_it(server, repository, look):
    url = server.url("many.git")
    first = look(url, lambda tree: tree.content("one"))
    repository.commit({"two/two.py": "print(22)\n", "README.md": "more"})
    assert look(url, lambda tree: tree.content("one")) == first
    repository.commit({"one/new.py": ""})
    assert look(url, lambda tree: tree.content("one")) != first


def test_the_content_of_a_workspace_s_member_changes_with_the_workspace(server, root, look):
    repository = GitRepository(root / "workspace.git")
    repository.commit({"Cargo.toml": '[workspace]\nmembers = ["*"]', "a/Cargo.toml": "[package]", "b/x.rs": "1"})
    url = server.url("workspace.git")
    first = look(url, lambda tree: tree.content("a"))
    repository.commit({"b/x.rs": "2"})
    assert look(url, lambda tree: tree.content("a")) != first


def test_the_content_of_no_folder_is_said(server, repository, look):
    with pytest.raises(FetchError) as e:
        look(server.url("many.git"), lambda tree: tree.content("three"))
    assert e.value.code == "no-such-folder"
    assert "one, two" in e.value.hint


def test_a_submodule_is_told_and_one_over_ssh_refused(server, root, look):
    inner = GitRepository(root / "inner.git")
    commit = inner.commit({"inner.py": "1"})
    outer = GitRepository(root / "outer.git")
    outer.submodule("inner", "../inner.git", commit)
    outer.submodule("secret", "git@example.com:inner.git", commit)
    outer.commit()
    url = server.url("outer.git")
    assert look(url, lambda tree: tree.submodule("inner")) == (server.url("inner.git"), commit)
    assert look(url, lambda tree: tree.submodule(".gitmodules")) is None
    with pytest.raises(FetchError) as e:
        look(url, lambda tree: tree.submodule("secret"))
    assert e.value.code == "submodule-refused"


def test_a_damaged_repository_in_the_cache_is_fetched_anew(server, repository, look, tmp_path):
    url = server.url("many.git")
    commit = look(url, lambda tree: tree.commit)
    for pack in (tmp_path / "cache").rglob("*.pack"):
        pack.chmod(0o644)
        pack.write_bytes(b"PACK" + b"\0" * 40)
    assert look(url, lambda tree: tree.read("one/one.py", 2), commit) == b"#!"


def test_what_is_not_there_is_said(server, repository, look, root):
    GitRepository(root / "empty.git")
    for name, ref, code in (
        ("none.git", "HEAD", "repository-not-found"),
        ("many.git", "refs/heads/none", "no-such-revision"),
        ("many.git", "1" * 40, "no-such-revision"),
        ("empty.git", "HEAD", "no-such-revision"),
    ):
        with pytest.raises(FetchError) as e:
            look(server.url(name), lambda tree: tree.commit, ref)
        assert e.value.code == code, (name, ref)
