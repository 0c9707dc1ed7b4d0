"""Ready-made programs: found in what came, seen to fit this machine before they are started, put where they start."""

from __future__ import annotations

import platform
import shutil
import struct
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from packaging.version import Version

from reckless.build.elf import Elf, glibc_here, mentions, read_elf, why_unfit
from reckless.build.machine import this_machine
from reckless.errors import BuildError
from reckless.model.machine import Machine
from tests.build.workshop import C, ask

HERE = this_machine(languages=())
on_linux = pytest.mark.skipif(platform.system() != "Linux", reason="ELF is what Linux has")


@pytest.fixture(scope="session")
def program(tmp_path_factory) -> bytes:
    """A plugin in C, compiled here."""
    if not shutil.which("cc"):
        pytest.skip("no cc on PATH")
    folder = tmp_path_factory.mktemp("c")
    (folder / "plugin.c").write_text(C)
    subprocess.run(["cc", "-o", "plugin", "plugin.c"], cwd=folder, check=True)
    return (folder / "plugin").read_bytes()


@pytest.fixture
def shop(workshop):
    return workshop("prebuilt")


def test_a_program_that_came_alone(shop, program):
    job = shop.job({"whatever-x86_64": program}, entrypoint="out/tiny")
    built = shop.build(job)
    assert built.entrypoint == "bin/tiny", "under the name that it would have if it was built"
    assert ask(job.tree / built.entrypoint)["rpcmethods"][0]["name"] == "hello"
    assert "ready-made" in job.log.read_text()


@pytest.mark.parametrize("entrypoint", ["plugin.main:run", "target/*-all.jar", "target/plugin-1.0.jar"])
def test_one_whose_entrypoint_is_no_programs_name_is_called_as_the_plugin_is(shop, entrypoint):
    job = shop.job({"program": "#!/bin/sh\necho up\n"}, entrypoint=entrypoint, name="the-name")
    assert shop.build(job).entrypoint == "bin/the-name"


def test_a_program_that_came_with_other_files_starts_among_them(shop):
    script = '#!/bin/sh\ncat "${0%/*}/../share/words"\n'
    job = shop.job({"tiny-1.0/bin/tiny": script, "tiny-1.0/share/words": "hello"}, entrypoint="tiny")
    assert subprocess.check_output([job.tree / shop.build(job).entrypoint], text=True) == "hello"


def test_a_program_among_other_files_is_started_where_it_lies(shop, program):
    job = shop.job({"a/README": "x", "a/tiny": program}, entrypoint="tiny")
    entrypoint = job.tree / shop.build(job).entrypoint
    ask(entrypoint)
    assert str(job.tree / "src/a/tiny") in entrypoint.read_text()


def test_the_place_in_the_archive_is_the_manifests_to_say(shop, program):
    files = {"a/tiny": program, "b/tiny": "#!/bin/sh\necho the other\n", "README": "x"}
    job = shop.job(files, entrypoint="tiny", program="b/tiny")
    assert subprocess.check_output([job.tree / shop.build(job).entrypoint], text=True) == "the other\n"
    with pytest.raises(BuildError) as e:
        shop.build(shop.job(files, entrypoint="tiny", tree="other"))
    assert e.value.code == "entrypoint-missing"
    assert "a/tiny, b/tiny" in e.value.hint
    with pytest.raises(BuildError) as e:
        shop.build(shop.job(files, entrypoint="tiny", program="c/tiny", tree="third"))
    assert e.value.code == "entrypoint-missing"


def test_a_link_out_of_the_archive_is_not_followed(shop, tmp_path):
    (tmp_path / "tree/src").mkdir(parents=True)
    (tmp_path / "tree/src/tiny").symlink_to("/bin/sh")
    with pytest.raises(BuildError) as e:
        shop.build(shop.job({"other": "x"}, entrypoint="tiny"))
    assert e.value.code == "entrypoint-outside"


def patched(program: bytes, old: bytes, new: bytes) -> bytes:
    assert old in program
    return program.replace(old, new.ljust(len(old), b"\0"))


@on_linux
def test_a_program_for_another_libc_is_refused_before_it_is_started(shop, program, tmp_path):
    (tmp_path / "plugin").write_bytes(program)
    loader = read_elf(tmp_path / "plugin").loader
    files = {"tiny": patched(program, loader.encode(), b"/lib/ld-musl-no.so.1")}
    with pytest.raises(BuildError) as e:
        shop.build(shop.job(files, entrypoint="tiny"))
    assert e.value.code == "binary-unfit"
    assert "linked to musl (/lib/ld-musl-no.so.1), which this machine does not have" in e.value.message
    assert "--from-source" in e.value.hint


