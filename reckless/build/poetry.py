"""Poetry's own ways: version constraints (`^1.2`), dependency tables in pyproject.toml, and poetry.lock.

The lock is read here rather than by poetry: putting poetry and the forty packages that it needs into an environment
takes a Raspberry Pi minutes, and all that is wanted is which of the locked packages this very machine needs. Formats
2.1 says so package by package; earlier ones are walked from what pyproject.toml asks for.
https://python-poetry.org/docs/dependency-specification/
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from reckless.build.pins import STRONG, LockError, Node, Pin, holds, not_hashed, reachable

_PART = re.compile(r"(\^|~=|~|===|==|!=|<=|>=|<|>|=)?\s*([0-9A-Za-z*][^\s,]*)\s*,?\s*")


class _File(msgspec.Struct):
    hash: str = ""
    file: str = ""


class _Source(msgspec.Struct):
    type: str = ""


class Wanted(msgspec.Struct, rename="kebab"):
    """One dependency as Poetry's tables write it."""

    version: str = "*"
    markers: str = ""
    python: str = ""
    platform: str = ""
    optional: bool = False
    extras: list[str] = []
    git: str = ""
    rev: str = ""
    tag: str = ""
    branch: str = ""
    url: str = ""
    path: str = ""


Table = dict[str, str | Wanted | list[Any]]


class _Package(msgspec.Struct):
    name: str
    version: str
    optional: bool = False
    groups: list[str] = []
    markers: str | dict[str, str] = ""
    dependencies: Table = {}
    extras: dict[str, list[str]] = {}
    files: list[_File] = []
    source: _Source | None = None


class _Metadata(msgspec.Struct, rename="kebab"):
    lock_version: str = "1.0"
    files: dict[str, list[_File]] = {}


class PoetryLock(msgspec.Struct):
    """A poetry.lock of any version so far."""

    package: list[_Package] = []
    metadata: _Metadata = msgspec.field(default_factory=_Metadata)


def specifiers(constraint: str) -> tuple[SpecifierSet, ...]:
    """Return a constraint's alternatives (`||`) as PEP 440 has them. Raises LockError."""
    try:
        return tuple(_alternative(text.strip()) for text in re.split(r"\|\|?", constraint))
    except (InvalidSpecifier, InvalidVersion) as e:
        raise LockError(f"the version constraint {constraint!r} cannot be read") from e


def alternatives(value: str | Wanted | list[Any]) -> list[Wanted]:
    """Return a table's value as the list that it may be."""
    if isinstance(value, str):
        return [Wanted(version=value)]
    if isinstance(value, Wanted):
        return [value]
    return [one for v in value for one in alternatives(v if isinstance(v, str) else msgspec.convert(v, Wanted))]


def applies(wanted: Wanted, markers: Mapping[str, str], extra: str = "") -> bool:
    """Say whether a dependency is for the interpreter with these markers; an optional one only as part of an extra."""
    if (wanted.optional and not extra) or (wanted.platform and wanted.platform != markers["sys_platform"]):
        return False
    python = Version(markers["python_full_version"])
    if wanted.python and not any(s.contains(python, prereleases=True) for s in specifiers(wanted.python)):
        return False
    return holds(wanted.markers, markers, extra)


def requirements(table: Table, markers: Mapping[str, str], folder: str) -> list[str]:
    """Return `[tool.poetry.dependencies]` as PEP 508 requirements, those that are for this interpreter.

    `folder` is the project's own, as a file: address; paths are relative to it.
    Of a union such as `^1.0 || ^2.0`, which PEP 508 has no word for, the last alternative is taken.
    """
    lines = []
    for name, value in table.items():
        if name.lower() == "python":
            continue
        for wanted in (w for w in alternatives(value) if applies(w, markers)):
            extras = f"[{','.join(wanted.extras)}]" if wanted.extras else ""
            if wanted.git:
                at = wanted.rev or wanted.tag or wanted.branch
                lines.append(f"{name}{extras} @ git+{wanted.git}" + (f"@{at}" if at else ""))
            elif wanted.url or wanted.path:
                lines.append(f"{name}{extras} @ {wanted.url or f'{folder}/{wanted.path}'}")
            else:
                lines.append(f"{name}{extras}{specifiers(wanted.version)[-1]}")
    return lines


