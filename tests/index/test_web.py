"""An index over HTTP: what is asked, how often, and what every bad server leads to."""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time

import pytest

from reckless.errors import IndexSourceError, ManifestError, RecklessError
from reckless.index.source import Sources, open_source
from reckless.index.web import Limits
from reckless.model.manifest import ShippedLock
from reckless.publish.builder import build_index
from tests.index.library import manifest, serving, write_manifests

CATALOG = "v1/catalog.json"
SHORT = Limits(timeout=0.5)


def release(manifests, built, name="summary", version="2.0.0", **rest):
    """Publish a new release of one plugin."""
    write_manifests(manifests, manifest(name, version=version, **rest))
    build_index(manifests, built)


def test_it_lists_and_gives_what_was_built(web):
    source = web()
    assert [entry.name for entry in source.catalog().plugins] == ["datastore", "sling", "summary"]
    assert source.manifests(["sling", "no-such"])["sling"].plugin.name == "sling"
    assert "no-such" not in source.manifests(["no-such"])
    assert source.builtins()["commando"].rpcmethods == ("commando",)
    assert not source.freshness.offline
    assert abs(source.freshness.fetched_at - time.time()) < 60


def test_the_catalog_is_asked_for_once_a_process_and_conditionally_after_that(web, site):
    first = web()
    first.catalog()
    first.catalog()
    assert site.seen == [(CATALOG, 200)]
    web().catalog()
    assert site.seen == [(CATALOG, 200), (CATALOG, 304)]


def test_an_unchanged_manifest_is_never_fetched_again(web, site, manifests, built):
    names = ["datastore", "sling", "summary"]
    web().manifests(names)
    assert sorted(site.paths()[1:]) == [f"v1/manifests/{name}.toml" for name in names]
    web().manifests(names)
    assert site.seen[4:] == [(CATALOG, 304)]
    release(manifests, built)
    site.seen.clear()
    assert str(web().manifests(names)["summary"].releases[0].version) == "2.0.0"
    assert site.seen == [(CATALOG, 200), ("v1/manifests/summary.toml", 200)]


def test_a_new_release_is_seen_at_once(web, manifests, built):
    web().catalog()
    release(manifests, built)
    assert {e.name: e.version for e in web().catalog().plugins}["summary"] == "2.0.0"


def test_last_modified_serves_where_there_is_no_etag(web, site):
    site.etags = False
    site.last_modified = "Thu, 06 Aug 2026 00:00:00 GMT"
    web().catalog()
    web().catalog()
    assert [status for _, status in site.seen] == [200, 304]


def test_a_last_modified_of_this_very_second_is_not_relied_on(web, site, manifests, built):
    from email.utils import formatdate

    site.etags = False
    site.last_modified = formatdate(time.time() + 1, usegmt=True)
    web().catalog()
    release(manifests, built)
    assert {e.name: e.version for e in web().catalog().plugins}["summary"] == "2.0.0"


def test_several_manifests_come_at_once_over_few_connections(tmp_path):
    names = [f"plugin{i}" for i in range(24)]
    built = tmp_path / "out"
    build_index(write_manifests(tmp_path / "in", *(manifest(name) for name in names)), built)
    with serving(built) as site:
        site.together = threading.Barrier(6)  # each answer waits until five others are asked for
        source = open_source(site.base, cache=tmp_path / "cache")
        assert sorted(source.manifests(names)) == sorted(names)
        assert len(site.seen) == 25
        assert site.connections <= 8


def test_the_network_down_means_working_from_the_cache_and_saying_so(web, site, tmp_path):
    web().manifests(["sling"])
    base = site.base
    site.stop()
    age = time.time() - 3600
    for kept in (tmp_path / "cache").glob("*/catalog"):
        os.utime(kept, (age, age))
    source = open_source(base, cache=tmp_path / "cache")
    assert list(source.manifests(["sling"])) == ["sling"]
    assert source.freshness.offline
    assert source.freshness.fetched_at == pytest.approx(age, abs=2)


def test_what_was_never_fetched_is_named_when_the_network_is_down(web, site, tmp_path):
    web().manifests(["sling"])
    base = site.base
    site.stop()
    sources = Sources([open_source(base, cache=tmp_path / "cache")])
    assert list(sources.closure(["sling", "summary"])) == ["sling"]
    assert sources.problems["summary"].code == "index-unreachable"
    with pytest.raises(IndexSourceError, match=r"manifests/summary\.toml is not kept here"):
        sources.find("summary")


