"""What builds need of the operating system: whether it is there, and the command that installs it on this one."""

from __future__ import annotations

import os
import platform
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from packaging.specifiers import SpecifierSet

from reckless.build.base import Missing
from reckless.errors import ProcessError
from reckless.model.machine import Machine
from reckless.model.manifest import Build, Registry
from reckless.system.process import Command, run

# Package managers by the ID or ID_LIKE of os-release(5), in order of preference.
_BY_ID = {
    "debian": "apt", "ubuntu": "apt", "raspbian": "apt", "fedora": "dnf", "rhel": "dnf", "centos": "dnf",
    "arch": "pacman",    "alpine": "apk", "suse": "zypper", "opensuse": "zypper",
}  # fmt: skip
_INSTALL = {
    "apt": "sudo apt-get install {}", "dnf": "sudo dnf install {}", "pacman": "sudo pacman -S {}",
    "apk": "sudo apk add {}",    "zypper": "sudo zypper install {}", "brew": "brew install {}",
}  # fmt: skip
_MANAGERS = ("apt", "dnf", "pacman", "apk", "zypper", "brew")
# What the manifest's words are called by each manager, in the order of _MANAGERS.
_KNOWN: dict[str, tuple[str, str, str, str, str, str]] = {
    "cc": ("build-essential", "gcc", "base-devel", "build-base", "gcc", "gcc"),
    "c++": ("build-essential", "gcc-c++", "base-devel", "build-base", "gcc-c++", "gcc"),
    "python": ("python3", "python3", "python", "python3", "python3", "python"),
    "go": ("golang-go", "golang", "go", "go", "go", "go"),
    "node": ("nodejs npm", "nodejs npm", "nodejs npm", "nodejs npm", "nodejs npm", "node"),
    "java": ("default-jdk", "java-latest-openjdk-devel", "jdk-openjdk", "openjdk21", "java-devel", "openjdk"),
    "maven": ("maven", "maven", "maven", "maven", "maven", "maven"),
    "make": ("make", "make", "make", "make", "make", "make"),
    "git": ("git", "git", "git", "git", "git", "git"),
    "cmake": ("cmake", "cmake", "cmake", "cmake", "cmake", "cmake"),
    "clang": ("clang", "clang", "clang", "clang", "clang", "llvm"),
    "autoconf": ("autoconf", "autoconf", "autoconf", "autoconf", "autoconf", "autoconf"),
    "automake": ("automake", "automake", "automake", "automake", "automake", "automake"),
    "libtool": ("libtool", "libtool", "libtool", "libtool", "libtool", "libtool"),
    "autoconf-archive": ("autoconf-archive",) * 6,
    "npm": ("npm", "npm", "npm", "npm", "npm", "node"),
    "tor": ("tor", "tor", "tor", "tor", "tor", "tor"),
    "pkg-config": ("pkg-config", "pkgconf", "pkgconf", "pkgconf", "pkg-config", "pkgconf"),
    "protoc": ("protobuf-compiler", "protobuf-compiler", "protobuf", "protoc", "protobuf-devel", "protobuf"),
    "libpq": ("libpq-dev", "libpq-devel", "postgresql-libs", "libpq-dev", "postgresql-devel", "libpq"),
    "openssl": ("libssl-dev", "openssl-devel", "openssl", "openssl-dev", "libopenssl-devel", "openssl@3"),
    "sqlite3": ("libsqlite3-dev", "sqlite-devel", "sqlite", "sqlite-dev", "sqlite3-devel", "sqlite"),
    "libev": ("libev-dev", "libev-devel", "libev", "libev-dev", "libev-devel", "libev"),
    "libuv": ("libuv1-dev", "libuv-devel", "libuv", "libuv-dev", "libuv-devel", "libuv"),
    "libcurl": ("libcurl4-openssl-dev", "libcurl-devel", "curl", "curl-dev", "libcurl-devel", "curl"),
    "libzmq": ("libzmq3-dev", "zeromq-devel", "zeromq", "zeromq-dev", "zeromq-devel", "zeromq"),
    "libsodium": ("libsodium-dev", "libsodium-devel", "libsodium", "libsodium-dev", "libsodium-devel", "libsodium"),
    "libsecp256k1": (
        "libsecp256k1-dev", "libsecp256k1-devel", "libsecp256k1", "libsecp256k1-dev", "libsecp256k1-devel", "secp256k1",
    ),
    "gmp": ("libgmp-dev", "gmp-devel", "gmp", "gmp-dev", "gmp-devel", "gmp"),
    "zlib": ("zlib1g-dev", "zlib-devel", "zlib", "zlib-dev", "zlib-devel", "zlib"),
    "libffi": ("libffi-dev", "libffi-devel", "libffi", "libffi-dev", "libffi-devel", "libffi"),
    "libunwind": ("libunwind-dev", "libunwind-devel", "libunwind", "libunwind-dev", "libunwind-devel", "libunwind"),
}  # fmt: skip
_ALIASES = {
    "gcc": "cc", "g++": "c++", "python3": "python", "nodejs": "node", "javac": "java", "golang": "go", "ssl": "openssl",
    "libssl": "openssl", "libcrypto": "openssl", "crypto": "openssl", "sqlite": "sqlite3", "libsqlite3": "sqlite3",
    "curl": "libcurl", "pq": "libpq", "ev": "libev", "uv": "libuv", "zmq": "libzmq", "sodium": "libsodium",
    "secp256k1": "libsecp256k1", "z": "zlib", "ffi": "libffi", "unwind": "libunwind", "pkgconf": "pkg-config",
    "libtoolize": "libtool", "autoreconf": "autoconf", "aclocal": "automake", "mvn": "maven",
}  # fmt: skip
_TITLES = {"python": "Python", "rust": "Rust (cargo)", "go": "Go", "node": "Node.js", "java": "Java", "make": "make"}


