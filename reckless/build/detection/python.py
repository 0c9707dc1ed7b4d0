"""Python: which scripts are plugins, and what says which packages they get."""

from __future__ import annotations

import itertools
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from reckless.build.detection.found import Finds, Found, Word, shown_names
from reckless.build.detection.look import File, Look, is_test, join, relative, string, strings, table

PROJECT = ("pyproject.toml", "setup.py", "requirements.txt")
LOCKS = ("uv.lock", "poetry.lock", "pylock.toml", "Pipfile.lock")
MARKS = (*PROJECT, *LOCKS, "Pipfile")
# Projects that keep their plugin deeper than this are packages, and name it in [project.scripts].
_DEPTH = 3

_SHEBANG = re.compile(r"#!.*\b(?:python[\d.]*|uv\s+run)\b")
_LIBRARY = re.compile(
    r"^[ \t]*(?:from[ \t]+(?:pyln\.client|pyln|lightning)\b|import[ \t]+(?:pyln|lightning)\b)", re.MULTILINE
)
_PLUGIN = re.compile(r"\bPlugin\s*\(|\(\s*(?:[\w.]*\.)?Plugin\s*\)")
_RUN = re.compile(r"\.run\s*\(")
_BY_HAND = re.compile(r"[\"']getmanifest[\"']")
_IMPORT = re.compile(r"^[ \t]*(?:from|import)[ \t]+(\.?[\w.]+)", re.MULTILINE)
_PLACEHOLDER = "Add your description here"  # what `uv init` writes


def find(look: Look, folder: str, word: Word) -> Finds:
    """Return the folder's Python plugins: its scripts, else those of its project, else what its project installs."""
    is_project = not look.names(folder).isdisjoint(PROJECT)
    scripts = [f for f in look.files(folder) if _is_script(look, f)]
    plugins = _plugins(look, folder, scripts, word)
    if not plugins and is_project:
        places = list(look.walk(folder, depth=_DEPTH, stop_at=MARKS))[1:]
        plugins = _plugins(look, folder, [f for at in places for f in look.files(at) if _is_script(look, f)], word)
    targets = [(t, file, word.why(t) or _why_plugin(look, folder, file)) for t, file in _entry_points(look, folder)]
    # A file within a package is imported, not run as a script.
    objects = [(t, file, why) for t, file, why in targets if why and "/" in relative(file, folder)]
    inside = {file for _, file, _ in objects}
    found = [_script(look, folder, file, why) for file, why in plugins if file.path not in inside]
    found += [_object(look, folder, *one) for one in objects]
    seen = []
    if scripts and not found:
        seen.append(f"Python scripts that are no plugins ({shown_names([f.name for f in scripts])})")
    return Finds(found=tuple(found), seen=tuple(seen))


def _plugins(look: Look, folder: str, scripts: list[File], word: Word) -> list[tuple[File, str]]:
    look.expect(scripts)
    told = ((f, word.why(relative(f.path, folder)) or _why_plugin(look, folder, f.path)) for f in scripts)
    return [(file, why) for file, why in told if why]


def _is_script(look: Look, file: File) -> bool:
    if is_test(file.name) or file.name in {"setup.py", "__init__.py"}:
        return False
    return file.suffix == ".py" or (not file.suffix and file.executable and _has_shebang(look.text(file.path)))


def _has_shebang(text: str) -> bool:
    return _SHEBANG.match(text.split("\n", 1)[0]) is not None


def _why_plugin(look: Look, folder: str, script: str) -> str:
    """Say what shows that a script is a plugin, or nothing; what it runs may be made in a module that it imports."""
    text = look.text(script)
    if _RUN.search(text):
        if _makes_plugin(text):
            return "makes a Plugin of pyln.client and runs it"
        for module in _local_imports(look, folder, script):
            if _makes_plugin(look.text(module)):
                return f"runs the Plugin of pyln.client that {relative(module, folder)} makes"
    return "answers getmanifest itself" if _BY_HAND.search(text) and "stdin" in text else ""


def _makes_plugin(text: str) -> bool:
    return _LIBRARY.search(text) is not None and _PLUGIN.search(text) is not None