def test_an_unreachable_index_with_nothing_kept_is_an_error_with_a_hint(tmp_path):
    with serving(tmp_path) as site:
        base = site.base
    with pytest.raises(IndexSourceError) as e:
        open_source(base, cache=tmp_path / "cache").catalog()
    assert e.value.code == "index-unreachable"
    assert e.value.hint


def test_offline_asks_nothing(web, site):
    web().manifests(["sling"])
    site.seen.clear()
    source = web(offline=True)
    assert list(source.manifests(["sling"])) == ["sling"]
    assert source.freshness.offline
    source.manifests(["summary"])
    assert source.problems["summary"].code == "index-unreachable"
    assert site.seen == []


def test_offline_with_nothing_kept_says_what_to_do(web, site):
    with pytest.raises(IndexSourceError) as e:
        web(offline=True).catalog()
    assert e.value.code == "index-unreachable"
    assert "offline" in e.value.hint
    assert site.seen == []


@pytest.mark.parametrize("status", ["500", "503", "429", "403"])
def test_a_server_in_trouble_is_like_none(web, site, status):
    site.faults[CATALOG] = status
    with pytest.raises(IndexSourceError, match=status) as e:
        web().catalog()
    assert e.value.code == "index-unreachable"
    site.faults.clear()
    web().catalog()
    site.faults[CATALOG] = status
    assert web().freshness.offline


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("404", "not-an-index"),
        ("html", "not-an-index"),
        ("wrong", "invalid-catalog"),
        ("truncate", "index-unreachable"),
        ("stall", "index-unreachable"),
        ("drip", "index-unreachable"),
        ("endless", "http-too-large"),
    ],
)
def test_a_bad_catalog_is_a_clear_error_and_nothing_of_it_is_kept(web, site, fault, code):
    site.faults[CATALOG] = fault
    started = time.monotonic()
    with pytest.raises(RecklessError) as e:
        web(limits=SHORT if fault in {"stall", "drip"} else None).catalog()
    assert e.value.code == code
    assert site.base in e.value.message
    assert time.monotonic() - started < 20
    site.faults.clear()
    assert len(web().catalog().plugins) == 3
    assert site.seen[-1] == (CATALOG, 200)


@pytest.mark.parametrize("fault", ["truncate", "stall", "drip"])
def test_a_catalog_that_breaks_off_leaves_the_one_that_is_kept(web, site, fault):
    web().catalog()
    site.faults[CATALOG] = fault
    source = web(limits=SHORT)
    assert len(source.catalog().plugins) == 3
    assert source.freshness.offline


def test_a_page_in_the_catalogs_place_is_never_taken_for_no_change(web, site):
    web().catalog()
    site.faults[CATALOG] = "html"
    with pytest.raises(IndexSourceError, match="web page"):
        web().catalog()


def test_a_redirect_to_plain_http_elsewhere_is_refused(web, site):
    site.faults[CATALOG] = "redirect"
    site.elsewhere = "http://example.com/index/v1/catalog.json"
    with pytest.raises(IndexSourceError) as e:
        web().catalog()
    assert e.value.code == "insecure-url"


def test_a_redirect_to_itself_ends(web, site):
    site.faults[CATALOG] = "redirect"
    site.elsewhere = f"{site.base}/{CATALOG}"
    with pytest.raises(IndexSourceError) as e:
        web().catalog()
    assert e.value.code == "http-redirects"


def test_a_newer_catalog_asks_for_an_upgrade(web, built):
    (built / CATALOG).write_text(json.dumps({"schema": 2, "plugins": {"anything": "else"}}))
    with pytest.raises(ManifestError) as e:
        web().catalog()
    assert e.value.code == "catalog-too-new"
    assert "upgrade" in e.value.hint


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("404", "file-missing"),
        ("500", "file-missing"),
        ("wrong", "digest-mismatch"),
        ("longer", "digest-mismatch"),
        ("endless", "digest-mismatch"),
        ("html", "digest-mismatch"),
        ("truncate", "index-unreachable"),
        ("drip", "index-unreachable"),
        ("redirect", "insecure-url"),
    ],
)
def test_a_bad_manifest_costs_that_plugin_only(web, site, fault, code):
    site.elsewhere = "http://example.com/x"
    site.faults["v1/manifests/sling.toml"] = fault
    source = web(limits=SHORT if fault == "drip" else None)
    assert "summary" in source.manifests(["summary"])
    assert source.manifests(["sling"]) == {}
    assert source.problems["sling"].code == code
    assert "sling" in source.problems["sling"].message or fault == "redirect"
    site.faults.clear()
    assert list(web().manifests(["sling"])) == ["sling"]


