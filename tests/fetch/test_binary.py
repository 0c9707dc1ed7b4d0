"""Ready-made programs come as archives, compressed, or bare; nothing is touched before its digest is right."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import hashlib
import lzma
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reckless.errors import FetchError
from reckless.fetch.extract import unpack
from reckless.fetch.limits import Deadline, Limits
from reckless.model.manifest import Binary
from tests.fetch.conftest import tree
from tests.fetch.test_archive import make_tar, make_zip, member
from tests.servers import FileServer

PROGRAM = "#!/bin/sh\necho up\n" + "# padding\n" * 200
PACKED = make_tar(member("tiny-1.0/tiny", PROGRAM.encode(), mode=0o755), member("tiny-1.0/README", b"read me"))
KINDS = {
    "tar.gz": (gzip.compress(PACKED), {"tiny-1.0/tiny": PROGRAM, "tiny-1.0/README": "read me"}),
    "tar.xz": (lzma.compress(PACKED), {"tiny-1.0/tiny": PROGRAM, "tiny-1.0/README": "read me"}),
    "zip": (make_zip({"tiny": PROGRAM}, mode=0o644), {"tiny": PROGRAM}),
    "gz": (gzip.compress(PROGRAM.encode()), {"summary": PROGRAM}),
    "xz": (lzma.compress(PROGRAM.encode()), {"summary": PROGRAM}),
    "bz2": (bz2.compress(PROGRAM.encode()), {"summary": PROGRAM}),
    "bare": (PROGRAM.encode(), {"summary": PROGRAM}),
    "bare and short": (b"#!/bin/true\n", {"summary": "#!/bin/true\n"}),
}


@pytest.fixture
def files(root: Path):
    with FileServer(root) as server:
        yield server


def binary(server: FileServer, data: bytes, *, sha256: str = "") -> Binary:
    (server.root / "tiny").write_bytes(data)
    digest = sha256 or hashlib.sha256(data).hexdigest()
    return Binary(target="x86_64-linux-gnu", url=server.url("tiny"), sha256=digest)


@pytest.mark.parametrize("kind", KINDS)
def test_every_form_that_a_program_comes_in(kind, files, bring):
    data, expected = KINDS[kind]
    into = bring(binary(files, data))
    assert tree(into) == expected
    if "summary" in expected:
        assert stat.S_IMODE((into / "summary").stat().st_mode) == 0o755


@pytest.mark.parametrize("kind", KINDS)
def test_a_wrong_digest_keeps_nothing(kind, files, bring, tmp_path):
    with pytest.raises(FetchError) as e:
        bring(binary(files, KINDS[kind][0], sha256="ab" * 32))
    assert e.value.code == "digest-mismatch"
    assert list((tmp_path / "cache/archives").iterdir()) == []


def test_it_is_fetched_once(files, bring):
    bring(binary(files, KINDS["gz"][0]))
    bring(binary(files, KINDS["gz"][0]))
    assert len(files.requests) == 1


def test_a_program_that_is_not_there(files, bring):
    with pytest.raises(FetchError) as e:
        bring(Binary(target="x86_64-linux-gnu", url=files.url("gone"), sha256="ab" * 32))
    assert e.value.code == "archive-not-found"


def bounded(data: bytes, folder: Path, limits: Limits | None = None) -> Path:
    (folder / "packed").write_bytes(data)
    unpack(folder / "packed", folder / "tree", "tiny", deadline=Deadline(60, "it"), limits=limits)
    return folder / "tree"


def test_a_compressed_bomb_is_seen_before_it_has_gone_off(tmp_path):
    with pytest.raises(FetchError) as e:
        bounded(gzip.compress(bytes(64 << 20)), tmp_path)
    assert e.value.code == "archive-bomb"


def test_one_that_is_too_large(tmp_path):
    with pytest.raises(FetchError) as e:
        bounded(b"x" * 3000, tmp_path, Limits(bytes=2000))
    assert e.value.code == "archive-bomb"


@pytest.mark.parametrize("kind", ["gz", "xz", "bz2"])
def test_one_that_was_cut_short_is_broken(kind, tmp_path):
    with pytest.raises(FetchError) as e:
        bounded(KINDS[kind][0][:-12], tmp_path)
    assert e.value.code == "archive-broken"


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(kind=st.sampled_from(sorted(KINDS)), data=st.data())
def test_whatever_comes_it_is_a_tree_or_an_error(kind, data, tmp_path_factory):
    packed = bytearray(KINDS[kind][0])
    for _ in range(data.draw(st.integers(1, 4))):
        packed[data.draw(st.integers(0, len(packed) - 1))] = data.draw(st.integers(0, 255))
    folder = tmp_path_factory.mktemp("any")
    with contextlib.suppress(FetchError):
        assert list(bounded(bytes(packed), folder).rglob("*"))
    assert {p.name for p in folder.iterdir()} <= {"packed", "tree"}
