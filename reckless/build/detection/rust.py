"""Rust: which of the binaries that cargo makes are plugins (The Cargo Book: Cargo Targets, Workspaces)."""

from __future__ import annotations

import fnmatch
import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from packaging.specifiers import SpecifierSet

from reckless.build.detection.found import Finds, Found, Word, at_least, shown_names
from reckless.build.detection.look import Look, above, join, relative, string, strings, table
from reckless.model import hostile

PROJECT = ("Cargo.toml",)
LOCKS = ("Cargo.lock",)
MARKS = (*PROJECT, *LOCKS)

_LIBRARIES = frozenset({"cln-plugin", "cln_plugin", "clightningrpc-plugin", "clightningrpc-plugin-macros"})
_USES = re.compile(r"\b(?:cln_plugin|clightningrpc_plugin(?:_macros)?)\b|\"getmanifest\"")
_BY_HAND = re.compile(r'"getmanifest"')
# The Edition Guide, and the release notes of each edition.
_EDITIONS = {"2018": "1.31", "2021": "1.56", "2024": "1.85"}
_MAX_MEMBERS = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class _Package:
    """One Cargo.toml with a [package]; `root` is the folder of its workspace, or its own."""

    folder: str
    root: str
    data: Mapping[str, object]
    workspace: Mapping[str, object]

    @property
    def name(self) -> str:
        """The crate's name."""
        return string(table(self.data, "package"), "name")

    def inherited(self, key: str) -> str:
        """Return a value of [package], from the workspace where it says so."""
        own = table(self.data, "package").get(key)
        if isinstance(own, dict):
            return string(table(self.workspace, "package"), key)
        return string(table(self.data, "package"), key)


def find(look: Look, folder: str, word: Word) -> Finds:
    """Return the plugins among the binaries of the folder's package or workspace."""
    if not look.has(join(folder, "Cargo.toml")):
        return Finds()
    packages = list(_packages(look, folder))
    found, others = [], []
    for package in packages:
        binaries = list(_binaries(look, package))
        plugins = _plugins(look, package, binaries, word)
        others += [name for name, _ in binaries if name not in {n for n, _, _ in plugins}]
        by_folder = package.folder != folder and len(plugins) == 1
        found += [_found(look, folder, package, *one, by_folder=by_folder) for one in plugins]
    seen = []
    if others and not found:
        seen.append(
            f"Cargo.toml, with binaries that neither use cln-plugin nor answer getmanifest ({shown_names(others)})"
        )
    elif not found:
        seen.append("Cargo.toml without a binary")
    return Finds(found=tuple(found), seen=tuple(seen))


def _packages(look: Look, folder: str) -> Iterator[_Package]:
    """Yield the folder's package and the members of its workspace, if it is the root of one."""
    data = look.toml(join(folder, "Cargo.toml"))
    if "workspace" in data:
        workspace = table(data, "workspace")
        if "package" in data:
            yield _Package(folder=folder, root=folder, data=data, workspace=workspace)
        for member in _members(look, folder, workspace):
            inner = look.toml(join(member, "Cargo.toml"))
            if "package" in inner:
                yield _Package(folder=member, root=folder, data=inner, workspace=workspace)
        return
    for up in above(folder):
        outer = look.toml(join(up, "Cargo.toml"))
        if up != folder and "workspace" in outer:
            yield _Package(folder=folder, root=up, data=data, workspace=table(outer, "workspace"))
            return
    yield _Package(folder=folder, root=folder, data=data, workspace={})


def _members(look: Look, folder: str, workspace: Mapping[str, object]) -> list[str]:
    found: list[str] = []
    left_out = strings(workspace.get("exclude") or [])
    for pattern in strings(workspace.get("members") or [])[:_MAX_MEMBERS]:
        place = pattern.strip("/").removeprefix("./")
        if hostile.path(place.replace("*", "x")) is not None:
            continue
        if "*" not in place:
            found.append(join(folder, place))
            continue
        inside, last = posixpath.split(place)
        if "*" not in inside:
            base = join(folder, inside) if inside else folder
            found += [f for f in look.folders(base) if fnmatch.fnmatchcase(posixpath.basename(f), last)]
    return [f for f in dict.fromkeys(found) if relative(f, folder) not in left_out and look.has(join(f, "Cargo.toml"))]


