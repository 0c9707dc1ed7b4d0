"""What one language's detection answers: programs of a folder that are plugins, and what was seen that is none."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from packaging.specifiers import SpecifierSet

from reckless.build.detection.look import one_line
from reckless.errors import RecklessError
from reckless.model.manifest import Language
from reckless.model.names import normalize_name
from reckless.model.versions import parse_specifier


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A program that is a plugin, and how it is built.

    `folder` is where it is built; `path` is what tells it from the others (its source file or folder).
    `why_plugin` says what shows that it is one; `how` are the other reasons, in order.
    `names` are what it goes by, for comparing with the folder's name and the author's word.
    `preferred` is the reason why this one is meant among several of its kind.
    """

    language: Language
    system: str
    folder: str
    path: str
    entrypoint: str
    why_plugin: str
    how: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    preferred: str = ""
    executable: bool = False
    toolchain: SpecifierSet = field(default_factory=SpecifierSet)
    lock: str | None = None
    summary: str = ""
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Word:
    """The author's word on what is started, and the file that it stands in; both empty where there is none."""

    entrypoint: str = ""
    file: str = ""

    def why(self, *names: str) -> str:
        """Say that the author calls what goes by these names the plugin, or nothing."""
        return f"is the plugin, as {self.file} says" if self.entrypoint and self.entrypoint in names else ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finds:
    """All that one language has in a folder: its plugins, and in words what else was there (`seen`)."""

    found: tuple[Found, ...] = ()
    seen: tuple[str, ...] = ()


def alike(one: str, other: str) -> bool:
    """Say whether two names mean the same: case, dashes, underscores and an extension do not count."""
    return bool(one) and plain(one) == plain(other)


def plain(name: str) -> str:
    """Return a name as it is compared."""
    try:
        name = normalize_name(name)
    except RecklessError:
        name = name.lower()
    return re.sub(r"[^a-z0-9]", "", name)


def at_least(version: str) -> SpecifierSet:
    """Return the bounds `>=version`, or none where that is not a version."""
    try:
        return parse_specifier(f">={version}")
    except RecklessError:
        return SpecifierSet()


def shown_names(names: list[str], most: int = 8) -> str:
    """Return names as a sentence lists them."""
    rest = len(names) - most
    text = ", ".join(one_line(name) for name in names[:most])
    return f"{text} and {rest} more" if rest > 0 else text
