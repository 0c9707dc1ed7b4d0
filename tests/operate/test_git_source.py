"""A git repository as a source: what it lists, what that costs, and what it says when it cannot be had."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from reckless.errors import FetchError, IndexSourceError, RecklessError
from reckless.operate.folder_source import PluginFolder
from reckless.operate.git_source import GitRepository
from tests.servers import GitRepository as Served
from tests.servers import GitServer, git

PLUGIN = "#!/usr/bin/env python3\nfrom pyln.client import Plugin\nplugin = Plugin()\nplugin.run()\n"
Open = Callable[..., GitRepository]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "served"


@pytest.fixture
def served(root: Path) -> Served:
    made = Served(root / "plugins.git")
    made.commit(
        {
            "README.md": "plugins",
            "one/one.py": PLUGIN,
            "one/pyproject.toml": '[project]\nname = "one"\nversion = "1.2.3"\ndescription = "Does one thing"\n',
            "one/uv.lock": "x" * 200_000,
            "two/two.py": PLUGIN,
            "three/manifest.json": '{"installable": false, "short_description": "no"}',
            "three/three.py": PLUGIN,
            "archived/old/old.py": PLUGIN,
            "archived/one/one.py": PLUGIN,
            "docs/a.md": "no plugin",
        }
    )
    return made


@pytest.fixture
def server(root: Path) -> Iterator[GitServer]:
    with GitServer(root) as running:
        yield running


@pytest.fixture
def source(server: GitServer, served: Served, tmp_path: Path) -> Open:
    def call(behind: str = "", *, offline: bool = False) -> GitRepository:
        return GitRepository(f"git+{server.url('plugins.git')}{behind}", cache=tmp_path / "cache", offline=offline)

    return call


def asked(server: GitServer) -> int:
    return sum(1 for r in server.requests if r.startswith("POST"))


def test_all_plugins_are_listed_with_what_is_known_of_them(source, server, served):
    found = source()
    rows = {e.name: (e.version, e.status, e.language, e.summary) for e in found.catalog().plugins}
    assert rows == {
        "old": ("2023.11.14", "archived", "python", "The plugin old"),
        "one": ("1.2.3", "active", "python", "Does one thing"),
        "two": ("2023.11.14", "active", "python", "The plugin two"),
    }
    assert found.problems["three"].code == "not-installable"
    assert not found.reserves_names
    (release,) = found.manifests(["one", "none"])["one"].releases
    assert release.source.rev == git("rev-parse", "HEAD", cwd=served.work)
    assert release.source.subdir == "one"
    assert release.build.lock == "uv.lock"
    assert any("pyln.client" in reason for reason in found.reasons("one"))


def test_a_listing_costs_one_fetch_and_brings_no_large_file(source, server):
    source().catalog()
    assert asked(server) == 2, "its branches, its trees"
    assert server.sent < 20_000


def test_as_long_as_the_branch_is_where_it_was_only_that_is_asked(source, server):
    source().catalog()
    before, sent = len(server.requests), server.sent
    again = source()
    assert again.catalog() == source(offline=True).catalog()
    assert len(server.requests) == before + 2
    assert server.sent < sent + 2000
    assert not again.freshness.offline


def test_what_is_new_on_the_branch_is_seen(source, served):
    source().catalog()
    served.commit({"four/four.py": PLUGIN})
    found = source()
    assert "four" in {e.name for e in found.catalog().plugins}
    assert found.followed("four").commit == git("rev-parse", "HEAD", cwd=served.work)


def test_a_listing_that_was_damaged_or_made_by_another_reckless_is_made_again(source, tmp_path, monkeypatch):
    first = source().catalog()
    (kept,) = (tmp_path / "cache" / "listings").glob("*.json")
    for damage in (
        "",
        "{}",
        "[1]",
        kept.read_text()[:500],
        kept.read_text().replace('"commit": "', '"commit": 7, "x": "'),
    ):
        kept.write_text(damage)
        assert source().catalog() == first
    monkeypatch.setattr("reckless.operate.git_listing.__version__", "99")
    assert source().catalog() == first
    assert '"99"' in kept.read_text()


@pytest.mark.parametrize("behind", ["#dev", "#dev:archived", "/tree/dev/archived", "#v1.0", "#v1.0:archived"])
def test_a_branch_a_tag_or_a_folder_can_be_meant(source, served, behind):
    served.commit({"archived/new/new.py": PLUGIN}, branch="dev")
    git("tag", "v1.0", cwd=served.work)
    git("push", "-q", "origin", "v1.0", cwd=served.work)
    found = source(behind)
    names = {e.name for e in found.catalog().plugins}
    assert "new" in names
    assert ("two" in names) == ("archived" not in behind)
    followed = found.followed("new")
    assert followed.kind == ("tag" if "v1.0" in behind else "branch")
    assert followed.ref == ("v1.0" if "v1.0" in behind else "dev")
    assert followed.path == "archived/new"


def test_a_plugin_is_taken_at_another_revision_where_that_is_asked_for(source, served):
    git("tag", "v0.5", cwd=served.work)
    git("push", "-q", "origin", "v0.5", cwd=served.work)
    old = git("rev-parse", "HEAD", cwd=served.work)
    served.commit({"one/one.py": PLUGIN + "# new"})
    one = source().plugin("one", "v0.5")
    assert one.followed("one").commit == old
    assert str(one.manifest.releases[0].version) == "0.5", "the tag is a version"
    with pytest.raises(FetchError) as e:
        source().plugin("one", "v9")
    assert e.value.code == "no-such-revision"
    assert "v0.5" in e.value.hint


def test_without_the_network_the_last_listing_does(source, server):
    first = source().catalog()
    server.status = 503
    found = source()
    assert found.catalog() == first
    assert found.freshness.offline


def test_without_the_network_and_a_listing_it_is_said(source, server):
    with pytest.raises(IndexSourceError) as offline:
        source(offline=True).catalog()
    assert offline.value.code == "index-unreachable"
    server.status = 503
    with pytest.raises(FetchError) as down:
        source().catalog()
    assert down.value.code == "network-down"


def test_a_repository_that_vanished_is_not_covered_up(source, server):
    source().catalog()
    server.status = 404
    with pytest.raises(FetchError) as e:
        source().catalog()
    assert e.value.code == "repository-not-found"


def test_a_submodule_is_listed_and_looked_at_when_it_is_asked_for(source, served, server, root):
    inner = Served(root / "inner.git")
    commit = inner.commit({"inner.py": PLUGIN})
    served.submodule("inner", "../inner.git", commit)
    served.submodule("empty", "../none.git", commit)
    above = served.commit()
    before = asked(server)
    found = source()
    entries = {e.name: e for e in found.catalog().plugins}
    assert "submodule" in entries["inner"].summary
    assert asked(server) == before + 2, "the submodules were not asked"
    (release,) = found.manifests(["inner"])["inner"].releases
    assert (release.source.git, release.source.rev) == (server.url("inner.git"), commit)
    followed = found.followed("inner")
    assert (followed.place, followed.path, followed.commit) == (server.url("plugins.git"), "inner", above)
    assert found.manifests(["empty"]) == {}
    assert found.problems["empty"].code == "repository-not-found"


@pytest.mark.parametrize("place", ["git+ssh://git@example.com/x", "git+ext::sh -c x", "git+nothing"])
def test_what_is_no_address_of_a_repository_is_refused(place, tmp_path):
    with pytest.raises(RecklessError) as e:
        GitRepository(place, cache=tmp_path)
    assert e.value.code in ("insecure-url", "invalid-source")


# A folder of plugins


def test_a_folder_of_plugins_is_listed_as_it_is_now(served, tmp_path):
    served.write({"two/two.py": PLUGIN + "# not committed", "five/five.py": PLUGIN})
    found = PluginFolder(served.work)
    assert {e.name for e in found.catalog().plugins} == {"five", "old", "one", "two"}
    (release,) = found.manifests(["two"])["two"].releases
    assert release.source.path == str(served.work / "two")
    assert found.followed("two").kind == "path"
    assert found.followed("two").address() == str(served.work / "two")
    first = found.followed("two").content
    served.write({"two/two.py": PLUGIN + "# changed again"})
    again = PluginFolder(served.work)
    again.manifests(["two"])
    assert again.followed("two").content != first
    assert replace(again.followed("two"), content="") == replace(found.followed("two"), content="")
