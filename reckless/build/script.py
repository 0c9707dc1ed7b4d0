"""Scripts: one executable file of any interpreter, started where it lies."""

from __future__ import annotations

from pathlib import Path

from reckless.build.base import BuildJob, Built, Missing
from reckless.build.shebang import launch_script
from reckless.build.steps import Steps, entrypoint_file, guarded
from reckless.build.system_packages import missing_system
from reckless.model.machine import Machine
from reckless.model.manifest import Build, Language


class ScriptBackend:
    """Builds nothing: finds the interpreter that the script's own `#!` line names."""

    languages: tuple[Language, ...] = ("script",)

    def missing(self, build: Build, machine: Machine) -> tuple[Missing, ...]:  # noqa: ARG002 - the Protocol's
        """Return what is lacking of the programs that the script calls; its interpreter is known once it is fetched."""
        return missing_system(build.system)

    def build(self, job: BuildJob) -> Built:
        """Write the launcher. Raises BuildError."""
        with guarded(job):
            return launch_script(Steps.of(job), entrypoint_file(job), Path(job.build.entrypoint).name)
