"""The snapshot that ships inside the package: from wheels, from wheels made of an sdist, and in a checkout."""

from __future__ import annotations

import datetime as dt
import shutil
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from reckless.errors import IndexSourceError
from reckless.index.embedded import open_embedded, snapshot_date
from reckless.index.source import open_source
from reckless.system.process import Command, run
from tests.index.library import BUILTIN, manifest, write_manifests

ROOT = Path(__file__).parents[2]
SHOW = """
from pathlib import Path
from reckless.index.source import open_source
import reckless
source = open_source("embedded", cache=Path("nowhere"))
print(Path(reckless.__file__).parent)
print(*[entry.name for entry in source.catalog().plugins], *source.builtins(), *source.manifests(["summary"]))
print(source.location, source.freshness)
"""
AUGUST = dt.datetime(2026, 8, 6, tzinfo=dt.timezone.utc).timestamp()


@pytest.fixture
def checkout(tmp_path):
    """This repository's package with manifests of our own."""
    root = tmp_path / "checkout"
    root.mkdir()
    for name in ("pyproject.toml", "hatch_build.py", "LICENSE"):
        shutil.copy(ROOT / name, root)
    for name in ("README.md", "CHANGELOG.md"):
        (root / name).write_text("# reckless\n")
    shutil.copytree(ROOT / "reckless", root / "reckless", ignore=shutil.ignore_patterns("__pycache__"))
    texts = manifest("summary", date="2026-08-06"), manifest("sling", date="2026-05-01")
    write_manifests(root / "manifests", *texts, builtin=BUILTIN)
    return root


def build(root, target, out):
    """Build with what is installed here: no network."""
    run(Command(argv=[sys.executable, "-m", "hatchling", "build", "-t", target, "-d", out], cwd=root))
    return next(out.iterdir())


def shown(folder, cwd):
    """Open the embedded source of the package in `folder`, in a process of its own."""
    cwd.mkdir()
    code = f"import sys; sys.path.insert(0, {str(folder)!r})\n{SHOW}"
    return run(Command(argv=[sys.executable, "-c", code], cwd=cwd)).stdout.splitlines()


def unpack(wheel, to):
    """Install a wheel without its dependencies, which are here already: they are what site-packages has."""
    with zipfile.ZipFile(wheel) as z:
        z.extractall(to)
    return to


def test_a_wheel_has_the_snapshot_and_it_opens(checkout, tmp_path):
    installed = unpack(build(checkout, "wheel", tmp_path / "dist"), tmp_path / "site")
    lines = shown(installed, tmp_path / "cwd")
    assert lines[0] == str(installed / "reckless")
    assert lines[1] == "sling summary commando summary"
    assert lines[2] == f"embedded Freshness(fetched_at={AUGUST}, offline=False)"


def test_a_wheel_made_of_the_sdist_has_the_same_snapshot(checkout, tmp_path):
    wheel = build(checkout, "wheel", tmp_path / "dist")
    sdist = build(checkout, "sdist", tmp_path / "sdist")
    with tarfile.open(sdist) as t:
        t.extractall(tmp_path / "source", **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
    again = build(next((tmp_path / "source").iterdir()), "wheel", tmp_path / "dist2")
    with zipfile.ZipFile(wheel) as one, zipfile.ZipFile(again) as two:
        snapshot = [name for name in one.namelist() if "/snapshot/" in name]
        assert len(snapshot) == 4
        assert {name: one.read(name) for name in snapshot} == {name: two.read(name) for name in snapshot}


def test_a_wrong_manifest_stops_the_build_and_says_where(checkout, tmp_path):
    (checkout / "manifests/sling.toml").write_text(manifest("sling", version="not a version"))
    command = Command(
        argv=[sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path / "d"], cwd=checkout
    )
    done = run(command, check=False)
    assert done.status != 0
    assert "sling.toml" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_checkout_reads_its_manifests_folder(checkout):
    source = open_embedded(checkout / "reckless")
    assert [e.name for e in source.catalog().plugins] == ["sling", "summary"]
    assert source.location == "embedded"
    assert source.freshness.fetched_at == AUGUST


def test_the_snapshot_never_names_sources_of_this_machine(checkout):
    text = manifest("here", source='{ git = "/srv/git/here", rev = "' + "a" * 40 + '" }')
    write_manifests(checkout / "manifests", text)
    source = open_embedded(checkout / "reckless")
    assert source.manifests(["here"]) == {}
    assert source.problems["here"].code == "invalid-manifest"


def test_neither_snapshot_nor_checkout_is_a_clear_error(tmp_path):
    (tmp_path / "manifests").mkdir()  # of somebody else's, in site-packages
    with pytest.raises(IndexSourceError) as e:
        open_embedded(tmp_path / "reckless")
    assert e.value.code == "snapshot-missing"


def test_ours_opens(tmp_path):
    assert open_source("embedded", cache=tmp_path).location == "embedded"


def test_a_catalog_without_dates_has_none(checkout):
    shutil.rmtree(checkout / "manifests")
    (checkout / "manifests").mkdir()
    assert snapshot_date(open_embedded(checkout / "reckless").catalog()) is None
