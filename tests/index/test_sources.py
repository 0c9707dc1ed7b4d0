"""Several sources, in order of preference."""

from __future__ import annotations

import pytest

from reckless.errors import IndexSourceError
from reckless.index.source import Sources, open_source
from reckless.publish.builder import build_index
from tests.index.library import BUILTIN, manifest, serving, write_manifests


def folder(tmp_path, name, *texts, builtin=""):
    return open_source(str(write_manifests(tmp_path / name, *texts, builtin=builtin)), cache=tmp_path / "cache")


def test_the_same_name_in_two_sources_is_the_first_ones(tmp_path):
    mine = folder(tmp_path, "mine", manifest("sling", version="0.1"))
    theirs = folder(tmp_path, "theirs", manifest("sling", version="9.0"), manifest("summary"))
    sources = Sources([mine, theirs])
    assert [(entry.name, source) for entry, source in sources.catalog()] == [("sling", mine), ("summary", theirs)]
    found = sources.closure(["sling", "summary"])
    assert found["sling"].source is mine
    assert str(found["sling"].manifest.releases[0].version) == "0.1"
    assert found["summary"].source is theirs


def test_a_name_does_not_move_to_another_source_because_its_manifest_is_broken(tmp_path):
    mine = folder(tmp_path, "mine", manifest("other"), 'name = "sling"')
    theirs = folder(tmp_path, "theirs", manifest("sling"))
    sources = Sources([mine, theirs])
    assert sources.closure(["sling"]) == {}
    assert [entry.name for entry, _ in sources.catalog()] == ["other"]
    assert sources.problems["sling"].code == "invalid-manifest"


def test_a_preferred_source_that_fails_is_not_skipped(tmp_path):
    with serving(tmp_path) as site:
        base = site.base
    down = open_source(base, cache=tmp_path / "cache")
    with pytest.raises(IndexSourceError) as e:
        Sources([down, folder(tmp_path, "theirs", manifest("sling"))]).closure(["sling"])
    assert e.value.code == "index-unreachable"


def test_the_closure_follows_dependencies_of_every_release_across_sources_and_ends_in_circles(tmp_path):
    source = f'source = {{ git = "https://example.com/x", rev = "{"1" * 40}" }}'
    old = f'[[release]]\nversion = "0.9"\ndepends = ["four"]\n{source}'
    one = folder(tmp_path, "one", manifest("one", depends=["two>=1"]), manifest("three", depends=["one"]))
    two = folder(tmp_path, "two", manifest("two", depends=["three", "nowhere"], more=old), manifest("four"))
    found = Sources([one, two]).closure(["one"])
    assert list(found) == ["four", "one", "three", "two"]
    assert found["four"].source is two


def test_a_closure_takes_one_round_of_requests_a_level(tmp_path):
    texts = [manifest("root", depends=[f"leaf{i}" for i in range(5)]), *(manifest(f"leaf{i}") for i in range(5))]
    build_index(write_manifests(tmp_path / "in", *texts, manifest("unrelated")), tmp_path / "out")
    with serving(tmp_path / "out") as site:
        sources = Sources([open_source(site.base, cache=tmp_path / "cache")])
        assert len(sources.closure(["root"])) == 6
        assert site.paths()[:2] == ["v1/catalog.json", "v1/manifests/root.toml"]
        assert len(site.seen) == 7
        assert sources.find("leaf1").manifest.name == "leaf1"
        assert sources.find("no-such") is None
        assert len(site.seen) == 7


def test_builtins_are_merged_in_the_same_order(tmp_path):
    mine = folder(tmp_path, "mine", manifest("a"), builtin='schema = 1\n[builtin.commando]\nsince = "22.11"\n')
    theirs = folder(tmp_path, "theirs", manifest("b"), builtin=BUILTIN + '[builtin.pay]\nsince = "0.7.0"\n')
    merged = Sources([mine, theirs]).builtins()
    assert str(merged["commando"].since) == "22.11"
    assert sorted(merged) == ["commando", "pay"]


def test_no_sources_at_all_find_nothing():
    assert Sources([]).catalog() == ()
    assert Sources([]).closure(["sling"]) == {}


def test_where_no_source_knows_builtins_those_of_the_snapshot_hold(tmp_path):
    mine = folder(tmp_path, "mine", manifest("a"))
    assert Sources([mine]).builtins() == open_source("embedded", cache=tmp_path).builtins()
    assert Sources([mine]).all == (mine,)