def missing_system(items: tuple[str, ...]) -> tuple[Missing, ...]:
    """Return those of a manifest's `system` items (`bin:`, `pkg-config:`, `lib:`, `header:`) that are not there.

    An item of a kind that this version does not know is taken to be there: the build will tell.
    """
    missing: list[Missing] = []
    for item in items:
        kind, _, name = item.partition(":")
        check = _CHECKS.get(kind)
        if not check or check(name):
            continue
        if kind == "pkg-config" and not _is_program("pkg-config"):
            missing.append(Missing(what="pkg-config", install=install_command("pkg-config")))
            continue
        name = re.split(r"[<>=!]", name)[0].strip()
        what = {"bin": f"the program {name}", "header": f"the C header {name}"}.get(kind, f"the library {name}")
        # A program `curl` is the package curl, a library `curl` is its development files.
        install = install_command(name, exact=kind == "bin" and name in {"curl", "openssl", "sqlite3", "uv"})
        missing.append(Missing(what=what, install=install))
    return tuple(dict.fromkeys(missing))


def missing_toolchain(build: Build, machine: Machine) -> tuple[Missing, ...]:
    """Say whether the language's toolchain is missing or not of a version that the build accepts."""
    language = build.language
    found = machine.pythons if language == "python" else tuple(v for v in [machine.toolchains.get(language)] if v)
    if any(build.toolchain.contains(v, prereleases=True) for v in found):
        return ()
    what = f"{_TITLES.get(language, language)} {build.toolchain}".strip()
    if found:
        what = f"{what} (here: {', '.join(map(str, found))})"
    return (Missing(what=what, install=_toolchain_install(build, there=bool(found))),)


def missing_c_compiler() -> tuple[Missing, ...]:
    """Say whether there is no C compiler, which linking needs."""
    if any(_is_program(name) for name in [*os.environ.get("CC", "cc").split()[:1], "gcc", "clang"]):
        return ()
    return (Missing(what="a C compiler (cc)", install=install_command("cc")),)


