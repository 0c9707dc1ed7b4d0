"""Node.js: which scripts of a package are plugins (npm: package.json)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from packaging.specifiers import SpecifierSet

from reckless.build.detection.found import Finds, Found, Word, at_least, shown_names
from reckless.build.detection.look import File, Look, is_test, join, relative, string, table
from reckless.model import hostile

PROJECT = ("package.json",)
LOCKS = ("package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml")
MARKS = (*PROJECT, *LOCKS)

_LIBRARIES = ("clightningjs", "clnts")
_MAKING = ("build", "prepare", "prepublish")  # the scripts with which a package makes what its repository lacks
_SUFFIXES = (".js", ".mjs", ".cjs")
_USES = re.compile(r"(?:require\s*\(\s*|from\s+|import\s+)[\"'](?:clightningjs|clnts)[\"']|[\"']getmanifest[\"']")
_SHEBANG = re.compile(r"#!.*\b(?:node|nodejs)\b")
_ENGINE = re.compile(r"\s*(?:>=|\^|~)?\s*v?(\d+(?:\.\d+){0,2})(?:\.x)?\s*")


def find(look: Look, folder: str, word: Word) -> Finds:
    """Return the plugins among the scripts of the folder's package; without a package.json, among its scripts."""
    package = look.json(join(folder, "package.json"))
    here = [f for f in look.files(folder) if _is_script(look, f)]
    if not look.has(join(folder, "package.json")):
        plugins = [(f, w) for f in here if (w := _why_plugin(look.text(f.path), f.name, "", word))]
        return Finds(found=tuple(_found(look, folder, package, f, "", w) for f, w in plugins))
    named = _named(look, folder, package)
    scripts = {f.path: f for f in here}
    for path in named:
        if look.has(join(folder, path)):
            scripts.setdefault(join(folder, path), File(join(folder, path), executable=False))
    library = next((name for name in _LIBRARIES if name in table(package, "dependencies")), "")
    places = {relative(f.path, folder): f for f in scripts.values()}
    found = [
        _found(look, folder, package, f, named.get(place, ""), why)
        for place, f in places.items()
        if (why := _why_plugin(look.text(f.path), place, library, word))
    ]
    if not found:
        found = _to_be_made(look, folder, package, named, library)
    seen = []
    if not found:
        seen.append(f"package.json, with programs that are no plugins ({shown_names(list(named) or ['none'])})")
    return Finds(found=tuple(found), seen=tuple(seen))


def _is_script(look: Look, file: File) -> bool:
    if is_test(file.name):
        return False
    if file.suffix in _SUFFIXES:
        return True
    return not file.suffix and file.executable and _SHEBANG.match(look.text(file.path)[:200]) is not None


def _why_plugin(text: str, place: str, library: str, word: Word) -> str:
    if not _USES.search(text):
        return word.why(place)
    return f"uses {library}" if library and library in text else "answers getmanifest itself"


def _named(look: Look, folder: str, package: Mapping[str, object]) -> dict[str, str]:
    """Return the files that package.json names, as require() finds them, and by which key."""
    found: dict[str, str] = {}
    programs = package.get("bin")
    listed = [programs] if isinstance(programs, str) else list(table(package, "bin").values())
    for key, value in [*(("bin", one) for one in listed), ("main", package.get("main"))]:
        path = value.removeprefix("./") if isinstance(value, str) else ""
        if path and hostile.path(path) is None:
            places = (path, f"{path}.js", f"{path}/index.js")
            found.setdefault(next((p for p in places if look.has(join(folder, p))), path), key)
    return found


def _to_be_made(
    look: Look, folder: str, package: Mapping[str, object], named: Mapping[str, str], library: str
) -> list[Found]:
    """Return the program that package.json names and that its own build makes first (TypeScript, a bundler)."""
    missing = [path for path in named if not look.has(join(folder, path))]
    script = next((name for name in _MAKING if name in table(package, "scripts")), "")
    if not library or not missing or not script:
        return []
    file = File(join(folder, missing[0]), executable=False)
    found = _found(look, folder, package, file, named[missing[0]], f"is the program of a package that uses {library}")
    return [replace(found, how=(f"{missing[0]} is not in the tree: npm's script `{script}` makes it", *found.how))]


def _found(look: Look, folder: str, package: Mapping[str, object], file: File, key: str, why: str) -> Found:
    entrypoint = relative(file.path, folder)
    how, lock = [], None
    if package:
        lock = next(
            (name for name in ("package-lock.json", "npm-shrinkwrap.json") if look.has(join(folder, name))), None
        )
        how.append(f"{lock} pins its packages" if lock else "nothing pins its packages: there is no package-lock.json")
        other = next((name for name in ("yarn.lock", "pnpm-lock.yaml") if look.has(join(folder, name))), "")
        if other and not lock:
            how.append(f"{other} is not used: reckless builds with npm")
    else:
        how.append("there is no package.json: it gets no packages")
    main = string(package, "main")
    if main and entrypoint != main.removeprefix("./") and not look.has(join(folder, main.removeprefix("./"))):
        how.append(f"package.json's main, {main}, is not in the tree")
    engine = string(table(package, "engines"), "node")
    toolchain = at_least(match[1]) if (match := _ENGINE.fullmatch(engine)) else SpecifierSet()
    if engine:
        how.append(f"it asks for Node.js {engine}")
    return Found(
        language="node",
        system="npm",
        folder=folder,
        path=file.path,
        entrypoint=entrypoint,
        why_plugin=f"{entrypoint} {why}",
        how=tuple(how),
        names=(file.stem, string(package, "name")) if key else (file.stem,),
        preferred=f"package.json names it ({key})" if key else "",
        executable=file.executable,
        toolchain=toolchain,
        lock=lock,
        summary=string(package, "description"),
    )
