"""`reckless index build`: what gets in, what comes out, and what is never touched."""

from __future__ import annotations

import hashlib
import json
import shutil
import threading
from pathlib import Path

import pytest

from reckless.errors import IndexSourceError, ManifestError, RecklessError
from reckless.index.source import open_source
from reckless.publish import builder
from reckless.publish.builder import build_index
from reckless.system.swap import exchange
from tests.index.library import BUILTIN, REV, manifest, write_manifests

LOCK = b"requests==2.32.0 --hash=sha256:00\n"
LOCK_SHA = hashlib.sha256(LOCK).hexdigest()


def with_lock(name, sha256=LOCK_SHA, file="locks/summary-1.0.0.txt"):
    return manifest(name, more=f'build = {{ lock = {{ file = "{file}", sha256 = "{sha256}" }} }}')


@pytest.fixture
def manifests(tmp_path):
    folder = write_manifests(
        tmp_path / "in",
        with_lock("summary"),
        manifest("sling", depends=["commando", "summary>=1"], keywords=["a", "b"], rpcmethods=["sling-job"]),
        builtin=BUILTIN,
    )
    (folder / "locks").mkdir()
    (folder / "locks/summary-1.0.0.txt").write_bytes(LOCK)
    return folder


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


def tree(folder):
    return {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file()}


def findings(manifests, out, **options):
    """Build, see it refused with nothing written, and return what was found."""
    before = tree(out) if out.exists() else None
    with pytest.raises(ManifestError) as e:
        build_index(manifests, out, **options)
    assert e.value.code == "invalid-manifests"
    assert (tree(out) if out.exists() else None) == before
    return e.value.detail.splitlines()


def test_everything_is_written_as_merged_and_counted(manifests, out):
    built = build_index(manifests, out)
    assert (built.plugins, built.releases, built.builtins, built.locks) == (2, 2, 1, 1)
    assert built.findings == ()
    assert built.changed
    files = tree(out)
    assert sorted(files) == [
        "v1/builtin.toml",
        "v1/catalog.json",
        "v1/locks/summary-1.0.0.txt",
        "v1/manifests/sling.toml",
        "v1/manifests/summary.toml",
    ]
    assert files["v1/manifests/sling.toml"] == (manifests / "sling.toml").read_bytes()
    assert files["v1/builtin.toml"] == (manifests / "builtin.toml").read_bytes()
    assert oct((out / "v1").stat().st_mode & 0o055) == "0o55"


def test_the_catalog_says_what_search_shows(manifests, out):
    build_index(manifests, out)
    catalog = json.loads((out / "v1/catalog.json").read_text())
    sling, summary = catalog["plugins"]
    data = (manifests / "sling.toml").read_bytes()
    assert sling == {
        "name": "sling",
        "summary": "Does one thing",
        "sha256": hashlib.sha256(data).hexdigest(),
        "size": len(data),
        "version": "1.0.0",
        "date": "2026-08-06",
        "cln": ">=23.08",
        "language": "python",
        "category": "other",
        "status": "active",
        "keywords": ["a", "b"],
        "rpcmethods": ["sling-job"],
        "replaced_by": "",
    }
    assert summary["name"] == "summary"
    assert catalog["builtin_sha256"] == hashlib.sha256(BUILTIN.encode()).hexdigest()


def test_the_catalogs_version_is_neither_yanked_nor_a_prerelease(tmp_path, out):
    source = f'source = {{ git = "https://example.com/x", rev = "{REV}" }}'
    more = f'yanked = "broken"\n[[release]]\nversion = "3.0rc1"\n{source}\n[[release]]\nversion = "0.9"\n{source}'
    build_index(write_manifests(tmp_path / "in", manifest("a", version="2.0", more=more)), out)
    entry = json.loads((out / "v1/catalog.json").read_text())["plugins"][0]
    assert (entry["version"], entry["date"], entry["cln"]) == ("0.9", "", "")


