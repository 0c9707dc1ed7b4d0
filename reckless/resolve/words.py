"""Versions, bounds and lists as people read them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from packaging.specifiers import Specifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from reckless.model.manifest import Dependency, Language

YEARLY = 22  # lightningd's versions are year.month since v22.11, and write the month with two digits
_SHOWN = 6
_BOUNDS = ("===", "==", ">=", ">", "~=", "!=", "<", "<=")
_TOOLCHAINS: dict[Language, tuple[str, str]] = {
    "python": ("Python", "Python"),
    "rust": ("Rust", "rustc and cargo"),
    "go": ("Go", "go"),
    "node": ("Node.js", "node and npm"),
    "java": ("Java", "a Java development kit"),
    "make": ("make", "make and a C compiler"),
}


def lightningd_text(version: Version) -> str:
    """Write a lightningd version as it writes its own: `v26.06.6`, `v0.12.1`, `v24.11rc2`; local parts are left out."""
    year, *rest = version.release
    yearly = year >= YEARLY and rest
    parts = [str(year), f"{rest[0]:02}", *map(str, rest[1:])] if yearly else [str(n) for n in version.release]
    return "v" + ".".join(parts) + (f"rc{version.pre[1]}" if version.pre else "")


def bounds_text(specifier: SpecifierSet) -> str:
    """Write bounds with the lower one first: `>=1.2,<2`. Empty for no bounds."""
    return ",".join(str(s) for s in sorted(specifier, key=_bound_order))


def needs_text(dependency: Dependency) -> str:
    """Write a dependency as a manifest does, its bounds in a fixed order: `commando>=0.2,<1`."""
    return dependency.name + bounds_text(dependency.specifier)


def listed(items: Iterable[str], last: str = "and") -> str:
    """Join words: `a`, `a and b`, `a, b and c`."""
    words = list(items)
    return f" {last} ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def versions_text(versions: Sequence[str], shown: int = _SHOWN) -> str:
    """Join versions, newest first as given; a long list ends with how many others there are."""
    if len(versions) <= shown:
        return listed(versions)
    return f"{', '.join(versions[: shown - 1])} and {len(versions) - shown + 1} others"


def toolchain_text(language: Language) -> str:
    """Return what people call a language's toolchain: `Rust`."""
    return _TOOLCHAINS.get(language, (language, language))[0]


def toolchain_install_text(language: Language) -> str:
    """Return what there is to install for a language: `rustc and cargo`."""
    return _TOOLCHAINS.get(language, (language, language))[1]


def _bound_order(bound: Specifier) -> tuple[int, int, Version | None, str]:
    try:
        version = Version(bound.version.removesuffix(".*"))
    except InvalidVersion:  # `===` takes any text
        return (_BOUNDS.index(bound.operator), 0, None, bound.version)
    return (_BOUNDS.index(bound.operator), 1, version, bound.version)