def _binaries(look: Look, package: _Package) -> Iterator[tuple[str, str]]:
    """Yield each binary's name and main file."""
    folder, taken = package.folder, set()
    listed = package.data.get("bin")
    for one in listed if isinstance(listed, list) else []:
        if isinstance(one, dict) and (name := string(one, "name")):
            usual = [f"src/bin/{name}.rs", f"src/bin/{name}/main.rs", "src/main.rs"]
            path = string(one, "path") or next((p for p in usual if look.has(join(folder, p))), "")
            taken |= {name, path}
            yield name, join(folder, path)
    if table(package.data, "package").get("autobins") is False:
        return
    guesses = [(package.name, "src/main.rs")]
    guesses += [(f.stem, relative(f.path, folder)) for f in look.files(join(folder, "src/bin")) if f.suffix == ".rs"]
    guesses += [
        (posixpath.basename(f), relative(join(f, "main.rs"), folder)) for f in look.folders(join(folder, "src/bin"))
    ]
    for name, path in guesses:
        if name and not {name, path} & taken and look.has(join(folder, path)):
            yield name, join(folder, path)


def _plugins(look: Look, package: _Package, binaries: list[tuple[str, str]], word: Word) -> list[tuple[str, str, str]]:
    """Return those binaries that are plugins: name, main file, and what shows it.

    Of a package that uses a plugin library, those are it whose own file does. Where none does (its other files do), it
    is the only one, or the one that is named like the package.
    """
    told = [b for b in binaries if word.why(b[0])]
    library, where = _library(look, package)
    if library:
        uses = [(name, path) for name, path in binaries if _USES.search(look.text(path))]
        plugins = uses or told or [b for b in binaries if len(binaries) == 1 or b[0] == package.name]
        uses_it = f"depends on {library}{where}"
        return [(name, path, f"Cargo.toml makes the binary {name}, and {uses_it}") for name, path in plugins]
    by_hand = [(name, path) for name, path in binaries if _BY_HAND.search(look.text(path))]
    if not by_hand and len(binaries) == 1:
        elsewhere, _ = look.search(join(package.folder, "src"), (".rs",), _BY_HAND, depth=4)
        by_hand = binaries if elsewhere else []
    found = [(n, p, f"Cargo.toml makes the binary {n}, whose source answers getmanifest itself") for n, p in by_hand]
    return found or [(n, p, f"Cargo.toml makes the binary {n}, which {word.why(n)}") for n, p in told]


def _library(look: Look, package: _Package) -> tuple[str, str]:
    """Return the plugin library that a package depends on, by itself or through another package of the tree."""
    queue, seen = [(package.folder, package.data)], {package.folder}
    for folder, data in queue:
        wanted = [table(data, "dependencies")]
        wanted += [table(data, "target", cfg, "dependencies") for cfg in table(data, "target")]
        names = sorted({name for one in wanted for name in one} & _LIBRARIES)
        if names:
            return names[0], "" if folder == package.folder else f" through {folder}"
        for name in (name for one in wanted for name in one):
            path = _path_of(package, folder, name, wanted)
            if path and path not in seen and len(seen) < _MAX_MEMBERS:
                seen.add(path)
                queue.append((path, look.toml(join(path, "Cargo.toml"))))
    return "", ""


def _path_of(package: _Package, folder: str, name: str, wanted: list[Mapping[str, object]]) -> str:
    """Return the folder of a dependency that lies in the tree, empty for one that does not."""
    told, base = next((table(one, name) for one in wanted if name in one), {}), folder
    if told.get("workspace") is True:
        told, base = table(package.workspace, "dependencies", name), package.root
    path = string(told, "path")
    place = posixpath.normpath(posixpath.join(base, path)) if path else ""
    return place if place and hostile.path(place) is None else ""


def _found(look: Look, folder: str, package: _Package, name: str, path: str, why: str, *, by_folder: bool) -> Found:
    edition, version = package.inherited("edition"), package.inherited("rust-version")
    toolchain = at_least(version or _EDITIONS.get(edition, "")) if version or edition in _EDITIONS else SpecifierSet()
    how = []
    if package.folder != package.root:
        how.append(
            f"it is a member of the workspace in {package.root or 'the top folder'}, whose lock and sources it needs"
        )
    lock = None
    if look.has(join(folder, "Cargo.lock")):
        lock = "Cargo.lock"
        how.append("Cargo.lock pins its crates")
    elif look.has(join(package.root, "Cargo.lock")):
        how.append(f"{join(package.root, 'Cargo.lock')} of the workspace pins its crates")
    else:
        how.append("nothing pins its crates: there is no Cargo.lock")
    if version:
        how.append(f"it asks for Rust {version} or newer (rust-version)")
    elif edition in _EDITIONS:
        how.append(f"its edition {edition} needs Rust {_EDITIONS[edition]} or newer")
    pinned = string(table(look.toml(join(package.root, "rust-toolchain.toml")), "toolchain"), "channel")
    if pinned:
        how.append(f"rust-toolchain.toml names the toolchain {pinned}")
    return Found(
        language="rust",
        system="cargo",
        folder=folder,
        path=package.folder if by_folder else path,
        entrypoint=name,
        why_plugin=why,
        how=tuple(how),
        names=(name, package.name),
        executable=True,
        toolchain=toolchain,
        lock=lock,
        summary=package.inherited("description"),
    )