def pins(lock: PoetryLock, wanted: Table, markers: Mapping[str, str]) -> list[Pin]:
    """Return the locked packages that this interpreter needs. Raises LockError."""
    if Version(lock.metadata.lock_version) >= Version("2.1"):
        chosen = [p for p in lock.package if not p.optional and "main" in p.groups and _marked(p, markers)]
    else:
        chosen = _walk(lock, wanted, markers)
    return [_pin(p, lock) for p in chosen]


def _alternative(text: str) -> SpecifierSet:
    parts, at = [], 0
    if text in {"*", ""}:
        return SpecifierSet()
    while at < len(text):
        hit = _PART.match(text, at)
        if not hit:
            raise InvalidSpecifier(text)
        parts += _part(hit[1] or "==", hit[2])
        at = hit.end()
    return SpecifierSet(",".join(parts))


def _part(operator: str, version: str) -> list[str]:
    if version == "*":
        return []
    if operator == "=" or (operator not in {"^", "~"} and "*" in version):
        operator = "!=" if operator == "!=" else "=="
    if operator not in {"^", "~"}:
        return [f"{operator}{version}"]
    release = list(Version(version.removesuffix(".*")).release)
    if operator == "~":
        at = min(1, len(release) - 1)
    else:  # the first number that is not zero may not change; ^0.0 fixes what it spells out
        at = next((n for n, number in enumerate(release) if number), len(release) - 1)
    upper = [*release[:at], release[at] + 1]
    return [f">={version.removesuffix('.*')}", f"<{'.'.join(map(str, upper))}"]


def _marked(package: _Package, markers: Mapping[str, str]) -> bool:
    text = package.markers if isinstance(package.markers, str) else package.markers.get("main", "")
    return holds(text, markers)


def _walk(lock: PoetryLock, wanted: Table, markers: Mapping[str, str]) -> list[_Package]:
    """Follow the dependencies from what pyproject.toml asks for: formats before 2.1 do not say which are for whom."""
    by_name: dict[str, list[int]] = {}
    for number, package in enumerate(lock.package):
        by_name.setdefault(canonicalize_name(package.name), []).append(number)

    def targets(table: Table, extra: str = "", only: frozenset[str] | None = None) -> Iterable[Node]:
        for name, value in table.items():
            if name.lower() == "python" or (only is not None and canonicalize_name(name) not in only):
                continue
            for want in alternatives(value):
                if applies(want, markers, extra):
                    number = _locate(lock, by_name.get(canonicalize_name(name), []), name, want)
                    yield from ((number, e) for e in ("", *want.extras))

    def edges(node: Node) -> Iterable[Node]:
        number, extra = node
        package = lock.package[number]
        if not extra:
            return targets(package.dependencies)
        # An extra lists its dependencies as `PySocks (>=1.5.6)`; their entries are among the others, marked optional.
        names = {canonicalize_name(d.split()[0].split("[")[0].split(";")[0]) for d in package.extras.get(extra, [])}
        return targets(package.dependencies, extra, frozenset(names))

    return [lock.package[number] for number in reachable(targets(wanted), edges)]


def _locate(lock: PoetryLock, numbers: list[int], name: str, want: Wanted) -> int:
    allowed = specifiers(want.version)
    fits = [n for n in numbers if any(s.contains(lock.package[n].version, prereleases=True) for s in allowed)]
    if want.git or want.url or want.path:
        fits = numbers
    if len(fits) != 1:
        raise LockError(f"it has {'several' if fits else 'no'} {name} that fit {want.version}")
    return fits[0]


def _pin(package: _Package, lock: PoetryLock) -> Pin:
    if package.source and package.source.type not in {"", "legacy"}:  # legacy: an index other than the usual
        raise not_hashed(package.name, package.source.type)
    files = package.files or lock.metadata.files.get(package.name, [])
    hashes = tuple(f.hash for f in files if f.hash.partition(":")[0] in STRONG)
    if not hashes:
        raise not_hashed(package.name, "a place without hashes")
    return Pin(name=package.name, version=package.version, hashes=hashes)
