"""Go: `go build -trimpath`, with the user's module and build caches."""

from __future__ import annotations

import os
import re
from pathlib import Path

from reckless.build.base import BuildJob, Built, Missing
from reckless.build.steps import Steps, guarded
from reckless.build.system_packages import missing_system, missing_toolchain
from reckless.errors import BuildError
from reckless.model.machine import Machine
from reckless.model.manifest import Build, Language

_TOO_OLD = re.compile(r"requires go >= ([\w.]+) \(running go ([\w.]+)")


class GoBackend:
    """Builds with the user's go, never with one that go.mod would have downloaded."""

    languages: tuple[Language, ...] = ("go",)

    def missing(self, build: Build, machine: Machine) -> tuple[Missing, ...]:
        """Return what is lacking: go, one new enough, system libraries."""
        return missing_toolchain(build, machine) + missing_system(build.system)

    def build(self, job: BuildJob) -> Built:
        """Build the main package that the entrypoint names or that there is. Raises BuildError."""
        with guarded(job):
            steps = Steps.of(job, GOTOOLCHAIN="local", GOWORK="off")
            name = Path(job.build.entrypoint).name
            module = _module(job)
            mode = "-mod=vendor" if (module / "vendor" / "modules.txt").is_file() else "-mod=readonly"
            package = _choose(steps, module, name)
            try:
                steps.run(
                    "go build", "go", "build", mode, "-trimpath", "-buildvcs=false", f"-p={max(job.jobs, 1)}",
                    "-o", job.tree / "bin" / name, package, cwd=module,
                )  # fmt: skip
            except BuildError as e:
                raise _explained(job, e) from e
            return steps.built(name)


def _module(job: BuildJob) -> Path:
    """Return the folder of the go.mod that the plugin's folder belongs to."""
    top, folder = Path(os.path.realpath(job.tree / "src")), Path(os.path.realpath(job.src))
    while folder.is_relative_to(top):
        if (folder / "go.mod").is_file():
            return folder
        folder = folder.parent
    raise BuildError(
        "build-failed",
        f"{job.name}: its source has no go.mod",
        "plugins from before Go modules must be built by hand, or `subdir` in its manifest is wrong",
    )


def _choose(steps: Steps, module: Path, name: str) -> str:
    """Return the main package to build, as `./cmd/name`.

    The plugin's own folder, then its `cmd/<entrypoint>`, then one whose folder is named as the entrypoint, then the
    only one there is. Raises BuildError `entrypoint-missing`, `ambiguous-entrypoint`.
    """
    job = steps.job
    src = Path(os.path.realpath(job.src))
    found = [p for p in _main_packages(steps, module) if p.is_relative_to(src)]
    relative = {p: p.relative_to(src).as_posix() for p in found}
    for wanted in (".", f"cmd/{name}"):
        for package in found:
            if relative[package] == wanted:
                return _spelled(package, module)
    named = [p for p in found if p.name == name]
    if len(named or found) == 1:
        return _spelled((named or found)[0], module)
    if not found:
        message = f"{job.name}: its source has no main package: there is nothing to run in it"
        raise BuildError("entrypoint-missing", message, f"`subdir` in its manifest may be wrong: {src}")
    there = ", ".join(sorted(relative[p] for p in named or found))
    message = f"{job.name}: its source has several main packages and none is plainly {name}: {there}"
    raise BuildError(
        "ambiguous-entrypoint", message, "the manifest's entrypoint must be the name of one of these folders"
    )


def _main_packages(steps: Steps, module: Path) -> list[Path]:
    """Return the folders of the module's main packages for this machine. `-find` reads no dependencies."""
    shape = '{{if eq .Name "main"}}{{.Dir}}{{end}}'
    try:
        answer = steps.ask("go list", "go", "list", "-e", "-find", "-buildvcs=false", "-f", shape, "./...", cwd=module)
    except BuildError as e:
        raise _explained(steps.job, e) from e
    return [Path(os.path.realpath(line)) for line in answer.splitlines() if line]


def _spelled(package: Path, module: Path) -> str:
    relative = package.relative_to(module).as_posix()
    return f"./{relative}" if relative != "." else "."


def _explained(job: BuildJob, error: BuildError) -> BuildError:
    """Say what is the matter where go's own words are known."""
    if hit := _TOO_OLD.search(error.detail):
        message = f"{job.name} needs Go {hit[1]} or newer; here is {hit[2]}"
        hint = "install a newer Go (https://go.dev/dl, or your system's packages), then run it again"
        return BuildError("toolchain-too-old", message, hint, detail=error.detail)
    if "missing go.sum entry" in error.detail:
        message = f"{job.name}: its go.sum lacks modules that it uses, so they cannot be verified; nothing was built"
        return BuildError("lock-outdated", message, f"tell its author; {error.hint}", detail=error.detail)
    return error
