"""What machine this is: its operating system, CPU and libc, and the toolchains that are on it."""

from __future__ import annotations

import functools
import os
import platform
import re
import struct
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from packaging.version import InvalidVersion, Version

from reckless.build.interpreters import interpreters
from reckless.errors import ProcessError
from reckless.model.machine import Machine
from reckless.model.manifest import Language
from reckless.system.process import Command, run

_ARCHES = {
    "amd64": "x86_64", "x64": "x86_64", "arm64": "aarch64", "armv8l": "armv7", "armv7l": "armv7", "armv6l": "armv6",
    "i386": "i686", "i486": "i686", "i586": "i686",
}  # fmt: skip
_NARROW = {"x86_64": "i686", "aarch64": "armv7"}  # a 64-bit kernel under 32-bit programs: Raspberry Pi OS does that
# What each is asked, and where in the answer its version stands. Java 8 calls itself 1.8.0 (JEP 223 ended that).
_QUESTIONS: dict[Language, tuple[tuple[str, ...], re.Pattern[str]]] = {
    "rust": (("rustc", "--version"), re.compile(r"^rustc (\d[\d.]*)")),
    "go": (("go", "version"), re.compile(r"\bgo(\d[\d.]*(?:(?:beta|rc)\d+)?)")),
    "node": (("node", "--version"), re.compile(r"^v(\d[\d.]*)")),
    "java": (("java", "-version"), re.compile(r'version "(?:1\.)?(\d[\d.]*)')),
    "make": (("make", "--version"), re.compile(r"^GNU Make (\d[\d.]*)")),
}


def this_machine(
    path: str | None = None, *, languages: Collection[Language] | None = None, cache: Path | None = None
) -> Machine:
    """Return this machine and the toolchains that are on `path` (a PATH; None: ours); Java by JAVA_HOME first.

    With `languages` only their toolchains are looked for, which is faster. Each is asked once in a process, several
    at once; one that is there but does not work (rustup without a default toolchain) counts as absent. `cache` keeps
    what Python interpreters said of themselves.
    """
    path = os.environ.get("PATH", os.defpath) if path is None else path
    wanted = [q for q in _QUESTIONS if languages is None or q in languages]
    with ThreadPoolExecutor(max_workers=4) as pool:
        pythons = pool.submit(_pythons, path, cache) if languages is None or "python" in languages else None
        versions = dict(zip(wanted, pool.map(lambda language: _toolchain(language, path), wanted), strict=True))
    found: dict[str, Version] = {language: version for language, version in versions.items() if version}
    if pythons and pythons.result():
        found["python"] = pythons.result()[0]
    return Machine(os=_os(), arch=_arch(), libc=_libc(), toolchains=found, pythons=pythons.result() if pythons else ())


def _pythons(path: str, cache: Path | None) -> tuple[Version, ...]:
    return tuple(sorted({i.version for i in interpreters(path, cache=cache)}, reverse=True))


def _toolchain(language: Language, path: str) -> Version | None:
    import shutil

    (program, *_), _ = _QUESTIONS[language]
    if language == "java":
        from reckless.build.java_home import find_java

        where = str(find_java({**os.environ, "PATH": path}) or "")
    else:
        where = shutil.which(program, path=path) or ""
    if not where or (language == "rust" and not shutil.which("cargo", path=path)):
        return None
    return _ask(language, where, path)


@functools.lru_cache(maxsize=64)
def _ask(language: Language, where: str, path: str) -> Version | None:
    (_, *arguments), _ = _QUESTIONS[language]
    # Started in the root folder, so that no go.mod or rust-toolchain.toml of the user's cwd has a say.
    env = {**os.environ, "PATH": path, "GOTOOLCHAIN": "local", "RUSTUP_AUTO_INSTALL": "0"}
    try:
        answer = run(Command(argv=[where, *arguments], cwd=Path("/"), env=env, timeout=20))
    except ProcessError:
        return None
    return parse_version(language, answer.stdout or answer.stderr)


def parse_version(language: Language, text: str) -> Version | None:
    """Read the version out of what a toolchain says of itself: `rustc 1.85.0 (4d91de4e4 2025-02-17)`, `go1.26rc1`."""
    hit = _QUESTIONS[language][1].search(text)
    try:
        return Version(hit[1]) if hit else None
    except InvalidVersion:
        return None


def _os() -> str:
    name = platform.system().lower()
    return {"darwin": "macos"}.get(name, name)


def _arch() -> str:
    name = platform.machine().lower()
    arch = _ARCHES.get(name, name)
    return _NARROW.get(arch, arch) if struct.calcsize("P") == 4 else arch


def _libc() -> str:
    if _os() != "linux":
        return ""
    try:
        return "gnu" if (os.confstr("CS_GNU_LIBC_VERSION") or "").startswith("glibc") else "musl"
    except (ValueError, OSError):
        return "musl"
