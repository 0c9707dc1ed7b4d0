"""What a Java build made that can be started: a jar that runs by itself, or a start script with its jars."""

from __future__ import annotations

import fnmatch
import re
import shlex
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from reckless.build.base import BuildJob
from reckless.build.java_home import Jdk
from reckless.build.launcher import program_launcher
from reckless.build.steps import within
from reckless.errors import BuildError

# For a process that waits for requests on a small machine (measured: docs/explanation/building.md). The last line is
# for lightningd's UTF-8, whatever the locale (JEP 400 left standard output out).
OPTIONS = (
    "-XX:+IgnoreUnrecognizedVMOptions", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xms8m",
    "-XX:MinHeapFreeRatio=10", "-XX:MaxHeapFreeRatio=30", "-XX:-UsePerfData", "-Djava.awt.headless=true",
    "-Dfile.encoding=UTF-8", "-Dstdout.encoding=UTF-8", "-Dsun.stdout.encoding=UTF-8",
)  # fmt: skip
_THEIRS = ("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS", "CLASSPATH")
_WHOLE = re.compile(r".*-(jar-with-dependencies|all|shaded|fat|uber|standalone|boot|exec|runner|runnable)")
_ASIDE = re.compile(r"original-.*|.*-(sources|javadoc|tests|test-fixtures|plain)")
_MAX_MANIFEST = 1 << 20
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_HINT = "build one that holds what it needs (Maven's assembly or shade plugin, Gradle's shadowJar), or use installDist"
_JARS = ("target/*.jar", "build/libs/*.jar")
_SCRIPTS = ("build/install/*/bin/*",)


def find_program(job: BuildJob) -> Path:
    """Return the file to start: the one that the entrypoint names, by a pattern or in full; or by its bare name any.

    Raises BuildError `entrypoint-missing`, `ambiguous-entrypoint`, and `invalid-entrypoint` for a jar that does not run
    by itself.
    """
    path = job.src / job.build.entrypoint
    if path.is_file() or "/" in job.build.entrypoint or path.suffix == ".jar":
        named = [path] if path.is_file() else [p for p in _matching(path) if not _ASIDE.fullmatch(p.stem)]
        program = within(job, _one(job, named))
        if problem := _problem(program):
            raise BuildError("invalid-entrypoint", f"{job.name}: {_shown(job, program)} {problem}", _HINT)
        return program
    jars = [p for p in _made(job, _JARS) if not _ASIDE.fullmatch(p.stem) and not _problem(p)]
    whole = [p for p in jars if _WHOLE.fullmatch(p.stem)]
    return within(job, _one(job, whole or jars or [*_made(job, _SCRIPTS)]))


def java_launcher(program: Path, jdk: Jdk) -> str:
    """Return the sh text that starts it: Java by its path, with little memory, deaf to variables of lightningd's."""
    if zipfile.is_zipfile(program):
        return program_launcher([jdk.java, *OPTIONS, "-jar", program], unset=_THEIRS)
    # A start script of Gradle's takes Java from JAVA_HOME, else from PATH, and needs a few programs of the system.
    path = f'{shlex.quote(str(jdk.java.parent))}:"$PATH":/usr/bin:/bin'
    env = {"PATH": path, "JAVA_OPTS": shlex.quote(" ".join(OPTIONS))}
    return program_launcher([program], unset=("JAVA_HOME", *_THEIRS), env=env)


def _matching(pattern: Path) -> list[Path]:
    """Return the files whose name is like the pattern's last part: a version mostly stands in a jar's name."""
    if not any(c in pattern.name for c in "*?[") or not pattern.parent.is_dir():
        return []
    return sorted(p for p in pattern.parent.iterdir() if fnmatch.fnmatchcase(p.name, pattern.name) and p.is_file())


def _made(job: BuildJob, patterns: tuple[str, ...]) -> Iterator[Path]:
    """Yield what lies where builds put it, in the plugin's folder and in modules at most two folders below."""
    for depth in ("", "*/", "*/*/"):
        for pattern in patterns:
            yield from (p for p in sorted(job.src.glob(depth + pattern)) if p.is_file() and p.suffix != ".bat")


def _one(job: BuildJob, found: list[Path]) -> Path:
    if len(found) == 1:
        return found[0]
    if found:
        listed = ", ".join(_shown(job, p) for p in found[:8])
        message = f"{job.name}: several files could be what is to be started: {listed}"
        raise BuildError("ambiguous-entrypoint", message, "the manifest's entrypoint must name one of them")
    there = [_shown(job, p) for p in _made(job, (*_JARS, *_SCRIPTS))]
    message = f"{job.name}: the build made no {job.build.entrypoint} that can be started"
    raise BuildError("entrypoint-missing", message, f"it made: {', '.join(there[:12]) or 'nothing'}; {_HINT}")


def _shown(job: BuildJob, path: Path) -> str:
    return path.relative_to(job.src).as_posix() if path.is_relative_to(job.src) else path.name


def _problem(program: Path) -> str:
    """Say why `java -jar` would not start this (JAR File Specification); empty where it would, and for a script."""
    if not zipfile.is_zipfile(program):
        return "is neither a jar nor a script" if program.suffix == ".jar" else ""
    try:
        with zipfile.ZipFile(program) as jar:
            member = jar.getinfo("META-INF/MANIFEST.MF")
            usual = member.file_size <= _MAX_MANIFEST and member.compress_type in _COMPRESSIONS
            text = jar.read(member).decode(errors="replace") if usual else ""
    except (KeyError, OSError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error):
        text = ""
    main = re.split(r"\r?\n\r?\n", re.sub(r"\r?\n ", "", text), maxsplit=1)[0]
    keys = dict(re.findall(r"^([A-Za-z0-9_-]+): *(.*?)\r?$", main, re.MULTILINE))
    if not keys.get("Main-Class"):
        return "names no Main-Class, so it does not run by itself"
    for entry in keys.get("Class-Path", "").split():
        if ":" not in entry and not (program.parent / unquote(entry)).exists():
            return f"needs {entry} beside it, which the build did not put there"
    return ""