def _local_imports(look: Look, folder: str, script: str) -> Iterator[str]:
    """Yield the files of the modules that a script imports and that lie beside it, or in its project."""
    places = dict.fromkeys([posixpath.dirname(script), folder, join(folder, "src")])
    for match in itertools.islice(_IMPORT.finditer(look.text(script)), 100):
        module = match[1].strip(".").replace(".", "/")
        for file in [join(place, f"{module}{end}") for place in places for end in (".py", "/__init__.py")]:
            if module and file != script and not is_test(posixpath.basename(file)) and look.has(file):
                yield file
                break


def _entry_points(look: Look, folder: str) -> list[tuple[str, str]]:
    """Return what installing the project would put on PATH: `module:function`, and the file that it is in."""
    data = look.toml(join(folder, "pyproject.toml"))
    targets = {**table(data, "tool", "poetry", "scripts"), **table(data, "project", "scripts")}
    found = []
    for target in dict.fromkeys(t for t in targets.values() if isinstance(t, str)):
        module = target.partition(":")[0].strip().replace(".", "/")
        for place in (f"src/{module}.py", f"{module}.py", f"src/{module}/__init__.py", f"{module}/__init__.py"):
            if ":" in target and look.has(join(folder, place)):
                found.append((target, join(folder, place)))
                break
    return found


def _script(look: Look, folder: str, file: File, why: str) -> Found:
    entrypoint = relative(file.path, folder)
    packages = _packages(look, folder, file.path)
    shebang = look.text(file.path).split("\n", 1)[0]
    how = [*packages.how]
    if "uv run" in shebang and _has_shebang(shebang):
        how.append(f"{file.name} starts itself with uv: reckless makes its environment beforehand instead")
    return Found(
        language="python",
        system=packages.system,
        folder=folder,
        path=file.path,
        entrypoint=entrypoint,
        why_plugin=f"{entrypoint} {why}",
        how=tuple(how),
        names=(file.stem,),
        executable=file.executable,
        toolchain=packages.python,
        lock=packages.lock,
        summary=packages.summary,
    )


