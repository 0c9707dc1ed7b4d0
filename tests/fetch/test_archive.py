"""An archive is checked by its digest before it is opened, and nothing in it can reach out of its folder."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import hashlib
import io
import lzma
import os
import stat
import struct
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reckless.errors import FetchError
from reckless.fetch.extract import extract
from reckless.fetch.limits import Deadline, Limits
from reckless.model.manifest import ArchiveSource
from tests.fetch.conftest import tree
from tests.servers import FileServer

FILES = {"summary-1.0/summary.py": "#!/usr/bin/env python3\n", "summary-1.0/lib/a.py": "a"}


def member(name: str, data: bytes = b"", **what: object) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for key, value in what.items():
        setattr(info, key, value)
    return info, data


def make_tar(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for info, data in members:
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def make_zip(files: dict[str, str], *, mode: int = 0o644) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as pack:
        for name, text in files.items():
            info = zipfile.ZipInfo(name)
            info.create_system = 3
            info.external_attr = (stat.S_IFREG | mode if not mode & stat.S_IFMT(mode) else mode) << 16
            pack.writestr(info, text, zipfile.ZIP_DEFLATED)
    return out.getvalue()


PLAIN = make_tar(*(member(name, text.encode(), mode=0o755 if "!" in text else 0o600) for name, text in FILES.items()))
KINDS = {
    "tar": PLAIN,
    "tar.gz": gzip.compress(PLAIN),
    "tar.bz2": bz2.compress(PLAIN),
    "tar.xz": lzma.compress(PLAIN),
    "zip": make_zip(FILES, mode=0o755),
}


def source(server: FileServer, data: bytes, *, subdir: str = "", sha256: str = "") -> ArchiveSource:
    (server.root / "archive").write_bytes(data)
    return ArchiveSource(
        archive=server.url("archive"), sha256=sha256 or hashlib.sha256(data).hexdigest(), subdir=subdir
    )


@pytest.fixture
def files(root: Path):
    with FileServer(root) as server:
        yield server


@pytest.fixture
def unpack(tmp_path: Path):
    """Extract bytes with small limits, and look that nothing was written outside."""

    def call(data: bytes, limits: Limits | None = None) -> Path:
        place = tmp_path / "place"
        place.mkdir()
        archive = tmp_path / "archive"
        archive.write_bytes(data)
        try:
            extract(archive, place / "tree", deadline=Deadline(60, "it"), limits=limits)
        finally:
            assert {p.name for p in place.iterdir()} <= {"tree"}
            assert {p.name for p in tmp_path.iterdir()} <= {"place", "archive"}
        return place / "tree"

    return call


def refusal(call, *arguments, **options) -> FetchError:
    with pytest.raises(FetchError) as caught:
        call(*arguments, **options)
    return caught.value


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_archive_unpacks(kind, files, bring):
    got = bring(source(files, KINDS[kind], subdir="summary-1.0"))
    assert tree(got) == FILES
    assert stat.S_IMODE((got / "summary-1.0/summary.py").stat().st_mode) == 0o755
    assert stat.S_IMODE((got / "summary-1.0/lib").stat().st_mode) == 0o755


def test_it_is_fetched_once(files, bring):
    bring(source(files, KINDS["tar.gz"]))
    assert tree(bring(source(files, KINDS["tar.gz"]))) == FILES
    assert len(files.requests) == 1


def test_a_damaged_cache_is_fetched_anew(files, bring, tmp_path):
    bring(source(files, KINDS["tar.gz"]))
    (kept,) = (tmp_path / "cache/archives").iterdir()
    kept.write_bytes(b"damaged")
    assert tree(bring(source(files, KINDS["tar.gz"]))) == FILES


def test_a_wrong_digest_shows_both_and_keeps_nothing(files, bring, tmp_path):
    error = refusal(bring, source(files, KINDS["zip"], sha256="ab" * 32))
    assert error.code == "digest-mismatch"
    assert "ab" * 32 in error.message
    assert hashlib.sha256(KINDS["zip"]).hexdigest() in error.message
    assert list((tmp_path / "cache/archives").iterdir()) == []


def test_local_paths_and_file_urls_work_and_are_checked_too(bring, tmp_path):
    archive = tmp_path / "a b.tar.gz"
    archive.write_bytes(KINDS["tar.gz"])
    sha256 = hashlib.sha256(KINDS["tar.gz"]).hexdigest()
    for url in (str(archive), archive.as_uri()):
        cache = tmp_path / f"cache-{len(url)}"
        assert tree(bring(ArchiveSource(archive=url, sha256=sha256), cache=cache)) == FILES
    assert refusal(bring, ArchiveSource(archive=str(archive), sha256="ab" * 32)).code == "digest-mismatch"
    assert refusal(bring, ArchiveSource(archive="/no/such", sha256="ab" * 32)).code == "archive-not-found"


@pytest.mark.parametrize("url", ["http://example.com/a", "ftp://example.com/a", "a.tar", "file://host/a", ""])
def test_other_addresses_are_refused(url, bring):
    assert refusal(bring, ArchiveSource(archive=url, sha256="ab" * 32)).code == "insecure-url"


def test_a_missing_archive_is_archive_not_found(files, bring):
    gone = ArchiveSource(archive=files.url("gone"), sha256="ab" * 32)
    assert refusal(bring, gone).code == "archive-not-found"


def test_no_server_is_network_down(root, bring):
    with FileServer(root) as server:
        url = server.url("a")
    assert refusal(bring, ArchiveSource(archive=url, sha256="ab" * 32)).code == "network-down"


def test_a_folder_that_is_not_there_says_which_are(files, bring):
    error = refusal(bring, source(files, KINDS["zip"], subdir="summary-1.1"))
    assert error.code == "no-such-folder"
    assert "summary-1.0" in error.hint


@pytest.mark.parametrize("data", [b"", b"not an archive", b"PK\x03\x04rubbish", b"\x1f\x8b\x08rubbish", b"BZhrubbish"])
def test_what_is_no_archive_is_archive_broken(data, files, bring):
    assert refusal(bring, source(files, data)).code == "archive-broken"


@pytest.mark.parametrize("kind", KINDS)
def test_an_archive_cut_short_is_archive_broken(kind, unpack):
    data = KINDS[kind]
    cut = 700 if kind == "tar" else len(data) // 2
    assert refusal(unpack, data[:cut]).code == "archive-broken"


@pytest.mark.parametrize("name", ["/etc/passwd", "../x", "a/../../x", "..", "a/.."])
def test_paths_that_lead_out_are_refused(name, unpack):
    assert refusal(unpack, make_tar(member(name, b"x"))).code == "unsafe-path"


@pytest.mark.parametrize("name", ["/etc/passwd", "../x", "a/../../x", "..\\x", "C:\\x"])
def test_paths_that_lead_out_of_a_zip_are_refused(name, unpack):
    assert refusal(unpack, make_zip({name: "x"})).code in {"unsafe-path", "unsafe-member"}


@pytest.mark.parametrize("target", ["/etc/passwd", "../../x", "a/../../../x", ""])
def test_links_that_lead_out_are_refused(target, unpack):
    assert refusal(unpack, make_tar(member("d/link", type=tarfile.SYMTYPE, linkname=target))).code == "unsafe-link"


def test_links_that_lead_out_of_a_zip_are_refused(unpack):
    assert refusal(unpack, make_zip({"link": "../x"}, mode=stat.S_IFLNK | 0o777)).code == "unsafe-link"


def test_links_within_stay(unpack):
    data = make_tar(member("d/a", b"x"), member("l", type=tarfile.SYMTYPE, linkname="d/a"))
    assert tree(unpack(data)) == {"d/a": "x", "l": "-> d/a"}


def test_links_within_a_zip_stay(unpack):
    assert tree(unpack(make_zip({"link": "a/b"}, mode=stat.S_IFLNK | 0o777))) == {"link": "-> a/b"}


def test_nothing_is_written_through_a_link(unpack):
    data = make_tar(member("l", type=tarfile.SYMTYPE, linkname="."), member("l/x", b"x"))
    assert refusal(unpack, data).code == "unsafe-path"


def test_hard_links_become_copies_of_earlier_members_only(unpack):
    within = make_tar(member("a", b"x", mode=0o755), member("b", type=tarfile.LNKTYPE, linkname="a"))
    assert tree(unpack(within)) == {"a": "x", "b": "x"}


@pytest.mark.parametrize("target", ["/etc/passwd", "../archive", "later", "d"])
def test_hard_links_to_anything_else_are_refused(target, unpack):
    data = make_tar(
        member("d", type=tarfile.DIRTYPE), member("b", type=tarfile.LNKTYPE, linkname=target), member("later")
    )
    assert refusal(unpack, data).code in {"unsafe-link", "unsafe-path"}


@pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_devices_and_pipes_are_refused(kind, unpack):
    assert refusal(unpack, make_tar(member("x", type=kind))).code == "unsafe-member"


def test_devices_in_a_zip_are_refused(unpack):
    assert refusal(unpack, make_zip({"x": ""}, mode=stat.S_IFIFO | 0o644)).code == "unsafe-member"


def test_setuid_and_wide_open_modes_are_dropped(unpack):
    got = unpack(
        make_tar(member("a", mode=0o6777), member("b", mode=0o666), member("d", type=tarfile.DIRTYPE, mode=0o1777))
    )
    assert [stat.S_IMODE((got / name).stat().st_mode) for name in "abd"] == [0o755, 0o644, 0o755]


@pytest.mark.parametrize(
    "members",
    [
        (member("a", b"1"), member("a", b"2")),
        (member("a", b"1"), member("./a", b"2")),
        (member("a", b"1"), member("a/b", b"2")),
        (member("a/b", b"1"), member("a", b"2")),
        (member("a", type=tarfile.SYMTYPE, linkname="b"), member("a", b"2")),
    ],
)
def test_names_that_come_twice_are_refused(members, unpack):
    assert refusal(unpack, make_tar(*members)).code == "unsafe-path"


def test_folders_may_come_twice_and_after_their_files(unpack):
    data = make_tar(member("d/a", b"1"), member("d", type=tarfile.DIRTYPE), member("./d/", type=tarfile.DIRTYPE))
    assert tree(unpack(data)) == {"d/a": "1"}


def test_git_folders_are_left_out(unpack):
    assert tree(unpack(make_tar(member("s/.git/config", b"1"), member("s/.GIT/x", b"1"), member("s/a", b"1")))) == {
        "s/a": "1"
    }


def test_a_bomb_is_seen_before_it_has_gone_off(unpack):
    bomb = gzip.compress(make_tar(member("zeros", bytes(60 << 20))))
    assert refusal(unpack, bomb).code == "archive-bomb"


def test_a_zip_bomb_is_seen_before_it_has_gone_off(unpack):
    assert refusal(unpack, make_zip({"zeros": "\0" * (60 << 20)})).code == "archive-bomb"


def test_a_zip_that_lies_about_its_sizes_is_refused(unpack):
    data = bytearray(make_zip({"a": "x" * 100_000}))
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = data.index(signature) + offset
        data[at : at + 4] = struct.pack("<I", 10)
    assert refusal(unpack, bytes(data)).code == "archive-broken"


def test_a_sparse_bomb_is_seen(unpack):
    pax = {
        "GNU.sparse.major": "1",
        "GNU.sparse.minor": "0",
        "GNU.sparse.realsize": str(1 << 40),
        "GNU.sparse.name": "x",
    }
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        info = tarfile.TarInfo("x")
        info.pax_headers = pax
        body = f"1\n{(1 << 40) - 1}\n1\n".encode().ljust(512, b"\0")
        info.size = len(body)
        tar.addfile(info, io.BytesIO(body))
    assert refusal(unpack, out.getvalue()).code in {"archive-bomb", "archive-broken"}


def test_a_header_that_fills_the_memory_is_refused(unpack):
    header = bytearray(make_tar(member("x", type=tarfile.XHDTYPE))[:512])
    header[124:136] = b"%011o\0" % (1 << 30)
    header[148:156] = b"%06o\0 " % (sum(header[:148]) + sum(header[156:]) + 8 * 32)
    assert refusal(unpack, bytes(header) + bytes(2048)).code == "archive-bomb"


def test_an_xz_that_wants_all_memory_is_refused(unpack):
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 1 << 30}]
    assert refusal(unpack, lzma.compress(PLAIN, filters=filters)).code == "archive-broken"


def test_too_many_members_too_many_bytes_and_too_deep_are_refused(unpack, tmp_path):
    many = make_tar(*(member(str(n)) for n in range(50)))
    assert refusal(unpack, many, Limits(files=40)).code in {"tree-too-large", "archive-bomb"}
    for data, limits in (
        (make_tar(member("a", bytes(2000))), Limits(bytes=1500)),
        (make_tar(member("/".join("d" * 10))), Limits(depth=5)),
    ):
        (tmp_path / "archive").unlink()
        for path in sorted((tmp_path / "place").rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        (tmp_path / "place").rmdir()
        assert refusal(unpack, data, limits).code in {"tree-too-large", "archive-bomb"}


NAMES = st.lists(
    st.sampled_from(["a", "b", "..", ".", "", "A", ".git", "é", "x y", "~", "\\", "*"]) | st.text(max_size=4),
    min_size=1,
    max_size=5,
).map("/".join)
KIND = st.sampled_from([tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE])


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(members=st.lists(st.tuples(NAMES, KIND, NAMES), max_size=8))
def test_whatever_an_archive_holds_nothing_gets_out(members, tmp_path_factory):
    top = tmp_path_factory.mktemp("fuzz")
    (top / "canary").write_text("alive")
    archive = top / "archive"
    try:
        archive.write_bytes(make_tar(*(member(n, type=kind, linkname=target) for n, kind, target in members)))
    except (ValueError, UnicodeError):
        return
    (top / "in").mkdir()
    try:
        extract(archive, top / "in" / "tree", deadline=Deadline(60, "it"))
    except FetchError:
        pass
    else:
        real = os.path.realpath(top / "in/tree")
        assert all(os.path.realpath(p).startswith(real) for p in Path(real).rglob("*"))
    assert {p.name for p in top.iterdir()} == {"canary", "archive", "in"}
    assert {p.name for p in (top / "in").iterdir()} == {"tree"}


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(kind=st.sampled_from(sorted(KINDS)), data=st.data())
def test_a_mangled_archive_is_an_error_or_a_tree_and_never_a_crash(kind, data, tmp_path_factory):
    top = tmp_path_factory.mktemp("mangled")
    bent = bytearray(KINDS[kind])
    for _ in range(data.draw(st.integers(1, 6))):
        bent[data.draw(st.integers(0, len(bent) - 1))] = data.draw(st.integers(0, 255))
    (top / "archive").write_bytes(bent)
    with contextlib.suppress(FetchError):
        extract(top / "archive", top / "tree", deadline=Deadline(60, "it"))
    assert {p.name for p in top.iterdir()} <= {"archive", "tree"}