def test_the_same_manifests_give_the_same_bytes(manifests, out, tmp_path):
    build_index(manifests, out)
    copy = tmp_path / "copy"
    copy.mkdir()
    for file in sorted(manifests.iterdir(), reverse=True):  # another order on disk, other times
        (shutil.copytree if file.is_dir() else shutil.copy)(file, copy / file.name)
    build_index(copy, tmp_path / "out2")
    assert tree(out) == tree(tmp_path / "out2")


def test_building_again_without_a_change_writes_nothing(manifests, out):
    build_index(manifests, out)
    before = (out / "v1").stat().st_ino
    assert not build_index(manifests, out).changed
    assert (out / "v1").stat().st_ino == before
    assert [f.name for f in out.iterdir()] == ["v1"]


def test_a_hand_edited_output_is_put_right(manifests, out):
    build_index(manifests, out)
    before = tree(out)
    (out / "v1/manifests/sling.toml").write_text("edited")
    assert build_index(manifests, out).changed
    assert tree(out) == before


def test_a_manifest_that_is_gone_is_gone_from_the_index_and_the_rest_of_out_stays(manifests, out):
    build_index(manifests, out)
    (out / "index.html").write_text("made by something else")
    (manifests / "sling.toml").unlink()
    build_index(manifests, out)
    assert sorted(tree(out)) == [
        "index.html",
        "v1/builtin.toml",
        "v1/catalog.json",
        "v1/locks/summary-1.0.0.txt",
        "v1/manifests/summary.toml",
    ]


def test_all_findings_of_all_manifests_come_at_once(manifests, out):
    (manifests / "bad-one.toml").write_text(manifest("bad-one", extra='licence = "MIT"').replace("23.08", "x"))
    (manifests / "bad-two.toml").write_text("schema = 1\n[plugin]\nname = 3\n")
    (manifests / "bad-three.toml").write_text("not toml")
    (manifests / "bad-four.toml").write_bytes(b"\xff\xfe")
    (manifests / "Bad_Name.toml").write_text(manifest("bad-name"))
    (manifests / "sling.toml").write_text(manifest("slang", depends=["summary"]))
    found = findings(manifests, out)
    text = "\n".join(found)
    for file in ("bad-one.toml", "bad-two.toml", "bad-three.toml", "bad-four.toml", "Bad_Name.toml", "sling.toml"):
        assert file in text
    assert sum("bad-one.toml" in line for line in found) == 2  # the unknown key, and the range
    assert "[wrong-file-name]" in text
    assert "[not-utf8]" in text


@pytest.mark.parametrize("key", ["depends", "conflicts"])
def test_a_plugin_that_does_not_exist_is_found_with_its_place(manifests, out, key):
    source = f'source = {{ git = "https://example.com/x", rev = "{REV}" }}'
    more = f'[[release]]\nversion = "2.0.0"\n{key} = ["nowhere>=1"]\n{source}'
    text = manifest("other", more=more)
    (manifests / "other.toml").write_text(text)
    line = text.splitlines().index(f'{key} = ["nowhere>=1"]') + 1
    (finding,) = findings(manifests, out)
    assert finding.startswith(f"other.toml:{line}: release[1].{key}: there is no plugin nowhere [no-such-plugin]")


def test_a_replacement_that_does_not_exist_is_found(manifests, out):
    (manifests / "other.toml").write_text(manifest("other", extra='status = "archived"\nreplaced-by = "nowhere"'))
    (finding,) = findings(manifests, out)
    assert "plugin.replaced-by" in finding


def test_a_plugin_that_depends_on_itself_is_found(manifests, out):
    (manifests / "other.toml").write_text(manifest("other", depends=["other"]))
    assert any("other names itself" in finding or "itself" in finding for finding in findings(manifests, out))


def test_a_dependency_whose_own_manifest_is_wrong_is_not_a_second_finding(manifests, out):
    (manifests / "summary.toml").write_text("schema = 1\n")
    assert all("no-such-plugin" not in finding for finding in findings(manifests, out))


