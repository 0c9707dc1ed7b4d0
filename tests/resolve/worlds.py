"""Small worlds to resolve in, written as the author of a manifest would say them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from reckless.errors import ResolutionError
from reckless.model.dependency import parse_dependency
from reckless.model.machine import Machine
from reckless.model.manifest import Binary, Build, Builtin, GitSource, Manifest, Plugin, Release
from reckless.model.versions import parse_lightningd
from reckless.resolve.problem import Installed, Problem, Resolution, Wanted
from reckless.resolve.solver import resolve

MACHINE = Machine(
    os="linux",
    arch="x86_64",
    libc="gnu",
    toolchains={"python": Version("3.11.2"), "go": Version("1.22")},
    pythons=(Version("3.11.2"), Version("3.9.1")),
)


def release(
    version: str,
    *depends: str,
    conflicts: Iterable[str] = (),
    cln: str = "",
    yanked: str | None = None,
    language: str = "python",
    toolchain: str = "",
    targets: Iterable[str] = (),
) -> Release:
    return Release(
        version=Version(version),
        source=GitSource(git="https://example.org/plugins", rev="0" * 40),
        build=Build(language=language, entrypoint="main.py", toolchain=SpecifierSet(toolchain)),
        cln=SpecifierSet(cln),
        depends=tuple(parse_dependency(d) for d in depends),
        conflicts=tuple(parse_dependency(c) for c in conflicts),
        yanked=yanked,
        binary=tuple(Binary(target=t, url="https://example.org/x", sha256="0" * 64) for t in targets),
    )


def manifest(name: str, *releases: Release, status: str = "active", replaced_by: str = "") -> Manifest:
    plugin = Plugin(
        name=name,
        summary=name,
        repository="https://example.org/plugins",
        license="MIT",
        category="other",
        status=status,
        replaced_by=replaced_by,
    )
    return Manifest(plugin=plugin, releases=tuple(sorted(releases, key=lambda r: r.version, reverse=True)))


def installed(
    name: str,
    version: str,
    *depends: str,
    conflicts: Iterable[str] = (),
    cln: str = "",
    requested: bool = True,
    pinned: bool = False,
) -> Installed:
    return Installed(
        name=name,
        version=Version(version),
        depends=tuple(parse_dependency(d) for d in depends),
        conflicts=tuple(parse_dependency(c) for c in conflicts),
        cln=SpecifierSet(cln),
        requested=requested,
        pinned=pinned,
    )


def wanted(text: str) -> Wanted:
    dependency = parse_dependency(text)
    return Wanted(name=dependency.name, specifier=dependency.specifier)


def problem(
    *wishes: str,
    index: Mapping[str, Iterable[Release]] | None = None,
    here: Iterable[Installed] = (),
    upgrade: Iterable[str] = (),
    builtins: Iterable[Builtin] = (),
    lightningd: str | None = "v26.06.6",
    machine: Machine = MACHINE,
    prereleases: bool = False,
    from_source: Iterable[str] = (),
    manifests: Iterable[Manifest] = (),
    known: Iterable[str] = (),
) -> Problem:
    listed = [*(manifest(n, *releases) for n, releases in (index or {}).items()), *manifests]
    return Problem(
        wanted=tuple(wanted(w) for w in wishes),
        upgrade=frozenset(upgrade),
        installed={i.name: i for i in here},
        manifests={m.name: m for m in listed},
        builtins={b.name: b for b in builtins},
        lightningd=parse_lightningd(lightningd) if lightningd else None,
        machine=machine,
        prereleases=prereleases,
        from_source=frozenset(from_source),
        known=frozenset(known),
    )


def chosen(resolution: Resolution) -> list[str]:
    """Every choice in order, as `install summary 1.2.0`."""
    return [f"{c.kind} {c.name} {c.version}" for c in resolution.choices]


def refused(given: Problem) -> ResolutionError:
    with pytest.raises(ResolutionError) as caught:
        resolve(given)
    return caught.value
