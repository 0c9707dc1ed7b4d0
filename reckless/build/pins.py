"""Locked packages as hashed requirements: what `uv.lock` and `pylock.toml` pin for one interpreter.

A lock's own download addresses are not used: the hashes say which bytes are meant, the user's index settings say from
where they come. What has no hash (git, a folder) cannot be taken that way and is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import msgspec
from packaging.markers import InvalidMarker, Marker, UndefinedComparison, UndefinedEnvironmentName
from packaging.utils import canonicalize_name

Node = tuple[int, str]  # a package's number in its lock, and one of its extras (empty: itself)
STRONG = frozenset({"sha256", "sha384", "sha512"})


class LockError(ValueError):
    """A lock that cannot be used; the text says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pin:
    """One package at one version, by the hashes (`sha256:...`) of all its files."""

    name: str
    version: str
    hashes: tuple[str, ...]

    def __str__(self) -> str:
        """Write it as a line of a requirements file."""
        return " \\\n    ".join([f"{self.name}=={self.version}", *(f"--hash={h}" for h in sorted(set(self.hashes)))])


def lines(pins: Iterable[Pin]) -> str:
    """Return the pins as a requirements file, in the order of their names."""
    return "".join(f"{pin}\n" for pin in sorted(pins, key=lambda p: (p.name, p.version)))


def holds(marker: str, markers: Mapping[str, str], extra: str = "") -> bool:
    """Say whether an environment marker (PEP 508) holds; an empty one does. Raises LockError."""
    try:
        return not marker or Marker(marker).evaluate({**markers, "extra": extra})
    except (InvalidMarker, UndefinedComparison, UndefinedEnvironmentName) as e:
        raise LockError(f"the marker {marker!r} cannot be read") from e


def not_hashed(name: str, what: str) -> LockError:
    """Return the error for a package that comes from a place without hashes."""
    return LockError(f"it takes {name} from {what}, which no hash vouches for")


def reachable(roots: Iterable[Node], edges: Callable[[Node], Iterable[Node]]) -> list[int]:
    """Return the numbers of the packages that can be reached from `roots`, each once."""
    seen: set[Node] = set()
    queue = list(roots)
    while queue:
        node = queue.pop()
        if node not in seen:
            seen.add(node)
            queue += edges(node)
    return sorted({number for number, _ in seen})


class _Source(msgspec.Struct):
    registry: str | None = None
    git: str | None = None
    url: str | None = None
    path: str | None = None
    directory: str | None = None
    editable: str | None = None
    virtual: str | None = None

    def place(self) -> str:
        return next(f"{k} {v}" for k in self.__struct_fields__ if (v := getattr(self, k)) is not None)


class _Want(msgspec.Struct):
    name: str
    version: str = ""
    marker: str = ""
    extra: list[str] = []
    extras: list[str] = []
    source: _Source | None = None


class _File(msgspec.Struct):
    hash: str = ""


class _Package(msgspec.Struct, rename="kebab"):
    name: str
    version: str = ""
    source: _Source = msgspec.field(default_factory=_Source)
    resolution_markers: list[str] = []
    dependencies: list[_Want] = []
    optional_dependencies: dict[str, list[_Want]] = {}
    sdist: _File | None = None
    wheels: list[_File] = []


class _Manifest(msgspec.Struct):
    requirements: list[_Want] = []


class UvLock(msgspec.Struct, rename="kebab"):
    """A uv.lock of a project, or of a script (`uv lock --script`)."""

    version: int = 1
    requires_python: str = ""
    manifest: _Manifest = msgspec.field(default_factory=_Manifest)
    package: list[_Package] = []


def uv_pins(lock: UvLock, project: str, markers: Mapping[str, str]) -> list[Pin]:
    """Return what `uv export --frozen --no-dev --no-emit-project` pins, for the interpreter with these markers.

    `project` is the name in pyproject.toml beside the lock, empty for a script's lock. Raises LockError.
    """
    if lock.version != 1:
        raise LockError(f"its format is {lock.version}, this reckless reads 1; with `uv` on PATH any can be used")
    by_name: dict[str, list[int]] = {}
    for number, package in enumerate(lock.package):
        by_name.setdefault(package.name, []).append(number)

    def targets(wants: Iterable[_Want], extra: str) -> Iterable[Node]:
        for want in wants:
            if holds(want.marker, markers, extra):
                number = _locate(lock, by_name.get(canonicalize_name(want.name), []), want, markers)
                yield from ((number, e) for e in ("", *want.extra, *want.extras))

    def edges(node: Node) -> Iterable[Node]:
        number, extra = node
        package = lock.package[number]
        return targets(package.optional_dependencies.get(extra, []) if extra else package.dependencies, extra)

    root = _project(lock, project)
    roots = targets(lock.manifest.requirements, "") if root is None else [(root, "")]
    return [_uv_pin(lock.package[n]) for n in reachable(roots, edges) if n != root]