def missing_client(registry: Registry) -> tuple[Missing, ...]:
    """Say whether the program that fetches packages from a registry is not there; pip comes with reckless."""
    client = {"crates": "cargo", "npm": "npm", "go": "go"}.get(registry)
    if not client or _is_program(client):
        return ()
    rust = "install Rust as https://rustup.rs says"
    return (
        Missing(what=f"{client}, which fetches it", install=rust if client == "cargo" else install_command(client)),
    )


def install_command(name: str, *, exact: bool = False) -> str:
    """Return the command that installs `name` on this operating system, or a sentence where none is known."""
    manager = package_manager()
    if not manager:
        return f"install {name} with your system's package manager"
    known = None if exact else _KNOWN.get(_ALIASES.get(name, name).removesuffix(".h"))
    return _INSTALL[manager].format(known[_MANAGERS.index(manager)] if known else name)


def package_manager() -> str:
    """Return this system's package manager: apt, dnf, pacman, apk, zypper, brew, or empty where none is known."""
    if platform.system() == "Darwin":
        return "brew"
    try:
        told = platform.freedesktop_os_release()
    except OSError:
        return ""
    ids = f"{told.get('ID', '')} {told.get('ID_LIKE', '')}".split()
    return next(
        (manager for i in ids for known, manager in _BY_ID.items() if i == known or i.startswith(f"{known}-")), ""
    )


def _toolchain_install(build: Build, *, there: bool) -> str:
    if build.language == "rust":
        if _is_program("rustup"):
            return "rustup update stable" if there else "rustup default stable"
        return "install Rust as https://rustup.rs says" + (": the one here is too old" if there else "")
    if build.language == "python":
        return install_python(build.toolchain, there=there)
    if there:
        return f"install a newer {_TITLES.get(build.language, build.language)} than your system's packages have"
    return install_command(build.language)


def install_python(wanted: SpecifierSet, *, there: bool) -> str:
    """Return the command that brings a Python of the wanted versions; `there`: the system has one, but of others."""
    if not there:
        return install_command("python")
    hit = re.search(r"(?:>=|~=|==)\s*(\d+\.\d+)", str(wanted))
    return f"uv python install {hit[1]}" if hit else "uv python install"


def _is_program(name: str) -> bool:
    return shutil.which(name) is not None


def _in_pkg_config(name: str) -> bool:
    asked = re.sub(r"\s*([<>=!]+)\s*", r" \1 ", name)  # pkg-config wants its operators apart
    try:
        return run(Command(argv=["pkg-config", "--exists", "--", asked], timeout=10), check=False).status == 0
    except ProcessError:
        return False


def _has_header(name: str) -> bool:
    folders = [*_folders("CPATH", "C_INCLUDE_PATH"), *_prefixed("include"), *Path("/usr/include").glob("*-linux-*")]
    return any((folder / name).is_file() for folder in folders)


def _has_library(name: str) -> bool:
    name = name.removeprefix("lib")
    folders = [
        *_folders("LIBRARY_PATH", "LD_LIBRARY_PATH"),
        *_prefixed("lib"),
        *_prefixed("lib64"),
        Path("/lib"),
        Path("/lib64"),
    ]
    folders += [f for top in ("/usr/lib", "/lib") for f in Path(top).glob("*-linux-*")]
    patterns = (f"lib{name}.so", f"lib{name}.so.*", f"lib{name}.a", f"lib{name}.dylib", f"lib{name}.*.dylib")
    return any(next(folder.glob(pattern), None) for folder in folders for pattern in patterns)


def _prefixed(folder: str) -> list[Path]:
    return [Path(prefix) / folder for prefix in ("/usr", "/usr/local", "/opt/homebrew", "/opt/local")]


def _folders(*variables: str) -> Iterator[Path]:
    for variable in variables:
        yield from map(Path, filter(None, os.environ.get(variable, "").split(os.pathsep)))


_CHECKS: dict[str, Callable[[str], bool]] = {
    "bin": _is_program,
    "pkg-config": _in_pkg_config,
    "lib": _has_library,
    "header": _has_header,
}
