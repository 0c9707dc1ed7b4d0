"""`reckless index lock`: what gets a lock, what the lock holds, and what it leaves of the manifest."""

from __future__ import annotations

import hashlib
import os
import re
import zipfile
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from packaging.version import Version

from reckless.errors import BuildError, ManifestError, RecklessError
from reckless.model.manifest import ShippedLock
from reckless.model.reader import parse_manifest
from reckless.model.reporter import SilentReporter
from reckless.publish.check import check_manifests
from reckless.publish.lock import LockRow, LockWishes, lock_releases, with_lock
from tests.build.workshop import uv_folder, without
from tests.servers import GitRepository, WebServer

SHA = "0123456789abcdef" * 4
LOCK = ShippedLock(file="locks/greeter-1.0.txt", sha256=SHA)
MANIFEST = """\
# The head.
schema = 1

[plugin]
name = "greeter"
summary = "Greets"
repository = "https://example.com/greeter"
license = "MIT"
category = "other"

[build]
language = "python"
entrypoint = "greeter.py"
{build}{releases}"""
RELEASE = """
[[release]]
# This one.
version = "{version}"
date = 2024-01-01
source = {{ git = "{git}", rev = "{rev}" }} # here
{more}"""
OVERRIDES = """
[release.build]
python = ">=3.9"

[release.runtime]
dynamic = true
# The end.
"""


def releases(*rest: tuple[str, str], git: str = "https://example.com/greeter", rev: str = SHA[:40]) -> str:
    return "".join(RELEASE.format(version=version, git=git, rev=rev, more=more) for version, more in rest)


# What stays of the manifest


@pytest.mark.parametrize("version", ["3.0", "2.0", "1.0"])
@pytest.mark.parametrize("more", [("", OVERRIDES, ""), ("", "", OVERRIDES), (OVERRIDES, "", "")])
def test_a_lock_is_named_in_its_release_and_nothing_else_changes(version, more):
    text = MANIFEST.format(build="", releases=releases(*zip(("3.0", "2.0", "v1.0"), more, strict=True)))
    new = with_lock(text, Version(version), LOCK)
    rest = [line for line in new.splitlines() if not line.startswith("lock = ")]
    assert [line for line in rest if line and line != "[release.build]"] == [
        line for line in text.splitlines() if line and line != "[release.build]"
    ]
    parsed = {str(r.version): r.build for r in parse_manifest(new, file="x", strict=True).releases}
    assert [v for v, build in parsed.items() if build.lock == LOCK] == [version]
    assert "\n\n\n" not in new
    assert all(new[at - 2 : at] == "\n\n" for at in (m.start() for m in re.finditer(r"^\[", new, re.MULTILINE)))
    assert with_lock(new, Version(version), LOCK) == new


def test_a_lock_takes_the_place_of_the_word_for_none():
    text = MANIFEST.format(
        build='lock = "uv.lock"\n', releases=releases(("1.0", '\n[release.build]\nlock = "" # none\n'))
    )
    new = with_lock(text, Version("1.0"), LOCK)
    assert f'lock = {{ file = "locks/greeter-1.0.txt", sha256 = "{SHA}" }}' in new
    assert 'lock = "uv.lock"' in new


# What is locked