class _Artifact(msgspec.Struct):
    hashes: dict[str, str] = {}


class _Locked(msgspec.Struct, rename="kebab"):
    name: str
    version: str = ""
    marker: str = ""
    requires_python: str = ""
    sdist: _Artifact | None = None
    wheels: list[_Artifact] = []


class PyLock(msgspec.Struct, rename="kebab"):
    """A pylock.toml (PEP 751)."""

    lock_version: str
    requires_python: str = ""
    environments: list[str] = []
    default_groups: list[str] = []
    packages: list[_Locked] = []


def pylock_pins(lock: PyLock, markers: Mapping[str, str]) -> list[Pin]:
    """Return what a pylock.toml pins for the interpreter with these markers. Raises LockError."""
    if not lock.lock_version.startswith("1."):
        raise LockError(f"its lock-version is {lock.lock_version}, this reckless reads 1.x")
    if lock.environments and not any(holds(e, markers) for e in lock.environments):
        raise LockError("none of the environments that it was made for is this machine")
    pins: dict[str, Pin] = {}
    for package in lock.packages:
        if not _selected(package.marker, lock.default_groups, markers):
            continue
        if package.name in pins:
            raise LockError(f"it has {package.name} twice for one interpreter")
        hashes = [f"{k}:{v}" for a in [*package.wheels, package.sdist] if a for k, v in a.hashes.items() if k in STRONG]
        if not package.version or not hashes:
            raise not_hashed(package.name, "git, a folder or an archive")
        pins[package.name] = Pin(name=package.name, version=package.version, hashes=tuple(hashes))
    return list(pins.values())


def _selected(marker: str, groups: list[str], markers: Mapping[str, str]) -> bool:
    if "dependency_groups" not in marker and "extras" not in marker:
        return holds(marker, markers)
    environment: dict[str, str | AbstractSet[str]] = {
        **markers,
        "extras": frozenset[str](),
        "dependency_groups": frozenset(groups),
    }
    try:  # packaging 25 and newer know PEP 751's two markers
        return Marker(marker).evaluate(environment, "lock_file")
    except (InvalidMarker, UndefinedComparison, UndefinedEnvironmentName, TypeError) as e:
        raise LockError(f"the marker {marker!r} cannot be read") from e


def _project(lock: UvLock, project: str) -> int | None:
    """Return the number of the project that the lock was made for; None: a script's lock."""
    own = [n for n, p in enumerate(lock.package) if p.source.editable is not None or p.source.virtual is not None]
    for number in own:
        if lock.package[number].name == canonicalize_name(project):
            return number
    for number in own:
        if "." in {lock.package[number].source.editable, lock.package[number].source.virtual}:
            return number
    if not own and (lock.manifest.requirements or not project):
        return None
    raise LockError("the project beside it is not in it")


def _locate(lock: UvLock, numbers: list[int], want: _Want, markers: Mapping[str, str]) -> int:
    """Return the locked package that a dependency means: several versions of one may be there, for several machines."""
    fits = [n for n in numbers if not want.version or lock.package[n].version == want.version]
    if len(fits) > 1:
        fits = [n for n in fits if any(holds(m, markers) for m in lock.package[n].resolution_markers or [""])]
    if len(fits) != 1:
        raise LockError(
            f"it has {'several' if fits else 'no'} {want.name} {want.version}".rstrip() + " for this machine"
        )
    return fits[0]


def _uv_pin(package: _Package) -> Pin:
    hashes = tuple(f.hash for f in [*package.wheels, package.sdist] if f and f.hash)
    if package.source.registry is None or not hashes:
        raise not_hashed(package.name, package.source.place())
    return Pin(name=package.name, version=package.version, hashes=hashes)
