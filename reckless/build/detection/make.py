"""make, autotools and CMake: the program that a build in C, C++ or the like makes, if its sources are a plugin's."""

from __future__ import annotations

import posixpath
import re

from reckless.build.detection.found import Finds, Found, Word, alike
from reckless.build.detection.look import Look, join, relative

# Those that make uses by itself, in its order (GNU make: Makefile Names); what generates one comes before it.
MAKEFILES = ("GNUmakefile", "makefile", "Makefile")
PROJECT = ("configure", "configure.ac", "configure.in", "CMakeLists.txt", *MAKEFILES)
MARKS = ("configure.ac", "CMakeLists.txt")

_SUFFIXES = frozenset({
    ".c", ".cc", ".cpp", ".cxx", ".c++", ".nim", ".zig", ".d", ".pas", ".f90", ".adb", ".ml", ".hs", ".m", ".v",
})  # fmt: skip
_C = frozenset({".c", ".cc", ".cpp", ".cxx"})
_USES = re.compile(r"\bplugin_main\s*\(|getmanifest")
_PROGRAMS = re.compile(
    r"^[ \t]*(?:bin|sbin|pkglibexec|libexec|plugin)_PROGRAMS[ \t]*\+?=[ \t]*((?:.*\\\n)*.*)$", re.MULTILINE
)
_CMAKE = re.compile(r"\badd_executable\s*\(\s*([A-Za-z0-9_.${}-]+)", re.IGNORECASE)
_CMAKE_NAME = re.compile(r"\bproject\s*\(\s*([A-Za-z0-9_.-]+)", re.IGNORECASE)
_OUTPUT = re.compile(r"^\t.*\s-o\s+(?:\./)?([\w.$()@/+-]+)", re.MULTILINE)
_RULE = re.compile(r"^([\w./+-]+)[ \t]*:(?![:=])((?:.*\\\n)*.*)$", re.MULTILINE)
_VARIABLE = re.compile(
    r"^(?:TARGET|PROG|PROGRAM|BIN|BINARY|EXE|EXECUTABLE|PLUGIN|NAME|OUT|OUTPUT)[ \t]*[:?]?=[ \t]*(\S+)[ \t]*$",
    re.MULTILINE,
)
_PHONY = frozenset(
    {"all", "clean", "install", "uninstall", "test", "tests", "check", "lint", "format", "dist", "distclean"}
)


def find(look: Look, folder: str, word: Word) -> Finds:
    """Return the plugin that the folder's build makes."""
    there = look.names(folder)
    files = [name for name in PROJECT if name in there]
    if not files:
        alone = next((f.name for f in look.files(folder) if f.suffix in _C and _USES.search(look.text(f.path))), "")
        return Finds(seen=(f"{alone}, a plugin's source, and nothing that says how it is built",) if alone else ())
    uses, some = look.search(folder, _SUFFIXES, _USES, depth=5)
    if not some:
        return Finds()  # such a Makefile runs other tools
    system, programs = _programs(look, folder, files)
    if not uses:
        programs = [program for program in programs if word.why(program)]
        if not programs:
            return Finds(seen=(f"{files[0]}, with sources that do not answer getmanifest",))
    shows = f"and {relative(uses, folder)} answers getmanifest" if uses else f"which {word.why(programs[0])}"
    found = [
        Found(
            language="make",
            system=system,
            folder=folder,
            path=uses or join(folder, files[0]),
            entrypoint=program,
            why_plugin=f"{files[0]} makes {program}, {shows}",
            how=("nothing pins what of the system it is built with",),
            names=(program, posixpath.basename(program)),
            preferred=f"it is named like {relative(uses, folder)}" if alike(_stem(uses), program) else "",
            executable=True,
        )
        for program in programs
    ]
    if found:
        return Finds(found=tuple(found))
    return Finds(
        seen=(f"{relative(uses, folder)}, which answers getmanifest, but {files[0]} does not tell what it makes",)
    )


def _stem(path: str) -> str:
    return posixpath.splitext(posixpath.basename(path))[0]


def _programs(look: Look, folder: str, files: list[str]) -> tuple[str, list[str]]:
    """Return the build system's name and the programs that it makes, by their paths."""
    if not {"configure", "configure.ac", "configure.in"}.isdisjoint(files):
        return "autotools", _declared(look, folder, ("Makefile.am", "Makefile.in"), _PROGRAMS) or _made(look, folder)
    if "CMakeLists.txt" in files:
        return "cmake", _declared(look, folder, ("CMakeLists.txt",), _CMAKE)
    return "make", _made(look, folder)


def _declared(look: Look, folder: str, names: tuple[str, ...], pattern: re.Pattern[str]) -> list[str]:
    """Return the programs that these files declare, in the nearest folder where they declare any."""
    for at in look.walk(folder, depth=2):
        for name in names:
            text = look.text(join(at, name))
            project = match[1] if (match := _CMAKE_NAME.search(text)) else ""
            words = [word for block in pattern.findall(text) for word in block.replace("\\\n", " ").split()]
            if programs := _plain([word.replace("${PROJECT_NAME}", project) for word in words]):
                return [relative(join(at, program), folder) for program in programs]
    return []


def _made(look: Look, folder: str) -> list[str]:
    """Return what a Makefile's rules make, as far as it can be read without running it.

    That is what its usual variables name, else what its commands write (`-o`), else the targets that a source is named
    like, else what the first target or `all` asks for.
    """
    text = next((look.text(join(folder, name)) for name in MAKEFILES if look.has(join(folder, name))), "")
    named = _plain(_VARIABLE.findall(text))
    outputs = [o for o in _plain(_OUTPUT.findall(text)) if not posixpath.splitext(o)[1]]
    rules = {target: asked.split() for target, asked in _RULE.findall(text)}
    phony = _PHONY.union(rules.get(".PHONY", ()))
    targets = [r for r in _plain(list(rules)) if r not in phony and not posixpath.splitext(r)[1]]
    stems = {f.stem for f in look.files(folder) if f.suffix in _SUFFIXES}
    like_sources = [target for target in targets if target in stems]
    first = next((target for target in rules if not target.startswith(".")), "")
    asked_for = rules.get("all") or rules.get(first) or []
    return named or outputs or like_sources or [t for t in targets if t in asked_for] or targets[:1]


def _plain(words: list[str]) -> list[str]:
    """Return the words that are names of files, each once."""
    return [w for w in dict.fromkeys(words) if re.fullmatch(r"[A-Za-z0-9_][\w.+/-]{0,99}", w) and ".." not in w]