def test_a_dead_server_is_waited_for_once_not_once_a_manifest(tmp_path):
    names = [f"plugin{i}" for i in range(40)]
    built = tmp_path / "out"
    build_index(write_manifests(tmp_path / "in", *(manifest(name) for name in names)), built)
    with serving(built) as site:
        site.faults = {f"v1/manifests/{name}.toml": "stall" for name in names}
        source = open_source(site.base, cache=tmp_path / "cache", limits=SHORT)
        started = time.monotonic()
        assert source.manifests(names) == {}
        assert time.monotonic() - started < 3
        assert {p.code for p in source.problems.values()} == {"index-unreachable"}
        assert len(source.problems) == 40


def test_an_index_updated_between_two_requests_is_asked_again_once(web, site, manifests, built):
    source = web()
    source.catalog()
    release(manifests, built)
    assert str(source.manifests(["summary"])["summary"].releases[0].version) == "2.0.0"
    assert {e.name: e.version for e in source.catalog().plugins}["summary"] == "2.0.0"
    assert site.paths().count(CATALOG) == 2
    assert site.asked[2]["cache-control"] == "no-cache"


def test_an_invalid_manifest_in_an_index_is_named_and_the_others_work(web, built):
    text = b"schema = 1\n[plugin]\nname = 3\n"
    (built / "v1/manifests/sling.toml").write_bytes(text)
    catalog = json.loads((built / CATALOG).read_text())
    for entry in catalog["plugins"]:
        if entry["name"] == "sling":
            entry |= {"sha256": hashlib.sha256(text).hexdigest(), "size": len(text)}
    (built / CATALOG).write_text(json.dumps(catalog))
    sources = Sources([web()])
    assert sorted(sources.closure(["sling", "summary"])) == ["datastore", "summary"]
    with pytest.raises(ManifestError, match=r"sling\.toml"):
        sources.find("sling")


def test_another_plugins_manifest_is_refused(web, built):
    text = (built / "v1/manifests/summary.toml").read_bytes()
    (built / "v1/manifests/sling.toml").write_bytes(text)
    catalog = json.loads((built / CATALOG).read_text())
    for entry in catalog["plugins"]:
        if entry["name"] == "sling":
            entry |= {"sha256": hashlib.sha256(text).hexdigest(), "size": len(text)}
    (built / CATALOG).write_text(json.dumps(catalog))
    source = web()
    assert source.manifests(["sling"]) == {}
    assert "summary" in source.problems["sling"].message


def test_a_damaged_cache_is_fetched_again_and_never_believed(web, site, tmp_path):
    web().manifests(["sling"])
    kept = [f for f in (tmp_path / "cache").rglob("*") if f.is_file()]
    assert len(kept) == 2
    for file in kept:
        file.write_bytes(file.read_bytes().replace(b"sling", b"slong"))
    site.seen.clear()
    assert list(web().manifests(["sling"])) == ["sling"]
    assert site.seen == [(CATALOG, 200), ("v1/manifests/sling.toml", 200)]
    for damage in (b"", b"\x00\xff", b"[]\n", b'{"sha256": 3}\n' + b"x" * 100, b"[" * 100_000):
        for file in kept:
            file.write_bytes(damage)
        assert list(web().manifests(["sling"])) == ["sling"]


def test_a_cache_that_cannot_be_written_is_done_without(web, site, tmp_path):
    (tmp_path / "cache").write_text("a file where the folder should be")
    assert list(web().manifests(["sling"])) == ["sling"]
    assert list(web().manifests(["sling"])) == ["sling"]


def test_two_indexes_do_not_share_a_catalog(tmp_path, built):
    with serving(built) as one:
        open_source(one.base, cache=tmp_path / "cache").catalog()
        first = one.base
    build_index(write_manifests(tmp_path / "other", manifest("other")), tmp_path / "out2")
    with serving(tmp_path / "out2") as two:
        source = open_source(two.base, cache=tmp_path / "cache")
        assert [e.name for e in source.catalog().plugins] == ["other"]
    assert len(open_source(first, cache=tmp_path / "cache", offline=True).catalog().plugins) == 3