def test_a_lock_must_be_there_and_match(manifests, out):
    (manifests / "summary.toml").write_text(with_lock("summary", sha256="0" * 64))
    (finding,) = findings(manifests, out)
    assert LOCK_SHA in finding
    assert "release[0].build.lock" in finding
    (manifests / "locks/summary-1.0.0.txt").unlink()
    (finding,) = findings(manifests, out)
    assert "[lock-missing]" in finding


def test_a_wrong_list_of_builtins_is_found(manifests, out):
    (manifests / "builtin.toml").write_text("schema = 1\n[builtin.commando]\nsince = 3\n")
    assert any("builtin.toml" in finding for finding in findings(manifests, out))


def test_what_belongs_to_nothing_is_left_out_and_said(manifests, out):
    (manifests / "notes.txt").write_text("x")
    (manifests / "README.md").write_text("x")
    (manifests / "locks/old.txt").write_text("x")
    built = build_index(manifests, out)
    assert [(f.file, f.code) for f in built.findings] == [
        ("notes.txt", "unknown-file"),
        ("locks/old.txt", "unused-lock"),
    ]
    assert "v1/locks/old.txt" not in tree(out)


def test_sources_of_this_machine_need_saying_so(manifests, out):
    write_manifests(manifests, manifest("here", source='{ git = "/srv/git/here", rev = "' + "a" * 40 + '" }'))
    assert findings(manifests, out)
    assert build_index(manifests, out, local=True).plugins == 3


def test_a_folder_that_is_not_there_is_an_error(tmp_path, out):
    with pytest.raises(IndexSourceError) as e:
        build_index(tmp_path / "none", out)
    assert e.value.code == "source-missing"
    assert not out.exists()


def test_no_manifests_make_an_empty_index(tmp_path, out):
    (tmp_path / "in").mkdir()
    assert build_index(tmp_path / "in", out).plugins == 0
    assert open_source(str(out), cache=tmp_path).catalog().plugins == ()


@pytest.mark.parametrize(
    "files",
    [
        {"letter.txt": "dear"},
        {"v1/letter.txt": "dear"},
        {"v1/catalog.json": "[1, 2, 3]"},
        {"v1/catalog.json": '{"schema": 1, "plugins": []}', "v1/thesis.doc": "years of work"},
        {"v1/catalog.json": '{"schema": 1, "plugins": []}', "v1/manifests/photos/a.jpg": "x"},
        {"v1/catalog.json": '{"schema": 99}'},
        {"v1": "a file"},
    ],
)
def test_a_persons_files_are_never_touched(manifests, out, files):
    for name, text in files.items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_text(text)
    before = tree(out)
    with pytest.raises(IndexSourceError) as e:
        build_index(manifests, out)
    assert e.value.code == "not-an-index"
    assert e.value.hint
    assert tree(out) == before


def test_out_that_is_a_file_or_a_link_to_elsewhere_is_refused(manifests, out, tmp_path):
    out.write_text("x")
    with pytest.raises(IndexSourceError):
        build_index(manifests, out)
    assert out.read_text() == "x"
    (tmp_path / "two").mkdir()
    (tmp_path / "two/v1").symlink_to(tmp_path / "in")
    with pytest.raises(IndexSourceError):
        build_index(manifests, tmp_path / "two")


def test_the_manifests_own_folder_is_refused_as_out(manifests):
    with pytest.raises(IndexSourceError):
        build_index(manifests, manifests)


class Killed(BaseException):
    """Stands for a SIGKILL: nothing is cleaned up after it."""


def cannot_exchange(_one, _two):
    """Stand for a system or file system that can't."""
    return False


@pytest.mark.parametrize("at", [1, 2])
def test_killed_between_its_renames_the_next_build_finishes(manifests, out, monkeypatch, at):
    build_index(manifests, out)
    before = tree(out)
    write_manifests(manifests, manifest("another"))
    count = 0
    put_in_place = builder.put_in_place

    def killed(temporary: Path, path: Path) -> None:
        nonlocal count
        count += 1
        if count >= at:
            raise Killed
        put_in_place(temporary, path)

    with monkeypatch.context() as m:
        m.setattr(builder, "exchange", cannot_exchange)
        m.setattr(builder, "put_in_place", killed)
        m.setattr(builder, "remove_tree", lambda _path: None)
        with pytest.raises(Killed):
            build_index(manifests, out)
    assert (out / "v1").exists() == (at == 1)
    write_manifests(manifests, manifest("another", version="2.0"))
    assert build_index(manifests, out).changed
    assert set(tree(out)) == {*before, "v1/manifests/another.toml"}


