"""Go: which main packages of a module are plugins, by following what they import within it."""

from __future__ import annotations

import itertools
import posixpath
import re
from collections.abc import Iterator

from packaging.specifiers import SpecifierSet

from reckless.build.detection.found import Finds, Found, Word, at_least, shown_names
from reckless.build.detection.look import File, Look, above, is_test, join, relative
from reckless.model import hostile

PROJECT = ("go.mod",)
LOCKS = ("go.sum",)
MARKS = (*PROJECT, *LOCKS)

_LIBRARIES = ("glightning", "lightningd-gjson-rpc", "cln4go")
_MODULE = re.compile(r"^module\s+\"?([^\s\"]+)", re.MULTILINE)
_VERSION = re.compile(r"^go\s+(\d+\.\d+(?:\.\d+)?)\s*(?://.*)?$", re.MULTILINE)
_MAIN = re.compile(r"^package\s+main\b", re.MULTILINE)
_IGNORED = re.compile(r"^//go:build\s+ignore\b|^// \+build\s+ignore\b", re.MULTILINE)
_IMPORT = re.compile(r"^import\b[ \t]*(\(?)", re.MULTILINE)
_QUOTED = re.compile(r"\"([^\"\n]+)\"")
_IS_PLUGIN = re.compile(
    r"\bglightning\.NewPlugin\b|\bplugin\.Plugin\{|\"getmanifest\"|cln4go/plugin\"|\bcln4go\.New\b|\bNewPlugin\("
)
_EMBED = re.compile(r"^//go:embed[ \t]+(.+)$", re.MULTILINE)
_MAX_PACKAGES = 60
_NO_NAMES = frozenset({"cmd", "main", "src", "plugin", "app"})


def find(look: Look, folder: str, word: Word) -> Finds:
    """Return the plugins among the module's main packages in this folder and below it."""
    root = next((up for up in above(folder) if look.has(join(up, "go.mod"))), None)
    mains = [] if root is None else list(_mains(look, folder, within=root == folder))
    if root is None:
        return _without_module(look, folder)
    if root != folder and folder not in mains:
        return Finds()
    mod = look.text(join(root, "go.mod"))
    module = match[1] if (match := _MODULE.search(mod)) else ""
    mod = mod.replace(module, "", 1)
    library = next((name for name in _LIBRARIES if name in mod), "")
    found = [
        _found(look, folder, root, main, why, alone=len(mains) == 1)
        for main in mains
        if (why := _why_plugin(look, root, module, main, library, alone=len(mains) == 1))
        or (why := word.why(posixpath.basename(main), _base(module)))
    ]
    seen = []
    if not found:
        listed = shown_names([relative(m, root) or "its top folder" for m in mains])
        seen.append(
            f"go.mod, with main packages that are no plugins ({listed})" if mains else "go.mod without a main package"
        )
    return Finds(found=tuple(found), seen=tuple(seen))


def _without_module(look: Look, folder: str) -> Finds:
    is_plugin = any(_IS_PLUGIN.search(text) for text in _sources(look, folder)) and _is_main(look, folder)
    seen = "a plugin in Go without a go.mod: it is from before Go modules, and must be built by hand"
    return Finds(seen=(seen,) if is_plugin else ())


def _mains(look: Look, folder: str, *, within: bool) -> Iterator[str]:
    """Yield the folders of main packages, nearest first."""
    for at in look.walk(folder, depth=4 if within else 0, stop_at=PROJECT):
        if _is_main(look, at):
            yield at


def _sources(look: Look, folder: str) -> Iterator[str]:
    files = _source_files(look, folder)
    look.expect(files)
    for file in files:
        yield look.text(file.path)


def _source_files(look: Look, folder: str) -> list[File]:
    return [f for f in look.files(folder) if f.suffix == ".go" and not is_test(f.name)]


