"""Folders as sources: a built index, and plain manifests."""

from __future__ import annotations

import hashlib
import os

import pytest

from reckless.errors import IndexSourceError, ManifestError
from reckless.index.source import Sources, open_source
from reckless.model.manifest import ShippedLock
from reckless.publish.builder import build_index
from tests.index.library import manifest, write_manifests


@pytest.fixture(params=["plain", "built"])
def source(request, tmp_path, manifests, built):
    """The same plugins as a folder of manifests, and as the index built of them."""
    return open_source(str(manifests if request.param == "plain" else built), cache=tmp_path / "cache")


def test_both_kinds_answer_the_same(source):
    assert [entry.name for entry in source.catalog().plugins] == ["datastore", "sling", "summary"]
    assert list(source.manifests(["sling", "no-such"])) == ["sling"]
    assert source.builtins()["commando"].name == "commando"
    assert not source.freshness.offline
    assert source.freshness.fetched_at is None
    assert source.problems == {}


def test_nothing_is_written(source, tmp_path):
    source.manifests(["sling"])
    assert not (tmp_path / "cache").exists()


def test_a_lock_is_checked(tmp_path, manifests, built):
    data = b"requests==2.32.0 --hash=sha256:00\n"
    lock = ShippedLock(file="locks/sling-1.txt", sha256=hashlib.sha256(data).hexdigest())
    for root in (manifests, built / "v1"):
        (root / "locks").mkdir()
        (root / lock.file).write_bytes(data)
    for place in (manifests, built):
        source = open_source(str(place), cache=tmp_path)
        assert source.lock(lock) == data
        with pytest.raises(IndexSourceError) as e:
            source.lock(ShippedLock(file=lock.file, sha256="0" * 64))
        assert e.value.code == "digest-mismatch"
        with pytest.raises(IndexSourceError) as e:
            source.lock(ShippedLock(file="locks/none.txt", sha256="0" * 64))
        assert e.value.code == "file-missing"
        for bad in ("locks/../../secret", "builtin.toml", "/etc/passwd", "locks/"):
            with pytest.raises(IndexSourceError):
                source.lock(ShippedLock(file=bad, sha256=lock.sha256))


def test_plain_manifests_may_name_sources_of_this_machine(tmp_path):
    text = manifest("here", source='{ git = "/srv/git/here", rev = "' + "a" * 40 + '" }')
    source = open_source(str(write_manifests(tmp_path / "in", text)), cache=tmp_path)
    assert source.manifests(["here"])["here"].releases[0].source.git == "/srv/git/here"


def test_a_plain_folder_without_builtins_or_locks_will_do(tmp_path):
    source = open_source(str(write_manifests(tmp_path / "in", manifest("one"))), cache=tmp_path)
    assert source.builtins() == {}
    assert list(source.manifests(["one"])) == ["one"]


@pytest.mark.parametrize(
    "content", [b"schema = 1\n[plugin]\nname = 3\n", b"not toml", b"\xff\xfe", b"#" * (1 << 20) + b"#", b"schema = 2\n"]
)
def test_an_unusable_manifest_is_named_and_the_others_work(tmp_path, manifests, content):
    (manifests / "broken.toml").write_bytes(content)
    sources = Sources([open_source(str(manifests), cache=tmp_path)])
    assert [entry.name for entry, _ in sources.catalog()] == ["datastore", "sling", "summary"]
    assert list(sources.closure(["broken", "sling"])) == ["sling"]
    with pytest.raises((ManifestError, IndexSourceError), match=r"broken\.toml"):
        sources.find("broken")


def test_a_manifest_under_another_name_is_refused(tmp_path, manifests):
    (manifests / "slang.toml").write_text(manifest("sling"))
    source = open_source(str(manifests), cache=tmp_path)
    assert "it says that it is of sling" in source.problems.get("slang", ManifestError("", "")).message


def test_a_changed_file_in_a_built_folder_is_not_believed(tmp_path, built):
    (built / "v1/manifests/sling.toml").write_text(manifest("sling", summary="Changed by hand"))
    source = open_source(str(built), cache=tmp_path)
    assert list(source.manifests(["sling", "summary"])) == ["summary"]
    assert source.problems["sling"].code == "digest-mismatch"
    (built / "v1/builtin.toml").unlink()
    with pytest.raises(IndexSourceError) as e:
        source.builtins()
    assert e.value.code == "file-missing"


def test_an_index_rebuilt_while_it_is_read_is_read_again(tmp_path, manifests, built):
    source = open_source(str(built), cache=tmp_path)
    source.catalog()
    write_manifests(manifests, manifest("sling", version="2.0.0"))
    build_index(manifests, built)
    assert str(source.manifests(["sling"])["sling"].releases[0].version) == "2.0.0"


def test_a_builtin_list_that_changed_is_read_again(tmp_path, manifests, built):
    source = open_source(str(built), cache=tmp_path)
    source.catalog()
    (manifests / "builtin.toml").write_text(
        'schema = 1\n[builtin.commando]\nsince = "0.12.0"\n[builtin.pay]\nsince="0.7.0"\n'
    )
    build_index(manifests, built)
    assert sorted(source.builtins()) == ["commando", "pay"]


def test_no_such_folder_and_no_index_in_it_are_different_errors(tmp_path):
    with pytest.raises(IndexSourceError) as e:
        open_source(str(tmp_path / "none"), cache=tmp_path)
    assert e.value.code == "source-missing"
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(IndexSourceError) as e:
        open_source(str(tmp_path), cache=tmp_path)
    assert e.value.code == "not-an-index"
    assert e.value.hint


def test_what_is_not_a_regular_file_is_not_read(tmp_path, manifests):
    os.mkfifo(manifests / "pipe.toml")
    (manifests / "folder.toml").mkdir()
    (manifests / "gone.toml").symlink_to("nowhere")
    source = open_source(str(manifests), cache=tmp_path)
    assert len(source.catalog().plugins) == 3
    assert {name: e.code for name, e in source.problems.items()} == {
        "pipe": "unreadable",
        "folder": "unreadable",
        "gone": "file-missing",
    }
