"""The machine as the resolver sees it: what it is, and which toolchains it has. Gathered elsewhere, pure here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from packaging.version import Version


@dataclass(frozen=True, kw_only=True, slots=True)
class Machine:
    """Operating system (`linux`, `macos`), CPU (`x86_64`, `aarch64`, `armv7`), libc (`gnu`, `musl`, empty).

    `toolchains` maps a language to the newest version of its toolchain found; a language that is absent has none.
    For python several interpreters may be there: all of them, newest first, in `pythons`.
    """

    os: str
    arch: str
    libc: str = ""
    toolchains: Mapping[str, Version] = field(default_factory=dict)
    pythons: tuple[Version, ...] = ()

    @property
    def target(self) -> str:
        """The target as manifests name it, such as `x86_64-linux-gnu` or `aarch64-macos`."""
        return "-".join(part for part in (self.arch, self.os, self.libc) if part)