def _why_plugin(look: Look, root: str, module: str, main: str, library: str, *, alone: bool) -> str:
    """Say what shows that a main package is a plugin: its own code, or that of the module's packages that it uses."""
    package = f"{relative(main, root)} is a main package" if main != root else "its top folder is a main package"
    seen, queue = {main}, [main]
    while queue and len(seen) <= _MAX_PACKAGES:
        at = queue.pop(0)
        for text in _sources(look, at):
            if _IS_PLUGIN.search(text):
                where = "" if at == main else f" through {relative(at, root)}"
                by = f"uses {library}" if library else "answers getmanifest"
                return f"{package} and {by}{where}"
            below = [p for p in _imports(text, module, root) if p not in seen]
            seen |= set(below)
            queue += below
    return f"{package}, the only one, and go.mod requires {library}" if library and alone else ""


def _imports(text: str, module: str, root: str) -> list[str]:
    """Return the folders of the module's own packages that a file imports."""
    quoted = []
    for match in itertools.islice(_IMPORT.finditer(text), 20):
        end = text.find(")" if match[1] else "\n", match.end())
        quoted += _QUOTED.findall(text[match.end() : end if end >= 0 else None])
    inside = f"{module}/"
    return [join(root, path[len(inside) :]) for path in quoted if module and path.startswith(inside)]


def _found(look: Look, folder: str, root: str, main: str, why: str, *, alone: bool) -> Found:
    mod = look.text(join(root, "go.mod"))
    module = match[1] if (match := _MODULE.search(mod)) else ""
    base = _base(module)
    says_nothing = alone and posixpath.basename(main) in _NO_NAMES
    name = base if main == root or says_nothing else posixpath.basename(main)
    how = []
    lock = "go.sum" if look.has(join(folder, "go.sum")) else None
    how.append("go.sum holds the hashes of its modules" if look.has(join(root, "go.sum")) else "there is no go.sum")
    version = match[1] if (match := _VERSION.search(mod)) else ""
    if version:
        how.append(f"go.mod asks for Go {version} or newer")
    why_not, caution = _embedded(look, main)
    if caution:
        how.append(caution)
    # The builder takes the top folder's main package before any other: one below it is built from its own folder.
    inner = main if main != folder and _is_main(look, folder) else folder
    return Found(
        language="go",
        system="go",
        folder=inner,
        path=main if main != folder else _main_file(look, main),
        entrypoint=name,
        why_plugin=why,
        how=tuple(how),
        names=(name,),
        executable=True,
        toolchain=at_least(version) if version else SpecifierSet(),
        lock=lock if inner == folder else None,
        why_not=why_not,
    )


def _base(module: str) -> str:
    """Return what `go build` calls a module's program: its last part, without the major version."""
    return re.sub(r"/v\d+$", "", module).rpartition("/")[2] or "plugin"


def _main_file(look: Look, main: str) -> str:
    return next(
        (f.path for f in _source_files(look, main) if re.search(r"^func main\(", look.text(f.path), re.MULTILINE)), main
    )


def _is_main(look: Look, folder: str) -> bool:
    """Say whether a folder's package is main: all its files are of one package, but for those that are not built."""
    built = (text for text in _sources(look, folder) if not _IGNORED.search(text))
    return _MAIN.search(next(built, "")) is not None


def _embedded(look: Look, main: str) -> tuple[str, str]:
    """Return why it cannot be built, or a caution: what its sources embed may be made by another build first.

    A pattern that finds nothing ends `go build` (go: package embed).
    """
    for file in _source_files(look, main):
        for pattern in " ".join(_EMBED.findall(look.text(file.path))).split():
            fixed = re.split(r"[*?\[]", pattern.strip('"`').removeprefix("all:"))
            path = fixed[0].strip("/") if len(fixed) == 1 else fixed[0].rpartition("/")[0]
            if hostile.path(path) is not None:
                continue
            nearest = next(up for up in above(join(main, path)) if look.kind(up))
            if look.kind(nearest) == "submodule":
                return "", f"{file.name} embeds {pattern} of a submodule, where it may have to be made first"
            if nearest != join(main, path):
                return f"{file.name} embeds {pattern}, which is not in the tree: another build makes it first", ""
    return "", ""
