"""Which ready-made programs a machine runs: targets as manifests name them, `x86_64-linux-gnu`, `aarch64-macos`.

A target is a CPU, an operating system and, for Linux, a libc. Without a libc it needs none: it is linked statically.
On a glibc machine a musl program is taken too, after one for glibc: by custom they are static, and one that is not is
found out before it is ever started (reckless.build.elf). A musl machine runs nothing that was linked to glibc.
"""

from __future__ import annotations

import re

from reckless.model.machine import Machine
from reckless.model.manifest import Binary, Release

KNOWN = re.compile(
    r"(x86_64|aarch64|armv7|armv6|i686|riscv64|ppc64le)-linux(-gnu|-musl)?|(x86_64|aarch64|universal)-macos"
)
_ALSO = {"armv7": ("armv6",)}  # what else a CPU runs


def targets(machine: Machine) -> tuple[str, ...]:
    """Return the targets that a machine runs, the best first."""
    found = []
    for arch in (machine.arch, *_ALSO.get(machine.arch, ())):
        if machine.os == "linux":
            libcs = {"gnu": ("-gnu", "", "-musl"), "musl": ("-musl", "")}.get(machine.libc, ("",))
            found += [f"{arch}-linux{libc}" for libc in libcs]
        else:
            found.append(f"{arch}-{machine.os}")
    return (*found, *(("universal-macos",) if machine.os == "macos" else ()))


def fitting_binary(release: Release, machine: Machine) -> Binary | None:
    """Return the ready-made program of a release that is best for a machine; None where none is for it."""
    by_target = {binary.target: binary for binary in release.binary}
    return next((by_target[target] for target in targets(machine) if target in by_target), None)
