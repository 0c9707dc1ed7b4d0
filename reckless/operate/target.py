"""A plugin that a person asked for: by its name, or the plugin itself where it was named by where it is."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from packaging.specifiers import SpecifierSet

from reckless.errors import RecklessError
from reckless.model.names import normalize_name
from reckless.model.versions import parse_specifier
from reckless.operate.unvouched import One

_TARGET = re.compile(r"\s*(?P<name>[^\s=<>!~@]+)\s*(?:@\s*(?P<rev>\S+)|(?P<specifier>[=<>!~].*))?\s*")


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """What a person typed: a name, and bounds on its version or a revision.

    `one` is the plugin itself where it was named by where it is, or is taken from a repository's revision; `unasked`:
    it moves by itself, and is a dependency as before. `from_source`: it is to be built here also where a ready-made
    program fits, or not; None: as was said before.
    """

    name: str
    specifier: SpecifierSet = field(default_factory=SpecifierSet)
    rev: str = ""
    one: One | None = None
    unasked: bool = False
    from_source: bool | None = None


def parse_target(text: str) -> Target:
    """Read `NAME`, `NAME==1.2.0`, `NAME>=1,<2`, `NAME@v1.2.0` or `NAME@COMMIT`. Raises RecklessError."""
    found = _TARGET.fullmatch(text)
    if found is None or "/" in text.split("@", maxsplit=1)[0]:
        raise RecklessError(
            "invalid-name",
            f"{text!r} is not the name of a plugin",
            "`reckless search WORD` finds names; a folder is named with a slash in it, as in ./my-plugin",
        )
    specifier = parse_specifier(found["specifier"] or "")
    return Target(name=normalize_name(found["name"]), specifier=specifier, rev=found["rev"] or "")
