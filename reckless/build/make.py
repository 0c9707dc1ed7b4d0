"""Programs that a Makefile builds, in whatever language: configure, autotools or CMake first where there is one."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from reckless.build.base import BuildJob, Built, Missing
from reckless.build.elf import mentions
from reckless.build.shebang import launch_script
from reckless.build.steps import Steps, guarded
from reckless.build.system_packages import install_command, missing_c_compiler, missing_system, missing_toolchain
from reckless.errors import BuildError, ToolchainMissingError
from reckless.model.machine import Machine
from reckless.model.manifest import Build, Language
from reckless.system.files import remove_tree

_MAKEFILES = ("GNUmakefile", "makefile", "Makefile")  # the order in which GNU make looks for them
_LIBTOOL = re.compile(r"^\s*(LT_INIT|AC_PROG_LIBTOOL)\b", re.MULTILINE)
_OBJECTS = (".o", ".lo", ".a")
_NO_HEADER = re.compile(r"fatal error: '?([\w./+-]+\.h(?:pp)?)'?(?:: No such file| file not found)")
_NO_PROGRAM = re.compile(
    r"^(?:make(?:\[\d+\])?|(?:/bin/)?(?:ba)?sh(?:: line \d+|: \d+)?): ([\w.+-]+): "
    r"(?:No such file or directory|(?:command )?not found)",
    re.MULTILINE,
)
# A macro that autoconf does not know stays in configure as it is, where it is no shell.
_NO_MACRO = re.compile(r"possibly undefined macro: (A\w+)|\b(AX_\w+)(?:\(|: (?:command )?not found)")


class MakeBackend:
    """Builds in a copy of the source with the system's compilers, and installs nothing anywhere."""

    languages: tuple[Language, ...] = ("make",)

    def missing(self, build: Build, machine: Machine) -> tuple[Missing, ...]:
        """Return what is lacking: make, a C compiler, and what the manifest says that the system must bring."""
        return missing_toolchain(build, machine) + missing_c_compiler() + missing_system(build.system)

    def build(self, job: BuildJob) -> Built:
        """Configure, make, and keep the file that the entrypoint names, by its path in the tree. Raises BuildError.

        It is made in `tree/env`, a copy of the source. A program that does not know that folder is copied out of it,
        and the folder goes; else it stays, without object files, since the program may look for its files there.
        """
        with guarded(job):
            top = job.tree / "env"
            # go would take our .git for one that can be asked everything, and leave the folder's path in the program.
            go = f"{job.env.get('GOFLAGS', '')} -buildvcs=false -trimpath".strip()
            # Should it install all the same, then below its own tree (GNU Coding Standards, DESTDIR).
            steps = Steps.of(job, DESTDIR=str(top), GOFLAGS=go)
            shutil.copytree(job.tree / "src", top, symlinks=True)
            if job.commit:
                _tell_git(top, job.commit)
            work = _Work(steps=steps, top=top, folder=top / job.subdir)
            try:
                _make(work)
            except BuildError as e:
                raise _explained(job, e) from e
            return _keep(work, _made(work))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Work:
    """A build under way: `folder` is the plugin's own within `top`, the copy of its source."""

    steps: Steps
    top: Path
    folder: Path

    def has(self, *names: str) -> bool:
        """Say whether one of these files is in the folder."""
        return any((self.folder / name).is_file() for name in names)

    def run(self, what: str, *argv: str | Path) -> None:
        """Run a step in the folder."""
        self.steps.run(what, *argv, cwd=self.folder)


def _tell_git(top: Path, commit: str) -> None:
    """Let `git rev-parse HEAD` answer with the source's commit: many a Makefile stamps it into what it makes.

    A repository with a detached HEAD and no objects (gitrepository-layout): whatever else git is asked, it refuses.
    """
    for folder in ("objects", "refs"):
        (top / ".git" / folder).mkdir(parents=True)
    (top / ".git" / "HEAD").write_text(f"{commit}\n")


