"""The version that a project states of itself, in the file that its language keeps it in."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Mapping

from packaging.version import Version

from reckless.errors import RecklessError
from reckless.model.manifest import Language
from reckless.model.treeview import TreeView
from reckless.model.versions import parse_version

_MAX = 1 << 18
_PLACEHOLDERS = frozenset({"0", "0.0", "0.0.0", "0.0.0.0"})  # noqa: S104 - a version, no address
_GRADLE = re.compile(r"""^\s*version\s*=?\s*["']([^"']+)["']""", re.MULTILINE)
_POM_INNER = re.compile(r"<(parent|dependencies|dependencyManagement|build|profiles|properties)>.*?</\1>", re.DOTALL)
_POM = re.compile(r"<version>\s*([^<>$\s]+)\s*</version>")
FILES = ("pyproject.toml", "Cargo.toml", "package.json", "pom.xml", "build.gradle", "build.gradle.kts")


def project_version(tree: TreeView, folder: str, language: Language) -> Version | None:
    """Return what the project in a folder of the tree says that its version is; None where it says nothing usable.

    Not PEP 440, or a placeholder such as 0.0.0: as if it said nothing.
    """
    read = _READERS.get(language)
    if read is None:
        return None

    def text(name: str) -> str:
        return tree.read(f"{folder}/{name}" if folder else name, _MAX).decode(errors="replace")

    found = read(text, lambda: tree.read("Cargo.toml", _MAX).decode(errors="replace"))
    try:
        version = parse_version(found) if found else None
    except RecklessError:
        return None
    return None if version is None or version.public in _PLACEHOLDERS else version


_Text = Callable[[str], str]
_Top = Callable[[], str]


def _python(text: _Text, _: _Top) -> str:
    data = _toml(text("pyproject.toml"))
    return _at(data, "project", "version") or _at(data, "tool", "poetry", "version")


def _rust(text: _Text, top: _Top) -> str:
    own = _toml(text("Cargo.toml"))
    found = _at(own, "package", "version")
    if found or not isinstance(own.get("package"), dict):
        return found
    return _at(own, "workspace", "package", "version") or _at(_toml(top()), "workspace", "package", "version")


def _node(text: _Text, _: _Top) -> str:
    try:
        data = json.loads(text("package.json") or "{}")
    except (ValueError, RecursionError):
        return ""
    return _at(data, "version") if isinstance(data, dict) else ""


def _java(text: _Text, _: _Top) -> str:
    pom = _POM.search(_POM_INNER.sub("", text("pom.xml")))
    if pom:
        return pom[1].removesuffix("-SNAPSHOT")
    gradle = _GRADLE.search(text("build.gradle") or text("build.gradle.kts"))
    return gradle[1].removesuffix("-SNAPSHOT") if gradle else ""


_READERS: Mapping[Language, Callable[[_Text, _Top], str]] = {
    "python": _python, "rust": _rust, "node": _node, "java": _java,
}  # fmt: skip


def _toml(text: str) -> Mapping[str, object]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        return tomllib.loads(text.replace("\r\n", "\n"))
    except (ValueError, RecursionError, OverflowError):
        return {}


def _at(data: object, *keys: str) -> str:
    """Return the text at the end of a path of keys; empty where there is none."""
    for key in keys:
        data = data.get(key) if isinstance(data, dict) else None
    return data if isinstance(data, str) else ""
