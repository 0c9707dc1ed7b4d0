"""What a Python source says of itself: pyproject.toml (PEP 621, Poetry, setuptools), a wheel, PEP 723 in a script."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from reckless.build.poetry import Table, specifiers
from reckless.model import locate

# PEP 723, Reference Implementation.
_INLINE = re.compile(r"(?m)^# /// (?P<type>[a-zA-Z0-9-]+)$\s(?P<content>(^#(| .*)$\s)+)^# ///$")


class _Project(msgspec.Struct, rename="kebab"):
    name: str = ""
    requires_python: str = ""
    dependencies: list[str] = []
    dynamic: list[str] = []


class _Poetry(msgspec.Struct):
    name: str = ""
    dependencies: Table = {}


class _File(msgspec.Struct):
    file: str | list[str] = []


class _Dynamic(msgspec.Struct):
    dependencies: _File | None = None


class _Setuptools(msgspec.Struct):
    dynamic: _Dynamic | None = None


class _Tool(msgspec.Struct):
    poetry: _Poetry | None = None
    setuptools: _Setuptools | None = None


class PyProject(msgspec.Struct, rename="kebab"):
    """The parts of pyproject.toml that are read."""

    project: _Project | None = None
    tool: _Tool = msgspec.field(default_factory=_Tool)
    build_system: dict[str, object] | None = None

    @property
    def name(self) -> str:
        """The project's name, empty where it gives none."""
        return (self.project.name if self.project else "") or (self.tool.poetry.name if self.tool.poetry else "")

    @property
    def poetry_table(self) -> Table:
        """Poetry's own table of dependencies; empty where the standard one is used instead."""
        if not self.tool.poetry or (self.project and self.project.dependencies):
            return {}
        return self.tool.poetry.dependencies

    @property
    def requirement_files(self) -> list[str]:
        """The files that setuptools reads the dependencies from."""
        told = self.tool.setuptools and self.tool.setuptools.dynamic and self.tool.setuptools.dynamic.dependencies
        if not told:
            return []
        return [told.file] if isinstance(told.file, str) else told.file

    @property
    def is_computed(self) -> bool:
        """Whether only the project's own build can tell what it depends on."""
        dynamic = self.project is not None and "dependencies" in self.project.dynamic
        bare = self.project is None and not self.tool.poetry and self.build_system is not None
        return (dynamic or bare) and not self.poetry_table and not self.requirement_files


class Inline(msgspec.Struct, rename="kebab"):
    """What a script says of itself (PEP 723)."""

    requires_python: str = ""
    dependencies: list[str] = []


Kind = TypeVar("Kind", PyProject, Inline)


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """What a plugin's folder says of itself; either part may be absent."""

    folder: Path
    script: Path | None
    pyproject: PyProject | None
    inline: list[str] | None
    python: tuple[SpecifierSet, ...]

    @property
    def is_buildable(self) -> bool:
        """Whether the folder is a project that can be installed."""
        return bool(self.pyproject and self.pyproject.build_system) or (self.folder / "setup.py").is_file()


def read_source(folder: Path, script: Path | None) -> Source:
    """Read what `folder` and its entrypoint say. Raises ValueError, which says what is wrong with which file.

    `python` is what they ask of the interpreter: of Poetry's alternatives (`||`), the last.
    """
    pyproject, inline = _unpacked_wheel(folder), None
    if (folder / "pyproject.toml").is_file():
        pyproject = parse_pyproject((folder / "pyproject.toml").read_bytes())
    if script:
        inline = parse_inline(script.read_text(encoding="utf-8", errors="replace"), script.name)
    return Source(
        folder=folder,
        script=script,
        pyproject=pyproject,
        inline=inline.dependencies if inline else None,
        python=tuple(python_bounds(pyproject, inline)),
    )


def python_bounds(pyproject: PyProject | None, inline: Inline | None) -> list[SpecifierSet]:
    """Return what they ask of the interpreter. Raises ValueError where Poetry's constraint cannot be read."""
    python = []
    if pyproject and pyproject.project and pyproject.project.requires_python:
        python.append(_specifier(pyproject.project.requires_python))
    asked = pyproject.tool.poetry.dependencies.get("python") if pyproject and pyproject.tool.poetry else None
    if isinstance(asked, str):
        python.append(specifiers(asked)[-1])
    if inline and inline.requires_python:
        python.append(_specifier(inline.requires_python))
    return python


def imports_project(source: Source) -> bool:
    """Say whether the entrypoint imports something that only installing the project puts where it is found.

    A script finds what lies beside it. A project with `src/name/`, or with the script in a folder of its own, is
    imported from elsewhere.
    """
    if not source.script or not source.is_buildable:
        return False
    places = {source.folder / "src", source.folder} - {source.script.parent}
    return any(
        _is_module(place, name)
        for name in _imports(source.script)
        if not _is_module(source.script.parent, name)
        for place in places
    )


def _is_module(folder: Path, name: str) -> bool:
    return (folder / f"{name}.py").is_file() or (folder / name).is_dir()


def _imports(script: Path) -> set[str]:
    """Return the top-level names that a script imports; none where it cannot be parsed by our own Python."""
    try:
        tree = ast.parse(script.read_bytes())
    except (SyntaxError, ValueError):
        return set()
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names


def _unpacked_wheel(folder: Path) -> PyProject | None:
    """Return what the metadata of an unpacked wheel says (Core metadata specifications); None where it is none."""
    found = list(folder.glob("*.dist-info/METADATA"))
    if len(found) != 1:
        return None
    from packaging.metadata import parse_email

    raw, _ = parse_email(found[0].read_bytes())
    return PyProject(
        project=_Project(
            name=raw.get("name", ""),
            requires_python=raw.get("requires_python", ""),
            dependencies=raw.get("requires_dist", []),
        )
    )


def parse_inline(text: str, name: str) -> Inline | None:
    """Read the inline metadata of the script `name` (PEP 723); None where it has none. Raises ValueError."""
    if text.count("# /// ") > 10:  # each of them could begin a block as long as the file
        raise ValueError(f"{name} has more blocks of inline metadata (PEP 723) than anybody writes")
    blocks = [m for m in _INLINE.finditer(text.replace("\r\n", "\n")) if m["type"] == "script"]
    if not blocks:
        return None
    if len(blocks) > 1:
        raise ValueError(f"{name} has several `script` blocks (PEP 723 allows one)")
    rows = blocks[0]["content"].splitlines(keepends=True)
    content = "".join(row[2:] if row.startswith("# ") else row[1:] for row in rows)
    try:
        return _decode(content, Inline)
    except (msgspec.DecodeError, msgspec.ValidationError, ValueError) as e:
        raise ValueError(f"{name}: its inline metadata (PEP 723) cannot be read: {e}") from e


def parse_pyproject(data: bytes) -> PyProject:
    """Read a pyproject.toml. Raises ValueError."""
    try:
        return _decode(data.decode("utf-8"), PyProject)
    except (msgspec.DecodeError, msgspec.ValidationError, ValueError) as e:
        raise ValueError(f"pyproject.toml cannot be read: {e}") from e


def _decode(text: str, kind: type[Kind]) -> Kind:
    if deep := locate.too_deep(locate.mask(text)):
        raise ValueError(deep.message)
    return msgspec.toml.decode(text, type=kind)


def _specifier(text: str) -> SpecifierSet:
    try:
        return SpecifierSet(text)
    except InvalidSpecifier:  # old projects have some, such as >=3.7.*; pip lets them pass too
        return SpecifierSet()