def test_several_threads_and_processes_at_once_are_harmless(web, site):
    answers = []

    def work():
        answers.extend(sorted(web().manifests(["sling", "summary", "datastore"])) for _ in range(5))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [["datastore", "sling", "summary"]] * 20


def test_a_shipped_lock_is_checked_and_kept(web, site, manifests, built):
    data = b"requests==2.32.0 --hash=sha256:00\n"
    (manifests / "locks").mkdir()
    (manifests / "locks/sling-2.txt").write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    lock = ShippedLock(file="locks/sling-2.txt", sha256=digest)
    more = f'build = {{ lock = {{ file = "{lock.file}", sha256 = "{digest}" }} }}'
    release(manifests, built, name="sling", more=more)
    assert web().manifests(["sling"])["sling"].releases[0].build.lock == lock
    assert web().lock(lock) == data
    assert web().lock(lock) == data
    assert site.paths().count("v1/locks/sling-2.txt") == 1
    with pytest.raises(IndexSourceError) as e:
        web().lock(ShippedLock(file=lock.file, sha256="0" * 64))
    assert e.value.code == "digest-mismatch"
    for bad in ("locks/../catalog.json", "catalog.json", "/etc/passwd", "locks//x"):
        with pytest.raises(IndexSourceError):
            web().lock(ShippedLock(file=bad, sha256=digest))


def test_an_index_of_this_machine_may_name_sources_of_this_machine(web, manifests, built):
    write_manifests(manifests, manifest("here", source='{ git = "/srv/git/here", rev = "' + "a" * 40 + '" }'))
    build_index(manifests, built, local=True)
    assert web().manifests(["here"])["here"].releases[0].source.git == "/srv/git/here"


@pytest.mark.parametrize(
    "url",
    ["http://example.com/index", "ftp://example.com", "https://me:secret@example.com/x", "file:///etc", "https://"],
)
def test_only_https_and_this_machine_are_sources(tmp_path, url):
    with pytest.raises(IndexSourceError) as e:
        open_source(url, cache=tmp_path)
    assert e.value.code == "insecure-url"
    assert "secret" not in e.value.message


@pytest.mark.parametrize("url", ["https://example.com/?a=b", "https://example.com/#x"])
def test_an_address_with_more_behind_it_is_no_source(tmp_path, url):
    with pytest.raises(IndexSourceError, match="address of a folder"):
        open_source(url, cache=tmp_path)


def test_a_slash_at_the_end_makes_no_difference(web, site, tmp_path):
    web().catalog()
    open_source(site.base + "/", cache=tmp_path / "cache").catalog()
    assert [status for _, status in site.seen] == [200, 304]


def test_a_lock_that_cannot_be_had_is_an_error(web, site):
    with pytest.raises(IndexSourceError) as e:
        web().lock(ShippedLock(file="locks/none.txt", sha256="0" * 64))
    assert e.value.code == "file-missing"


def test_a_list_of_builtins_that_cannot_be_had_is_an_error_and_not_an_empty_list(web, site):
    site.faults["v1/builtin.toml"] = "wrong"
    with pytest.raises(IndexSourceError) as e:
        web().builtins()
    assert e.value.code == "digest-mismatch"


def test_a_manifest_that_is_not_text_is_refused(web, built):
    data = b"\xff\xfe" * 20
    (built / "v1/manifests/sling.toml").write_bytes(data)
    catalog = json.loads((built / CATALOG).read_text())
    for entry in catalog["plugins"]:
        if entry["name"] == "sling":
            entry |= {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
    (built / CATALOG).write_text(json.dumps(catalog))
    source = web()
    assert source.manifests(["sling"]) == {}
    assert "UTF-8" in source.problems["sling"].message


def test_a_server_that_goes_away_between_catalog_and_manifest_leaves_the_others(web, site, manifests, built):
    web().manifests(["sling"])
    source = web()
    source.catalog()
    release(manifests, built)
    site.faults[CATALOG] = "truncate"
    assert list(source.manifests(["sling", "summary"])) == ["sling"]
    assert source.problems["summary"].code == "digest-mismatch"
