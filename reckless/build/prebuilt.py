"""Ready-made programs: nothing is built, but nothing is started either before it is seen to fit this machine."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from reckless.build.base import BuildJob, Built, Missing
from reckless.build.elf import glibc_here, why_unfit
from reckless.build.launcher import program_launcher
from reckless.build.shebang import launch_script
from reckless.build.steps import Steps, guarded
from reckless.errors import BuildError
from reckless.model.machine import Machine
from reckless.model.manifest import Build, Language


class PrebuiltBackend:
    """Puts a program that came ready-made where lightningd starts it."""

    languages: tuple[Language, ...] = ("prebuilt",)

    def missing(self, build: Build, machine: Machine) -> tuple[Missing, ...]:  # noqa: ARG002 - the Protocol's
        """Return nothing: what the manifest wants of the system is for building it."""
        return ()

    def build(self, job: BuildJob) -> Built:
        """Find the program, see that it fits, and make `tree/bin/NAME` of it.

        One that came alone is linked there. One that came with other files is started where it lies among them.
        Raises BuildError: `entrypoint-missing`, `entrypoint-outside`, `binary-unfit`.
        """
        with guarded(job):
            steps, name = Steps.of(job), _name(job)
            files = [f for f in sorted(job.src.rglob("*")) if f.is_file()]
            program = _program(job, files)
            job.reporter.step(job.name, "build", "ready-made")
            if why := why_unfit(program, job.machine, glibc_here()):
                message = f"{job.name}: its ready-made program does not run here: {why}"
                hint = f"`reckless install --from-source {job.name}` builds it here, where its source can be built"
                raise BuildError("binary-unfit", message, hint)
            with program.open("rb") as f:
                if f.read(2) == b"#!":
                    return launch_script(steps, program, name)
            steps.write(f"# ready-made: {program}\n")
            target = job.tree / "bin" / name
            if len(files) > 1:
                program.chmod(0o755)
                target.write_text(program_launcher([program]), encoding="utf-8")
            else:
                _link(program, target)
            return steps.built(name)


def _name(job: BuildJob) -> str:
    """Return what it is called once it is installed: as when it is built, where the entrypoint is a program's name."""
    name = Path(job.build.entrypoint).name
    return name if re.fullmatch(r"[\w.+-]+", name) and not name.endswith(".jar") else job.name


def _program(job: BuildJob, files: list[Path]) -> Path:
    """Return the program: at its place in the archive, or the only file, or the only one that is called so."""
    names = {_name(job), job.name}
    found = [f for f in files if f == job.src / (job.program or job.build.entrypoint)]
    found = found or (files if len(files) == 1 else [f for f in files if not job.program and f.name in names])
    if len(found) != 1:
        there = ", ".join(str(f.relative_to(job.src)) for f in files[:12])
        wanted = job.program or " or ".join(sorted(names))
        message = f"{job.name}: what came ready-made has no {wanted}, or several"
        raise BuildError("entrypoint-missing", message, f"there are: {there or 'no files at all'}")
    real = Path(os.path.realpath(found[0]))
    if not real.is_relative_to(os.path.realpath(job.src)):
        message = f"{job.name}: its program {found[0].name} lies outside of its own files"
        raise BuildError("entrypoint-outside", message, "its manifest or its archive is wrong: tell its author")
    return real


def _link(program: Path, target: Path) -> None:
    """Give the program a second name; where the file system cannot do that, a copy."""
    try:
        target.hardlink_to(program)
    except OSError:
        shutil.copyfile(program, target)