@on_linux
@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("hello", "it is no program"),
        ("", "it is no program"),
        ("MZ" + "x" * 100, "it is a program for Windows"),
        (b"\xcf\xfa\xed\xfe" + b"x" * 100, "it is a program for macOS"),
        (b"\x7fELF" + b"\2\1" + b"\xff" * 100, "it is no program"),
    ],
)
def test_what_is_no_program_for_this_system(shop, content, why):
    with pytest.raises(BuildError) as e:
        shop.build(shop.job({"tiny": content}, entrypoint="tiny"))
    assert e.value.code == "binary-unfit"
    assert why in e.value.message


def elf(machine: int, loader: str = "", symbols: bytes = b"", *, wide: bool = True, big: bool = False) -> bytes:
    """The smallest program that has these headers."""
    order, place = (">" if big else "<"), 64 if wide else 52
    header = b"\x7fELF" + bytes([2 if wide else 1, 2 if big else 1, 1]) + b"\0" * 9
    size, shape = (56, f"{order}HHIQQQIHHHHHH") if wide else (32, f"{order}HHIIIIIHHHHHH")
    header += struct.pack(shape, 2, machine, 1, 0, place, 0, 0, place, size, 1 if loader else 0, 0, 0, 0)
    if loader:
        at, text = place + size, loader.encode() + b"\0"
        numbers = (3, 4, at, 0, 0, len(text), len(text), 1) if wide else (3, at, 0, 0, len(text), len(text), 4, 1)
        header += struct.pack(f"{order}IIQQQQQQ" if wide else f"{order}8I", *numbers) + text
    return header + symbols + b"\0" * 64


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (elf(62), Elf(arch="x86_64")),
        (elf(183, "/lib/ld-linux-aarch64.so.1"), Elf(arch="aarch64", loader="/lib/ld-linux-aarch64.so.1")),
        (elf(40, "/lib/ld-linux-armhf.so.3", wide=False), Elf(arch="arm", loader="/lib/ld-linux-armhf.so.3")),
        (elf(3, wide=False), Elf(arch="i686")),
        (elf(21, "/lib64/ld64.so.2", big=True), Elf(arch="ppc64le", loader="/lib64/ld64.so.2")),
        (
            elf(62, "/lib64/ld-linux-x86-64.so.2", b"GLIBC_2.9\0GLIBC_2.34\0GLIBC_2.2.5\0GLIBC_2.99x\0"),
            Elf(arch="x86_64", loader="/lib64/ld-linux-x86-64.so.2", glibc=Version("2.34")),
        ),
        (elf(62)[:30], None),
        (b"#!/bin/sh\n" * 20, None),
    ],
)
def test_what_a_programs_headers_say(tmp_path, data, expected):
    (tmp_path / "program").write_bytes(data)
    assert read_elf(tmp_path / "program") == expected


GNU = Machine(os="linux", arch="x86_64", libc="gnu")


@pytest.mark.parametrize(
    ("data", "machine", "glibc", "why"),
    [
        (elf(62), GNU, "2.31", ""),
        (elf(62), replace(GNU, libc="musl"), None, ""),
        (elf(183), GNU, "2.31", "it is for aarch64, and this machine is x86_64"),
        (elf(40, wide=False), Machine(os="linux", arch="armv7", libc="gnu"), "2.31", ""),
        (elf(62, "/no/ld-musl-x86_64.so.1"), GNU, "2.31", "it is linked to musl (/no/ld-musl-x86_64.so.1)"),
        (elf(62, "/no/ld-linux-x86-64.so.2"), replace(GNU, libc="musl"), None, "it is linked to glibc"),
        (elf(62, "/no/other.so"), GNU, "2.31", "it is linked to another C library"),
        (elf(62, "/", b"GLIBC_2.38\0"), GNU, "2.36", "it needs glibc 2.38, and this machine has 2.36"),
        (elf(62, "/", b"GLIBC_2.36\0"), GNU, "2.36", ""),
        (elf(62), Machine(os="macos", arch="x86_64"), None, "it is a program for Linux"),
        (b"\xcf\xfa\xed\xfe" + b"\0" * 100, Machine(os="macos", arch="aarch64"), None, ""),
        (b"#!/bin/sh\n", GNU, "2.36", ""),
    ],
)
def test_which_programs_fit_which_machine(tmp_path, data, machine, glibc, why):
    (tmp_path / "program").write_bytes(data)
    said = why_unfit(tmp_path / "program", machine, Version(glibc) if glibc else None)
    assert said.startswith(why)
    assert bool(said) == bool(why)


@on_linux
def test_the_programs_of_this_machine_fit_it():
    for name in ("sh", "ls", "git"):
        found = shutil.which(name)
        if found:
            assert why_unfit(Path(found).resolve(), HERE, glibc_here()) == ""


def test_what_a_program_has_in_memory_is_told_from_the_rest(tmp_path):
    (tmp_path / "empty").touch()
    (tmp_path / "text").write_text("where it was built")
    assert mentions(tmp_path / "text", b"was")
    assert not mentions(tmp_path / "text", b"wasn't")
    assert not mentions(tmp_path / "empty", b"was")