def _make(work: _Work) -> None:
    job = work.steps.job
    jobs, target = str(max(job.jobs, 1)), job.build.target
    if not work.has("configure", *_MAKEFILES):
        if work.has("configure.ac", "configure.in"):
            _need(job, *_autotools(work))
            work.run("autoreconf", "autoreconf", "-fi")
        elif work.has("CMakeLists.txt"):
            _need(job, "cmake")
            work.run("cmake", "cmake", "-S", ".", "-B", "build", "-DCMAKE_BUILD_TYPE=Release")
            only = ("--target", target) if target else ()
            work.run("cmake --build", "cmake", "--build", "build", "--parallel", jobs, *only)
            return
        else:
            message = f"{job.name}: its source has no Makefile, configure, configure.ac or CMakeLists.txt"
            raise BuildError("build-failed", message, f"`subdir` in its manifest may be wrong: {job.src}")
    if work.has("configure"):
        work.run("configure", *(() if os.access(work.folder / "configure", os.X_OK) else ("sh",)), "./configure")
    work.run("make", "make", f"-j{jobs}", *((target,) if target else ()))


def _autotools(work: _Work) -> list[str]:
    """Return the programs that autoreconf will call."""
    programs = ["autoreconf"] + (["automake"] if work.has("Makefile.am") else [])
    files = [work.folder / name for name in ("configure.ac", "configure.in")]
    text = "".join(f.read_text(encoding="utf-8", errors="replace") for f in files if f.is_file())
    if _LIBTOOL.search(text) and not shutil.which("glibtoolize", path=work.steps.env.get("PATH")):
        programs.append("libtoolize")
    return programs


def _need(job: BuildJob, *programs: str) -> None:
    """Raise ToolchainMissingError, naming all of these programs that are not there, before any is run."""
    lacking = [name for name in programs if not shutil.which(name, path=job.env.get("PATH"))]
    if lacking:
        message = f"{job.name}: its build needs {', '.join(lacking)}"
        hint = "; ".join(dict.fromkeys(install_command(name) for name in lacking))
        raise ToolchainMissingError("toolchain-missing", message, hint)


def _explained(job: BuildJob, error: BuildError) -> BuildError:
    """Name what the system lacks, where the compiler's, make's or autoconf's own words are known."""
    if error.code != "build-failed":
        return error
    for pattern, what in ((_NO_HEADER, "the C header"), (_NO_MACRO, "the macro"), (_NO_PROGRAM, "the program")):
        if hit := pattern.search(error.detail):
            name = next(filter(None, hit.groups()))
            package = "autoconf-archive" if pattern is _NO_MACRO else name
            message = f"{job.name}: its build needs {what} {name}, which is not here"
            return ToolchainMissingError(
                "toolchain-missing", message, f"{install_command(package)}; {error.hint}", detail=error.detail
            )
    return error


def _made(work: _Work) -> Path:
    """Return the file that the entrypoint names; CMake's stand in its own folder. Raises BuildError."""
    job = work.steps.job
    for place in (work.folder, work.folder / "build"):
        made = Path(os.path.realpath(place / job.build.entrypoint))
        if made.is_file():
            if not made.is_relative_to(os.path.realpath(work.top)):
                message = f"{job.name}: its entrypoint {job.build.entrypoint} lies outside of its own tree"
                raise BuildError("entrypoint-outside", message, "its manifest or its build is wrong: tell its author")
            return made
    there = ", ".join(_new_programs(work)[:12])
    message = f"{job.name}: the build ended well but made no {job.build.entrypoint}"
    hint = f"it made {there or 'no program at all'}: the manifest's entrypoint is one of these paths, or its target is"
    raise BuildError("entrypoint-missing", message, f"{hint} wrong; the whole log: {job.log}")


def _new_programs(work: _Work) -> list[str]:
    source = work.steps.job.tree / "src"
    return sorted(
        str(file.relative_to(work.folder))
        for file in work.folder.rglob("*")
        if file.is_file() and os.access(file, os.X_OK) and not (source / file.relative_to(work.top)).exists()
    )


def _keep(work: _Work, made: Path) -> Built:
    steps, name = work.steps, Path(work.steps.job.build.entrypoint).name
    with made.open("rb") as f:
        is_script = f.read(2) == b"#!"
    if is_script:  # libtool's wrappers are, too
        built = launch_script(steps, made, name)
        _drop_objects(work.top)
        return built
    shutil.copyfile(made, steps.job.tree / "bin" / name)
    if mentions(made, os.fsencode(work.top)):  # for its libraries, or its data
        _drop_objects(work.top)
    else:
        remove_tree(work.top)
    return steps.built(name)


def _drop_objects(top: Path) -> None:
    """Remove what only the linker needed: most of a build, and no use to what runs."""
    for folder, _, files in os.walk(top):
        for name in files:
            if name.endswith(_OBJECTS):
                Path(folder, name).unlink()
