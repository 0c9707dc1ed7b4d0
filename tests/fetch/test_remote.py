"""What a repository calls its commits."""

from __future__ import annotations

import pytest

from reckless.errors import FetchError
from reckless.fetch.remote import remote_refs, remote_tip
from tests.servers import GitRepository, GitServer, git


@pytest.fixture(params=["modern", "old", "dumb"])
def served(request, root):
    how = {"modern": {}, "old": {"allow_any_sha1": False}, "dumb": {"dumb": True}}
    with GitServer(root, **how[request.param]) as running:
        yield running


def test_branches_and_tags_are_told_with_their_commits(served, root):
    repository = GitRepository(root / "a.git")
    first = repository.commit({"a": "1"}, branch="with/slashes")
    git("tag", "light", cwd=repository.work)
    git("tag", "-a", "-m", "x", "v1.0", cwd=repository.work)
    second = repository.commit({"a": "2"})
    git("push", "-q", "origin", "--tags", cwd=repository.work)
    refs = remote_refs(served.url("a.git"))
    assert refs.heads == {"main": second, "with/slashes": first}
    assert refs.tags == {"light": first, "v1.0": first}, "an annotated tag stands for its commit"
    assert remote_tip(served.url("a.git")) == second
    assert remote_tip(served.url("a.git"), "with/slashes") == first


def test_what_is_not_there_is_said(server, root):
    GitRepository(root / "empty.git")
    GitRepository(root / "a.git").commit({"a": "1"})
    assert remote_refs(server.url("empty.git")).heads == {}
    for name, branch, code in (
        ("none.git", "", "repository-not-found"),
        ("empty.git", "", "no-such-revision"),
        ("a.git", "x", "no-such-revision"),
    ):
        with pytest.raises(FetchError) as e:
            remote_tip(server.url(name), branch)
        assert e.value.code == code
        assert e.value.hint


def test_an_address_that_reads_as_an_option_is_refused():
    with pytest.raises(FetchError) as e:
        remote_refs("--upload-pack=touch /tmp/x")
    assert e.value.code == "insecure-url"