def _object(look: Look, folder: str, target: str, file: str, why: str) -> Found:
    packages = _packages(look, folder, file)
    return Found(
        language="python",
        system=packages.system,
        folder=folder,
        path=file,
        entrypoint=target,
        why_plugin=f"pyproject.toml names {target}, and {relative(file, folder)} {why}",
        how=packages.how,
        names=(target.partition(":")[0].rpartition(".")[2],),
        executable=True,
        toolchain=packages.python,
        lock=packages.lock,
        summary=packages.summary,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Packages:
    """What a script gets: which lock pins it, by which tool's habits, on which Python; `how` are the reasons."""

    system: str
    lock: str | None
    python: SpecifierSet
    summary: str
    how: tuple[str, ...]


def _packages(look: Look, folder: str, script: str) -> _Packages:
    from reckless.build.python_project import parse_inline, parse_pyproject, python_bounds

    data = look.toml(join(folder, "pyproject.toml"))
    how: list[str] = []
    pyproject = inline = None
    try:
        if data:
            pyproject = parse_pyproject(look.text(join(folder, "pyproject.toml")).encode())
        inline = parse_inline(look.text(script), relative(script, folder))
    except ValueError as e:
        how.append(str(e))
    try:
        bounds = python_bounds(pyproject, inline)
    except ValueError as e:
        bounds = []
        how.append(f"pyproject.toml: {e}")
    project = _asked(strings(table(data, "project").get("dependencies") or [])) | _poetry(data)
    needs = _asked(inline.dependencies if inline else []) | _imported(look.text(script))
    sources = _Sources(look=look, folder=folder, script=script, data=data, project=project, needs=needs)
    system, lock, why = sources.choose(has_inline=inline is not None)
    python = SpecifierSet()
    for bound in bounds:
        python &= bound
    if str(python):
        how.append(f"it asks for Python {python}")
    summary = string(table(data, "project"), "description") or string(table(data, "tool", "poetry"), "description")
    return _Packages(
        system=system,
        lock=lock,
        python=python,
        summary="" if summary == _PLACEHOLDER else summary,
        how=(*why, *how),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Sources:
    """The files that may say which packages a script gets. `needs` are those that it cannot do without."""

    look: Look
    folder: str
    script: str
    data: Mapping[str, object]
    project: frozenset[str]
    needs: frozenset[str]

    def choose(self, *, has_inline: bool) -> tuple[str, str | None, list[str]]:
        """Return the tool, the lock and the reasons."""
        there = self.look.names(self.folder)
        if self.look.has(f"{self.script}.lock"):
            own = f"{relative(self.script, self.folder)}.lock"
            return "uv", own, [f"{own} pins the packages that the script names"]
        lock, why = self._project_lock(there), []
        useless = [f"{name} is not used: {reason}" for name, reason in self._useless(there, lock)]
        if lock and self._serves(there, has_inline=has_inline):
            system = {"uv.lock": "uv", "poetry.lock": "poetry"}.get(lock, "pip")
            if "requirements.txt" in there:
                why.append("requirements.txt is not used: a lock is there, which pins")
            return system, lock, [f"{lock} pins its packages (for the pyproject.toml beside it)", *why, *useless]
        if lock:
            lacks = shown_names(sorted(self.needs - self.project))
            why.append(f"{lock} is not used: its pyproject.toml leaves out {lacks}, so it is not the plugin's")
        if "requirements.txt" in there and self._is_hashed("requirements.txt"):
            return "pip", "requirements.txt", ["requirements.txt pins its packages by hash", *why, *useless]
        system, named_by = self._unpinned(there, has_inline=has_inline)
        return system, None, [named_by, *why, *useless]

    def _unpinned(self, there: frozenset[str], *, has_inline: bool) -> tuple[str, str]:
        """Return the tool, and what names the packages where nothing pins them, in the builder's order."""
        if "requirements.txt" in there:
            return "pip", "requirements.txt names its packages; nothing pins them"
        poetry = table(self.data, "tool", "poetry")
        if self.project or poetry or ("setup.py" in there and not has_inline):
            name = "pyproject.toml" if self.project or poetry else "setup.py"
            return "poetry" if poetry else "pip", f"{name} names its packages; nothing pins them"
        if has_inline:
            return "uv", "the script itself names its packages (PEP 723); nothing pins them"
        if self.needs:
            return "pip", f"nothing names its packages, though it imports {shown_names(sorted(self.needs))}"
        return "pip", "nothing names any packages for it"

    def _project_lock(self, there: frozenset[str]) -> str | None:
        """Return the lock of the project in the folder."""
        if "pyproject.toml" not in there:
            return None
        of_poetry = bool(table(self.data, "tool", "poetry", "dependencies"))
        order = ("poetry.lock", "uv.lock", "pylock.toml") if of_poetry else ("uv.lock", "pylock.toml", "poetry.lock")
        return next((name for name in order if name in there), None)

    def _serves(self, there: frozenset[str], *, has_inline: bool) -> bool:
        """Say whether the project is the plugin's: it has what the script needs, or nothing else does."""
        if self.needs <= self.project or "dynamic" in table(self.data, "project"):
            return True
        return not has_inline and not self.needs <= self._requirements(there)

    def _requirements(self, there: frozenset[str]) -> frozenset[str]:
        from reckless.build.python_deps import logical_lines

        text = self.look.text(join(self.folder, "requirements.txt")) if "requirements.txt" in there else ""
        return _asked(logical_lines(text))

    def _useless(self, there: frozenset[str], lock: str | None) -> Iterable[tuple[str, str]]:
        """Yield locks that cannot be used, and why."""
        for name in ("uv.lock", "poetry.lock"):
            if name in there and name != lock:
                yield name, "there is no pyproject.toml beside it, which would say what it is for"
        if "Pipfile.lock" in there:
            yield "Pipfile.lock", "reckless does not read it"

    def _is_hashed(self, name: str) -> bool:
        from reckless.build.python_deps import logical_lines

        lines = [line for line in logical_lines(self.look.text(join(self.folder, name))) if not line.startswith("-")]
        return bool(lines) and all("--hash" in line for line in lines)


def _asked(requirements: Iterable[str]) -> frozenset[str]:
    """Return the names of the packages that these requirements (PEP 508) ask for; pylightning became pyln-client."""
    names = (re.match(r"[A-Za-z0-9][\w.-]*", text.strip()) for text in requirements)
    return frozenset(_package(match[0]) for match in names if match)


def _poetry(data: Mapping[str, object]) -> frozenset[str]:
    return frozenset(_package(name) for name in table(data, "tool", "poetry", "dependencies") if name != "python")


def _package(name: str) -> str:
    name = canonicalize_name(name)
    return "pyln-client" if name == "pylightning" else name


def _imported(text: str) -> frozenset[str]:
    """Return what a plugin's script cannot do without, of the packages whose names are known here."""
    return frozenset({"pyln-client"}) if _LIBRARY.search(text) else frozenset()