def test_a_first_build_that_was_killed_leaves_an_out_that_is_still_taken(manifests, out, monkeypatch):
    def killed(_temporary: Path, _path: Path) -> None:
        raise Killed

    with monkeypatch.context() as m:
        m.setattr(builder, "put_in_place", killed)
        m.setattr(builder, "remove_tree", lambda _path: None)
        with pytest.raises(Killed):
            build_index(manifests, out)
    assert build_index(manifests, out).changed
    assert [f.name for f in out.iterdir()] == ["v1"]


@pytest.mark.parametrize("after", [False, True])
def test_killed_around_the_exchange_the_next_build_finishes(manifests, out, monkeypatch, after):
    build_index(manifests, out)
    write_manifests(manifests, manifest("another"))

    def killed(one: Path, two: Path) -> bool:
        if after:
            exchange(one, two)
        raise Killed

    with monkeypatch.context() as m:
        m.setattr(builder, "exchange", killed)
        m.setattr(builder, "remove_tree", lambda _path: None)
        with pytest.raises(Killed):
            build_index(manifests, out)
    assert ("v1/manifests/another.toml" in tree(out)) == after
    build_index(manifests, out)
    assert "v1/manifests/another.toml" in tree(out)
    assert [f.name for f in out.iterdir()] == ["v1"]


def test_without_an_exchange_two_renames_do(manifests, out, monkeypatch):
    monkeypatch.setattr(builder, "exchange", cannot_exchange)
    build_index(manifests, out)
    write_manifests(manifests, manifest("another"))
    build_index(manifests, out)
    assert "v1/manifests/another.toml" in tree(out)
    assert [f.name for f in out.iterdir()] == ["v1"]


def test_an_exchange_that_fails_says_why(tmp_path):
    (tmp_path / "one").mkdir()
    with pytest.raises(FileNotFoundError):
        exchange(tmp_path / "one", tmp_path / "two")


def test_a_failed_swap_puts_the_old_index_back(manifests, out, monkeypatch):
    build_index(manifests, out)
    before = tree(out)
    write_manifests(manifests, manifest("another"))
    put_in_place = builder.put_in_place

    def full(temporary: Path, path: Path) -> None:
        if temporary.name == "new":
            raise OSError(28, "No space left on device")
        put_in_place(temporary, path)

    monkeypatch.setattr(builder, "exchange", cannot_exchange)
    monkeypatch.setattr(builder, "put_in_place", full)
    with pytest.raises(IndexSourceError, match="No space left") as e:
        build_index(manifests, out)
    assert e.value.code == "cannot-write"
    assert tree(out) == before


def test_a_reader_sees_one_index_or_the_other(manifests, out, tmp_path):
    """A reader runs while two versions are swapped back and forth; it must get a whole one, whichever it is."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    if not exchange(tmp_path / "one", tmp_path / "two"):
        pytest.skip("this file system cannot exchange two folders")
    build_index(manifests, out)
    other = write_manifests(tmp_path / "other", manifest("summary", version="2.0.0"), manifest("more"))
    stop, wrong = threading.Event(), []

    def read():
        while not stop.is_set():
            try:
                source = open_source(str(out), cache=tmp_path)
                names = {entry.name for entry in source.catalog().plugins}
                if names not in ({"sling", "summary"}, {"more", "summary"}):
                    wrong.append(names)
            except RecklessError as e:
                wrong.append(e)

    reader = threading.Thread(target=read)
    reader.start()
    for folder in [other, manifests] * 10:
        build_index(folder, out)
    stop.set()
    reader.join()
    assert wrong == []
