"""Python: an environment of its own for each release, and a launcher that lightningd can start."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet

from reckless.build.base import BuildJob, Built, Missing
from reckless.build.interpreters import Interpreter, interpreters, own
from reckless.build.steps import Steps, entrypoint_file, guarded
from reckless.build.system_packages import install_python, missing_system, missing_toolchain
from reckless.errors import BuildError, ToolchainMissingError
from reckless.model.machine import Machine
from reckless.model.manifest import Build, Language

if TYPE_CHECKING:
    from reckless.build.python_env import Environment
    from reckless.build.python_project import Source


class PythonBackend:
    """Builds with uv where it is on PATH, else with virtualenv and pip; the result is the same."""

    languages: tuple[Language, ...] = ("python",)

    def missing(self, build: Build, machine: Machine) -> tuple[Missing, ...]:
        """Return what is lacking: an interpreter of a fitting version, system libraries."""
        return missing_toolchain(build, machine) + missing_system(build.system)

    def build(self, job: BuildJob) -> Built:
        """Make the environment, install what is pinned or asked for, write the launcher, byte-compile.

        Raises BuildError.
        """
        from reckless.build.python_env import Environment, find_uv
        from reckless.build.python_project import read_source
        from reckless.build.python_shared import is_in_use, shared_place

        with guarded(job):
            steps = Steps.of(job)
            script = None if ":" in job.build.entrypoint else entrypoint_file(job)
            try:
                source = read_source(Path(os.path.realpath(job.src)), script)
            except ValueError as e:
                raise BuildError("build-failed", f"{job.name}: {e}", "tell its author") from e
            interpreter = interpreter_for(job, [job.build.toolchain, *source.python])
            uv = find_uv(steps.env.get("PATH", ""))
            shared = shared_place(job, source, interpreter, uv)
            environment = Environment(steps=steps, interpreter=interpreter, uv=uv, shared=shared)
            if shared is None or not is_in_use(shared):
                environment.create()
                _fill(environment, source)
                environment.compile(source.folder, script)
            if shared is not None:
                (job.tree / "env").symlink_to(Path("..") / shared.name)
            file = _write_launcher(environment, source)
            return steps.built(file, interpreter=environment.outside)


def _fill(environment: Environment, source: Source) -> None:
    from reckless.build.python_deps import choose
    from reckless.build.python_project import imports_project

    steps = environment.steps
    wanted = choose(steps.job, source, environment.interpreter.markers, environment.export)
    if not wanted.is_empty:
        if not wanted.hashed:
            steps.note(
                f"no lock pins the packages of {steps.job.name}: they are the newest that {wanted.origin} allows"
            )
        environment.install(wanted)
    is_in = source.folder.as_uri() in wanted.text
    if source.is_buildable and not is_in and (source.script is None or imports_project(source)):
        environment.install_project(source.folder)


def _write_launcher(environment: Environment, source: Source) -> str:
    """Write the launcher and return its file's name: the script's, or the plugin's where there is no script."""
    from reckless.build.launcher import function_launcher, script_launcher, write_launcher

    job = environment.steps.job
    if source.script:
        text, file = script_launcher(source.script), Path(job.build.entrypoint).name
    else:
        places = [] if source.is_buildable else [p for p in (source.folder / "src", source.folder) if p.is_dir()]
        text, file = function_launcher(job.build.entrypoint, places, job.name), job.name
    launcher = job.tree / "bin" / file
    body = launcher.with_name(f"{file}.launcher") if environment.shared else environment.root / "launcher.py"
    write_launcher(text, python=environment.python, launcher=launcher, body=body)
    return file


def choose_interpreter(found: Sequence[Interpreter], asked: Sequence[SpecifierSet]) -> Interpreter | None:
    """Return the interpreter to build with, of those that fit: the one reckless runs on, the system's, the newest.

    The first two are the ones that will be there longest. A pre-release is taken only where nothing else fits.
    """
    fits = [i for i in found if all(s.contains(i.version, prereleases=True) for s in asked)]

    def rank(i: Interpreter) -> tuple[bool, ...]:
        cpython = i.markers.get("implementation_name", "cpython") == "cpython"
        return (not i.version.is_prerelease, cpython, i.path == own(), i.path.parent == Path("/usr/bin"))

    return max(fits, key=lambda i: (*rank(i), i.version), default=None)


def interpreter_for(job: BuildJob, asked: Sequence[SpecifierSet]) -> Interpreter:
    """Return the interpreter to build a release with. Raises ToolchainMissingError where none fits."""
    found = interpreters(job.env.get("PATH"), cache=job.cache)
    chosen = choose_interpreter(found, asked)
    if chosen:
        return chosen
    wanted = SpecifierSet(",".join(sorted({str(s) for s in asked if str(s)})))
    here = ", ".join(str(i.version) for i in found) or "none"
    message = f"{job.name} needs Python {wanted}; here: {here}".replace("Python ;", "Python;")
    raise ToolchainMissingError("toolchain-missing", message, install_python(wanted, there=bool(found)))