def wheel(folder: Path, name: str, version: str, *needs: str) -> str:
    """Write a wheel with one module, and return its sha256."""
    file, info = folder / f"{name}-{version}-py3-none-any.whl", f"{name}-{version}.dist-info"
    metadata = "".join(f"Requires-Dist: {need}\n" for need in needs)
    files = {
        f"{name}.py": f"VERSION = '{version}'\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{metadata}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(file, "w") as archive:
        for path, text in files.items():
            archive.writestr(zipfile.ZipInfo(path), text)
    return hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.fixture
def packages(tmp_path, monkeypatch):
    """A folder of wheels, the only place that uv and pip are told of."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    for name in [n for n in os.environ if n.startswith(("PIP_", "UV_"))]:
        monkeypatch.delenv(name)
    for name, value in {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder)}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PATH", f"{uv_folder()}{os.pathsep}{os.environ['PATH']}")
    return folder


@pytest.fixture
def author(tmp_path):
    """An author's repository, and a folder of manifests with one of it: call it with the files of a commit."""
    repository = GitRepository(tmp_path / "author" / "greeter.git")
    folder = tmp_path / "manifests"
    folder.mkdir()

    def publish(files: dict[str, str], build: str = "", *versions: str) -> Path:
        rev = repository.commit({"greeter.py": "#!/usr/bin/env python3\n", **files})
        text = releases(*((version, "") for version in versions or ("1.0",)), git=str(repository.path), rev=rev)
        (folder / "greeter.toml").write_text(MANIFEST.format(build=build and f"{build}\n", releases=text))
        return folder

    return publish


@pytest.fixture
def lock(tmp_path):
    def run(folder: Path, *names: str, **wishes: bool) -> tuple[LockRow, ...]:
        return lock_releases(
            folder, LockWishes(names=names, local=True, **wishes), cache=tmp_path / "cache", reporter=SilentReporter()
        )

    return run


def pins(folder: Path, version: str = "1.0") -> list[str]:
    text = (folder / "locks" / f"greeter-{version}.txt").read_text()
    return [line.partition(" ")[0] for line in text.splitlines() if "==" in line]


def test_what_nothing_pins_gets_a_lock_that_the_index_takes(packages, author, lock):
    hello, words = wheel(packages, "hello", "1.0", "words"), wheel(packages, "words", "2.0")
    folder = author({"requirements.txt": "hello>=1  # greets\n"})
    (row,) = lock(folder)
    assert (row.standing, row.file, row.packages) == ("made", "locks/greeter-1.0.txt", 2)
    text = (folder / row.file).read_text()
    assert pins(folder) == ["hello==1.0", "words==2.0"]
    assert f"--hash=sha256:{hello}" in text
    assert f"--hash=sha256:{words}" in text
    assert not re.search(r"://|--index|--find|--extra", text)
    checked = check_manifests(folder, local=True)
    assert not checked.findings
    assert row.file in checked.files


@pytest.mark.parametrize(
    ("files", "origin"),
    [
        ({"pyproject.toml": '[project]\nname = "g"\nversion = "1"\ndependencies = ["hello"]\n'}, "pyproject.toml"),
        ({"pyproject.toml": '[tool.poetry.dependencies]\npython = "^3.9"\nhello = "^1.0"\n'}, "pyproject.toml"),
        (
            {"greeter.py": '#!/usr/bin/env python3\n# /// script\n# dependencies = ["hello"]\n# ///\n'},
            "greeter.py itself",
        ),
    ],
)
def test_wherever_it_says_what_it_needs(packages, author, lock, files, origin):
    wheel(packages, "hello", "1.0")
    folder = author(files)
    assert [row.standing for row in lock(folder)] == ["made"]
    assert pins(folder) == ["hello==1.0"]
    assert f"its {origin}, as of 2024-01-01" in (folder / "locks" / "greeter-1.0.txt").read_text()


def test_a_lock_that_is_there_is_kept_unless_another_is_asked_for(packages, author, lock):
    wheel(packages, "hello", "1.0")
    folder = author({"requirements.txt": "hello\n"})
    lock(folder)
    before = {file: file.stat().st_mtime_ns for file in folder.rglob("*.*")}
    wheel(packages, "hello", "2.0")
    assert [row.standing for row in lock(folder)] == ["kept"]
    assert {file: file.stat().st_mtime_ns for file in folder.rglob("*.*")} == before
    assert pins(folder) == ["hello==1.0"]
    assert [row.standing for row in lock(folder, upgrade=True)] == ["made"]
    assert pins(folder) == ["hello==2.0"]
    assert not check_manifests(folder, local=True).findings


def test_a_lock_that_is_gone_or_changed_is_made_again(packages, author, lock):
    wheel(packages, "hello", "1.0")
    folder = author({"requirements.txt": "hello\n"})
    lock(folder)
    file = folder / "locks" / "greeter-1.0.txt"
    whole = file.read_bytes()
    for spoil in (file.unlink, lambda: file.write_bytes(whole + b"\n")):
        spoil()
        assert [row.standing for row in lock(folder)] == ["made"]
        assert file.read_bytes() == whole


def test_the_same_requirements_give_the_same_bytes(packages, author, lock):
    wheel(packages, "hello", "1.0", "words")
    wheel(packages, "words", "1.0")
    folder = author({"requirements.txt": "hello\n"})
    lock(folder)
    first = {file.name: file.read_bytes() for file in folder.rglob("*.*")}
    lock(folder, upgrade=True)
    assert {file.name: file.read_bytes() for file in folder.rglob("*.*")} == first


def test_what_pins_itself_or_needs_nothing_gets_none(packages, author, lock):
    assert [row.standing for row in lock(author({"uv.lock": "version = 1\n"}, 'lock = "uv.lock"'))] == ["pinned"]
    folder = author({"requirements.txt": "# nothing\n"})
    before = (folder / "greeter.toml").read_bytes()
    assert [row.standing for row in lock(folder)] == ["nothing"]
    assert (folder / "greeter.toml").read_bytes() == before
    assert not (folder / "locks").exists()


def test_each_release_has_its_own(packages, author, lock):
    wheel(packages, "hello", "1.0")
    folder = author({"requirements.txt": "hello\n"}, "", "2.0", "1.0")
    assert [(row.version, row.file) for row in lock(folder, "Greeter")] == [
        ("2.0", "locks/greeter-2.0.txt"), ("1.0", "locks/greeter-1.0.txt"),
    ]  # fmt: skip


def test_a_lock_covers_every_python_of_the_release_and_no_other(packages, author, lock):
    wheel(packages, "hello", "1.0", "words; python_version < '3.10'", "later; python_version >= '3.12'")
    wheel(packages, "words", "1.0")
    folder = author({"requirements.txt": "hello\n"}, 'python = ">=3.9,<3.12"')
    lock(folder)
    text = (folder / "locks" / "greeter-1.0.txt").read_text()
    assert "words==1.0 ; python_full_version < '3.10'" in text
    assert "later" not in text


def test_without_uv_it_is_for_this_machine_and_says_so(packages, author, lock, monkeypatch):
    wheel(packages, "hello", "1.0", "words")
    wheel(packages, "words", "1.0")
    monkeypatch.setenv("PATH", without("uv"))
    folder = author({"requirements.txt": "hello\n"})
    (row,) = lock(folder)
    assert row.standing == "made"
    assert "this kind of machine only" in row.note
    assert pins(folder) == ["hello==1.0", "words==1.0"]
    assert "as of the day it was made" in (folder / row.file).read_text()


class _Undated(WebServer):
    """A package index that does not say when its files were uploaded (PEP 503)."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        name = handler.path.strip("/").rpartition("/")[2]
        if name.endswith(".whl"):
            self.reply(handler, 200, (self.folder / name).read_bytes())
            return
        files = sorted(self.folder.glob(f"{name}-*.whl"))
        links = "".join(
            f'<a href="/{f.name}#sha256={hashlib.sha256(f.read_bytes()).hexdigest()}">{f.name}</a>' for f in files
        )
        self.reply(handler, 200 if files else 404, links.encode(), Content_Type="text/html")


def test_where_the_index_has_no_dates_it_takes_todays_packages_and_says_so(packages, author, lock, monkeypatch):
    wheel(packages, "hello", "1.0")
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    with _Undated(packages) as server:
        monkeypatch.setenv("PIP_INDEX_URL", server.url("simple"))
        folder = author({"requirements.txt": "hello\n"})
        (row,) = lock(folder)
    assert row.standing == "made"
    assert "does not say when" in row.note
    assert str(server.port) not in (folder / row.file).read_text()


# What cannot be locked


@pytest.mark.parametrize(
    ("requirements", "why"),
    [
        ("hello @ https://example.com/hello-1.0.zip\n", "it takes hello from https://example.com"),
        ("-e .\n", "'-e .' is no requirement"),
        ("--index-url https://example.com/simple\nhello\n", "is no requirement"),
        ("git+https://example.com/hello\n", "is no requirement"),
    ],
)
def test_what_no_hash_vouches_for_is_refused(packages, author, lock, requirements, why):
    folder = author({"requirements.txt": requirements})
    before = (folder / "greeter.toml").read_bytes()
    (row,) = lock(folder)
    assert row.standing == "failed"
    assert isinstance(row.error, BuildError)
    assert row.error.code == "lock-unusable"
    assert why in row.error.message
    assert (folder / "greeter.toml").read_bytes() == before
    assert not (folder / "locks").exists()


def test_one_that_fails_does_not_stop_the_others(packages, author, lock):
    wheel(packages, "hello", "1.0")
    folder = author({"requirements.txt": "hello\n"})
    good = (folder / "greeter.toml").read_text()
    (folder / "bad.toml").write_text(good.replace('name = "greeter"', 'name = "bad"').replace("greeter.py", "gone.py"))
    rows = {row.name: row for row in lock(folder)}
    assert rows["greeter"].standing == "made"
    assert rows["bad"].error is not None
    assert rows["bad"].error.code == "entrypoint-missing"


def test_what_is_not_there_is_said_before_anything_is_made(author, lock, tmp_path):
    folder = author({})
    with pytest.raises(RecklessError, match=r"no greter\.toml") as told:
        lock(folder, "greter")
    assert (told.value.code, told.value.hint) == ("no-such-plugin", "did you mean greeter?")
    with pytest.raises(RecklessError, match="no folder"):
        lock(tmp_path / "elsewhere")
    (folder / "broken.toml").write_text("schema = 1\n")
    with pytest.raises(ManifestError):
        lock(folder, "broken")
