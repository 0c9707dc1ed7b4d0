"""A release that comes ready-made: taken where it fits, built where it does not or where that is asked for."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from reckless.build.elf import read_elf
from reckless.build.machine import this_machine
from tests.e2e.scene import BOTH, Shop, Snapshot
from tests.e2e.test_bad_input import bin_without
from tests.servers import FileServer
from tests.world import PLUGINS

TARGET = this_machine(languages=()).target
OTHER = "riscv64-linux-gnu" if TARGET != "riscv64-linux-gnu" else "x86_64-linux-gnu"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("make") or not shutil.which("cc"), reason="no make or no cc on PATH"),
]


@dataclass(frozen=True, kw_only=True)
class Press:
    """Makes ready-made programs out of make-hello, and serves them."""

    shop: Shop
    server: FileServer

    def program(self, version: str) -> bytes:
        """The plugin of that version, compiled here."""
        folder = self.server.root.parent / "press" / version
        shutil.copytree(PLUGINS / "make-hello", folder, dirs_exist_ok=True)
        main = folder / "src" / "main.c"
        main.write_text(main.read_text().replace("1.0.0", f"{version}-ready"))
        subprocess.run(["make", "-s", "plugin"], cwd=folder, check=True)
        return (folder / "out" / "make-hello").read_bytes()

    def release(
        self, version: str, data: bytes, *, target: str = TARGET, path: str = "", sha256: str = "", **more
    ) -> None:
        """Publish a release with that file as its ready-made program."""
        name = f"make-hello-{version}-{target}"
        (self.server.root / name).write_bytes(data)
        digest = sha256 or hashlib.sha256(data).hexdigest()
        binary = {"target": target, "url": self.server.url(name), "sha256": digest, **({"path": path} if path else {})}
        self.shop.world.add_release("make-hello", version, overrides={"binary": [binary], **more})
        self.shop.publish()


def tgz(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


@pytest.fixture
def press(shop: Shop, tmp_path: Path) -> Iterator[Press]:
    (tmp_path / "served").mkdir()
    with FileServer(tmp_path / "served") as server:
        shop.world.add_plugin("make-hello", versions=())
        yield Press(shop=shop, server=server)


@pytest.fixture
def without_compilers(node, tmp_path) -> dict[str, str]:
    """A machine that can build nothing."""
    path = bin_without(tmp_path / "bin", "make", "gmake", "cc", "gcc", "clang", "c99", "c89")
    return {"PATH": f"{node.software.bin}{os.pathsep}{path}"}


@BOTH
def test_what_fits_is_taken_and_nothing_is_built(kind, press, node, operate, without_compilers):
    press.release("1.0.0", tgz({"a/make-hello": press.program("1.0.0"), "a/README": b"x"}), path="a/make-hello")
    reckless = operate(node)
    reckless.env |= without_compilers
    reckless("source", "add", press.shop.url)

    assert f"{TARGET} (this machine)" in reckless("info", "make-hello").stdout
    plan = reckless("install", "make-hello", "--dry-run").stdout
    assert f"fetch the ready-made program for {TARGET}" in plan
    assert "build it" not in plan

    reckless("install", "make-hello", "--option", "make-greeting=grüezi")
    said = node.cli("make-hello")
    assert (said["say"], said["version"]) == ("grüezi", "1.0.0-ready")
    assert "1.0.0 (ready-made)" in reckless("info", "make-hello").stdout
    assert not press.shop.git.requests, "the source was not even fetched"

    press.release("1.1.0", gzip.compress(press.program("1.1.0")))
    reckless("upgrade", "--all")
    said = node.cli("make-hello")
    assert (said["say"], said["version"]) == ("grüezi", "1.1.0-ready")
    assert node.restart().up
    assert node.cli("make-hello")["version"] == "1.1.0-ready"

    reckless("rollback", "make-hello")
    assert node.cli("make-hello")["version"] == "1.0.0-ready"


def test_from_source_is_remembered_until_it_is_taken_back(press, node, reckless):
    def version() -> str:
        return node.cli("make-hello")["version"]

    press.release("1.0.0", press.program("1.0.0"))
    reckless("source", "add", press.shop.url)
    reckless("install", "make-hello")
    assert version() == "1.0.0-ready"

    plan = reckless("install", "--from-source", "make-hello", "--dry-run").stdout
    assert "build it (make)" in plan
    reckless("install", "--from-source", "make-hello")
    assert version() == "1.0.0", "the same release, built here"
    trees = {p.name for p in (node.dir / "reckless" / "make-hello").iterdir() if "+" in p.name}
    assert len(trees) == 2
    assert "as you asked" in reckless("info", "make-hello").stdout

    press.release("1.1.0", press.program("1.1.0"))
    reckless("install", "make-hello")
    assert version() == "1.0.0", "asking again changes nothing"
    reckless("upgrade", "make-hello")
    assert version() == "1.1.0", "an upgrade keeps to it"

    reckless("install", "--prebuilt", "make-hello")
    assert version() == "1.1.0-ready"
    press.release("1.2.0", press.program("1.2.0"))
    reckless("upgrade", "--all")
    assert version() == "1.2.0-ready"
    reckless("upgrade", "--from-source", "make-hello")
    assert version() == "1.2.0", "upgrade takes the option too, where there is nothing newer"
    assert node.restart().up
    assert version() == "1.2.0"


def another_libc(press: Press, version: str) -> bytes:
    """A program that is linked to a C library that this machine does not have."""
    data = press.program(version)
    place = press.server.root.parent / "program"
    place.write_bytes(data)
    elf = read_elf(place)
    if elf is None or not elf.loader:
        pytest.skip("programs of this machine have no dynamic linker to replace")
    return data.replace(elf.loader.encode(), b"/lib/ld-musl-no.so.1".ljust(len(elf.loader), b"\0")[: len(elf.loader)])


def test_one_for_another_libc_is_built_here_instead(press, node, reckless):
    press.release("1.0.0", another_libc(press, "1.0.0"))
    reckless("source", "add", press.shop.url)

    said = reckless("install", "make-hello")

    assert "which this machine does not have; it is built here instead" in said.stderr
    assert node.cli("make-hello")["version"] == "1.0.0"
    assert "ready-made)" not in reckless("info", "make-hello").stdout


@pytest.fixture
def unharmed(press, node, reckless) -> Iterator:
    """An operator with make-hello 1.0.0, ready-made, which whatever the test does must leave as it is."""
    press.release("1.0.0", press.program("1.0.0"))
    reckless("source", "add", press.shop.url)
    reckless("install", "make-hello")
    before = Snapshot.of(node)
    yield reckless
    assert Snapshot.of(node) == before
    assert node.cli("make-hello")["version"] == "1.0.0-ready"
    trees = [p for p in (node.dir / "reckless").glob("*/*+*") if p.is_dir()]
    assert len(trees) == 1, "nothing half made is left"


def test_one_for_another_libc_where_nothing_can_be_built(unharmed, press, without_compilers):
    press.release("1.1.0", another_libc(press, "1.1.0"))

    error = unharmed.refused("upgrade", "make-hello", env=without_compilers)

    assert error["code"] == "binary-unfit"
    assert "linked to musl" in error["message"]
    assert "this machine lacks make" in error["message"]
    assert "install" in error["hint"]


def test_no_toolchain_and_nothing_ready_made_for_this_machine(unharmed, press, without_compilers):
    press.release("1.1.0", press.program("1.1.0"), target=OTHER)

    error = unharmed.refused("install", "make-hello==1.1.0", env=without_compilers)

    assert error["code"] == "toolchain-missing"
    assert "needs make, and this machine has none" in error["message"]
    assert f"it comes ready-made for {OTHER} only, and this machine is {TARGET}" in error["message"]


def test_only_ready_made_and_not_for_this_machine(unharmed, press):
    build = {"language": "prebuilt", "entrypoint": "make-hello"}
    press.release("1.1.0", press.program("1.1.0"), target=OTHER, build=build)

    error = unharmed.refused("install", "make-hello==1.1.0")

    assert error["code"] == "not-for-this-machine"
    assert OTHER in error["message"]


def test_only_ready_made_cannot_be_built(unharmed, press):
    build = {"language": "prebuilt", "entrypoint": "make-hello"}
    press.release("1.1.0", press.program("1.1.0"), build=build)

    error = unharmed.refused("install", "--from-source", "make-hello==1.1.0")

    assert error["code"] == "not-for-this-machine"
    assert "ready-made only" in error["message"]


def test_other_bytes_than_the_manifest_says(unharmed, press):
    press.release("1.1.0", press.program("1.1.0"), sha256="ab" * 32)

    error = unharmed.refused("upgrade", "make-hello")

    assert error["code"] == "digest-mismatch"


def test_an_archive_without_the_program(unharmed, press):
    press.release("1.1.0", tgz({"a/other": b"x", "a/README": b"x"}), path="a/make-hello")

    error = unharmed.refused("upgrade", "make-hello")

    assert error["code"] == "entrypoint-missing"
    assert "a/other" in error["hint"]
