"""Submodules come at the commit that the tree names, from https or this machine only, where they are wanted."""

from __future__ import annotations

import pytest

from reckless.errors import FetchError
from reckless.fetch.submodules import Submodule, follow
from reckless.model.manifest import GitSource
from tests.fetch.conftest import tree
from tests.servers import GitRepository, git


@pytest.fixture
def library(root) -> tuple[GitRepository, str]:
    """A repository to be a submodule, and a commit of it that no branch points at."""
    repository = GitRepository(root / "library.git")
    commit = repository.commit({"lib.py": "exact", "deep/er/x.py": "x"})
    repository.commit({"lib.py": "newer"})
    return repository, commit


def rev(repository: GitRepository) -> str:
    return git("rev-parse", "HEAD", cwd=repository.work)


@pytest.mark.parametrize("url", ["absolute", "../library.git", "./../library.git/"])
def test_a_submodule_comes_at_the_commit_that_the_tree_names(url, server, plugins, library, bring):
    plugins.submodule("summary/vendor/lib", server.url("library.git") if url == "absolute" else url, library[1])
    got = bring(GitSource(git=server.url("plugins.git"), rev=plugins.commit(), subdir="summary"))
    assert (got / "summary/vendor/lib/lib.py").read_text() == "exact"
    assert not list(got.rglob(".git"))


def test_a_submodule_of_another_folder_is_not_fetched(server, plugins, library, bring):
    plugins.submodule("summary/dep", "../library.git", library[1])
    plugins.submodule("rebalance/lib", "https://no-such-host.invalid/x", "ab" * 20)
    got = bring(GitSource(git=server.url("plugins.git"), rev=plugins.commit(), subdir="summary"))
    assert "summary/dep/lib.py" in tree(got)


def test_a_submodule_of_another_folder_is_not_fetched_even_where_the_whole_tree_is(server, plugins, library, bring):
    plugins.submodule("rebalance/lib", "https://no-such-host.invalid/x", "ab" * 20)
    commit = plugins.commit({"Cargo.toml": "[workspace]", "summary/Cargo.toml": "[package]"})
    got = bring(GitSource(git=server.url("plugins.git"), rev=commit, subdir="summary"))
    assert "rebalance/rebalance.py" in tree(got)
    assert list((got / "rebalance/lib").iterdir()) == []


def test_a_folder_may_be_a_submodule_or_lie_in_one(server, plugins, library, bring):
    plugins.submodule("library", "../library.git", library[1])
    commit = plugins.commit()
    got = bring(GitSource(git=server.url("plugins.git"), rev=commit, subdir="library"))
    assert (got / "library/lib.py").read_text() == "exact"
    got = bring(GitSource(git=server.url("plugins.git"), rev=commit, subdir="library/deep/er"))
    assert (got / "library/deep/er/x.py").read_text() == "x"
    with pytest.raises(FetchError) as caught:
        bring(GitSource(git=server.url("plugins.git"), rev=commit, subdir="library/shallow"))
    assert caught.value.code == "no-such-folder"


def test_submodules_of_submodules_come_too(root, server, plugins, library, bring):
    middle = GitRepository(root / "middle.git")
    middle.submodule("lib", "../library.git", library[1])
    plugins.submodule("summary/middle", "../middle.git", middle.commit({"m": "m"}))
    got = bring(GitSource(git=server.url("plugins.git"), rev=plugins.commit()))
    assert (got / "summary/middle/lib/lib.py").read_text() == "exact"


def test_submodules_nested_too_deep_are_refused(root, server, plugins, library, bring):
    inner = library[1]
    name = "library"
    for n in range(6):
        outer = GitRepository(root / f"n{n}.git")
        outer.submodule("in", f"../{name}.git", inner)
        inner, name = outer.commit(), f"n{n}"
    with pytest.raises(FetchError) as caught:
        bring(GitSource(git=server.url(f"{name}.git"), rev=inner))
    assert caught.value.code == "submodule-refused"


def test_a_submodule_whose_commit_is_gone_says_which(server, plugins, library, bring):
    plugins.submodule("summary/dep", "../library.git", "ab" * 20)
    with pytest.raises(FetchError) as caught:
        bring(GitSource(git=server.url("plugins.git"), rev=plugins.commit()))
    assert caught.value.code == "no-such-revision"
    assert "library.git" in caught.value.message


def test_update_none_and_no_url_leave_the_folder_empty(server, plugins, bring, notes):
    plugins.submodule("summary/none", "../x.git", "ab" * 20, extra="\tupdate = none\n")
    git("update-index", "--add", "--cacheinfo", f"160000,{'cd' * 20},rebalance/unnamed", cwd=plugins.work)
    (plugins.work / "rebalance/unnamed").mkdir()
    got = bring(GitSource(git=server.url("plugins.git"), rev=plugins.commit()))
    assert list((got / "summary/none").iterdir()) == list((got / "rebalance/unnamed").iterdir()) == []
    assert [note for note in notes.notes if "rebalance/unnamed" in note]


def test_a_damaged_gitmodules_is_refused(server, plugins, library, bring):
    plugins.submodule("summary/dep", "../library.git", library[1])
    (plugins.work / ".gitmodules").write_text("[submodule\nx")
    with pytest.raises(FetchError) as caught:
        bring(GitSource(git=server.url("plugins.git"), rev=plugins.commit()))
    assert caught.value.code in {"submodule-refused", "git-objects-refused"}


@pytest.mark.parametrize(
    "url",
    [
        "git://example.com/x",
        "http://example.com/x",
        "ssh://git@example.com/x",
        "git@example.com:x",
        "ext::sh -c id",
        "-u",
        "",
        "https://a:b@example.com/x",
        "http://127.0.0.1/x",
        "file:///etc",
        "/etc",
        "../../../../x",
    ],
)
def test_only_https_is_followed_from_https(url):
    with pytest.raises(FetchError) as caught:
        follow(Submodule(path="lib", url=url), "https://example.org/a/b.git")
    assert caught.value.code == "submodule-refused"


@pytest.mark.parametrize(
    ("url", "parent", "expected"),
    [
        ("../c.git", "https://example.org/a/b.git", "https://example.org/a/c.git"),
        ("../../c/d", "https://example.org/a/b.git/", "https://example.org/c/d"),
        ("./c", "https://example.org/a/b", "https://example.org/a/b/c"),
        ("../c", "/srv/git/b", "/srv/git/c"),
        ("https://example.net/x", "https://example.org/a", "https://example.net/x"),
        ("http://localhost:1/x", "http://127.0.0.1:2/a", "http://localhost:1/x"),
    ],
)
def test_urls_are_resolved_as_git_does(url, parent, expected):
    assert follow(Submodule(path="lib", url=url), parent) == expected
