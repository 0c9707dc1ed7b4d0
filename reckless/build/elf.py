"""What a ready-made program needs of the machine, read from the file itself before anything starts it.

A program for another CPU or C library does not start, and what the system then says ("No such file or directory") helps
nobody. ELF: System V ABI, chapters 4 and 5; the numbers of machines are in <elf.h>.
"""

from __future__ import annotations

import mmap
import os
import re
import struct
from dataclasses import dataclass
from pathlib import Path

from packaging.version import InvalidVersion, Version

from reckless.model.machine import Machine

_MACHINES = {3: "i686", 21: "ppc64le", 40: "arm", 62: "x86_64", 183: "aarch64", 243: "riscv64"}
_MACH_O = (b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"\xce\xfa\xed\xfe")
_PT_LOAD, _PT_INTERP = 1, 3
_MOST_HEADERS = 512
# Versioned symbols of glibc; each name stands, ended by a zero, in the table of strings of a program that needs it.
_GLIBC = re.compile(rb"GLIBC_(2\.\d{1,3}(?:\.\d{1,3})?)\0")


@dataclass(frozen=True, kw_only=True, slots=True)
class Elf:
    """`loader` is the dynamic linker that it asks for (empty: it is static); `glibc` the newest that it needs.

    `loaded` are the parts of the file, as offset and size, that are in memory when it runs; debugging data is not.
    """

    arch: str
    loader: str = ""
    glibc: Version | None = None
    loaded: tuple[tuple[int, int], ...] = ()


def why_unfit(program: Path, machine: Machine, glibc: Version | None) -> str:
    """Say in a few words why this machine, with this glibc, cannot run a program; empty where it can.

    A script fits: its interpreter is looked for elsewhere. Raises OSError.
    """
    with program.open("rb") as f:
        head = f.read(4)
    if head.startswith(b"#!"):
        return ""
    if head in _MACH_O or head.startswith(b"MZ"):
        system = "Windows" if head.startswith(b"MZ") else "macOS"
        return "" if machine.os == "macos" and system == "macOS" else f"it is a program for {system}"
    elf = read_elf(program)
    if elf is None:
        return "it is no program"
    if machine.os != "linux":
        return "it is a program for Linux"
    return _why_not_on_linux(elf, machine, glibc)


def _why_not_on_linux(elf: Elf, machine: Machine, glibc: Version | None) -> str:
    if elf.arch != ("arm" if machine.arch.startswith("armv") else machine.arch):
        return f"it is for {elf.arch or 'an unknown CPU'}, and this machine is {machine.arch}"
    if elf.loader and not os.path.exists(elf.loader):  # noqa: PTH110 - a stranger's text
        libc = "musl" if "musl" in elf.loader else "glibc" if "ld-linux" in elf.loader else "another C library"
        return f"it is linked to {libc} ({elf.loader}), which this machine does not have"
    if elf.loader and elf.glibc and glibc and elf.glibc > glibc:
        return f"it needs glibc {elf.glibc}, and this machine has {glibc}"
    return ""


def read_elf(program: Path) -> Elf | None:
    """Read a program's headers; None where it is no ELF file, or a damaged one. Raises OSError."""
    if program.stat().st_size < 64:
        return None
    with program.open("rb") as f, mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ) as data:
        if data[:4] != b"\x7fELF" or data[4] not in {1, 2} or data[5] not in {1, 2}:
            return None
        try:
            return _read(data, order="<" if data[5] == 1 else ">", wide=data[4] == 2)
        except (struct.error, IndexError, OverflowError, ValueError):
            return None


def _read(data: mmap.mmap, *, order: str, wide: bool) -> Elf:
    number = struct.unpack_from(f"{order}H", data, 18)[0]
    (table,) = struct.unpack_from(f"{order}{'Q' if wide else 'I'}", data, 32 if wide else 28)
    size, count = struct.unpack_from(f"{order}HH", data, 54 if wide else 42)
    loader, loaded = "", []
    for place in range(table, table + size * min(count, _MOST_HEADERS), max(size, 1)):
        (kind,) = struct.unpack_from(f"{order}I", data, place)
        shape, at = (f"{order}QQQQ", place + 8) if wide else (f"{order}IIII", place + 4)
        offset, _, _, length = struct.unpack_from(shape, data, at)
        if kind == _PT_INTERP:
            loader = data[offset : offset + min(length, 4096)].split(b"\0")[0].decode()
        elif kind == _PT_LOAD:
            loaded.append((offset, length))
    glibc = _needed_glibc(data) if loader else None
    return Elf(arch=_MACHINES.get(number, ""), loader=loader, glibc=glibc, loaded=tuple(loaded))


def mentions(program: Path, text: bytes) -> bool:
    """Say whether `text` is in what a program has in memory when it runs. Raises OSError."""
    size = program.stat().st_size
    if not size:
        return False
    elf = read_elf(program)
    with program.open("rb") as f, mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return any(data.find(text, at, at + length) >= 0 for at, length in (elf.loaded if elf else [(0, size)]))


def _needed_glibc(data: mmap.mmap) -> Version | None:
    found = {hit[1].decode() for hit in _GLIBC.finditer(data)}
    return max(map(Version, found), default=None)


def glibc_here() -> Version | None:
    """Return this system's glibc version; None where it has none."""
    try:
        return Version((os.confstr("CS_GNU_LIBC_VERSION") or "").removeprefix("glibc "))
    except (ValueError, OSError, InvalidVersion):
        return None
