"""Node.js: `npm ci --omit=dev` in the source, and a launcher that names node and the script."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from reckless.build.base import BuildJob, Built, Missing
from reckless.build.launcher import program_launcher
from reckless.build.node_project import NPM_LOCKS, Project, is_classic, lock_of, read_project, without_scripts
from reckless.build.programs import lasting
from reckless.build.shebang import Shebang, parse_shebang
from reckless.build.steps import Steps, entrypoint_file, guarded, tail, within
from reckless.build.system_packages import install_command, missing_system, missing_toolchain
from reckless.errors import BuildError, ToolchainMissingError
from reckless.model.machine import Machine
from reckless.model.manifest import Build, Language, ShippedLock

# What `npm install` runs of the project's own scripts (docs.npmjs.com, scripts). The second kind is for developers: it
# makes what the source lacks, with development packages.
_INSTALLING = ("preinstall", "install", "postinstall")
_MAKING = frozenset({"prepublish", "preprepare", "prepare", "postprepare"})
_NO_COMPILER = re.compile(
    r"not found: make|gyp ERR! find Python|\b(?:[cg]\+\+|clang\+\+|cc|gcc|make): (?:command )?"
    r"(?:not found|No such file)"
)
_MAX_SHEBANG = 1024


class NodeBackend:
    """Builds with the user's node and npm: their registry settings are used, nothing is installed globally."""

    languages: tuple[Language, ...] = ("node",)

    def missing(self, build: Build, machine: Machine) -> tuple[Missing, ...]:
        """Return what is lacking: node, one new enough, npm (which many systems package apart), system libraries."""
        lacks_npm = "node" in machine.toolchains and not shutil.which("npm")
        npm = (Missing(what="npm", install=install_command("npm")),) if lacks_npm else ()
        return missing_toolchain(build, machine) + npm + missing_system(build.system)

    def build(self, job: BuildJob) -> Built:
        """Install what the package needs beside it, make the script where its build makes it, write the launcher.

        The packages lie in the source, since that is where Node.js looks for them. Raises BuildError.
        """
        with guarded(job):
            steps = Steps.of(job, JOBS=str(max(job.jobs, 1)), COREPACK_ENABLE_NETWORK="0")
            node = _node(steps)
            project = read_project(job)
            if project and _wants_npm(job, project):
                _Npm(steps=steps, project=project, env=_settings(steps, node, project)).install()
            script = _script(job, project) or entrypoint_file(job)
            name = Path(job.build.entrypoint).name
            asked = _asked(script)
            env = {key: shlex.quote(value) for key, value in asked.variables.items()}
            argv: list[str | Path] = [node, *asked.arguments, script]
            launcher = program_launcher(argv, unset=("NODE_OPTIONS", "NODE_PATH"), env=env)
            (job.tree / "bin" / name).write_text(launcher, encoding="utf-8")
            return steps.built(name, interpreter=str(node))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Npm:
    """npm, at work on one project."""

    steps: Steps
    project: Project
    env: Mapping[str, str]

    def install(self) -> None:
        """Install the packages, and make what is not in the source. Development packages are gone afterwards."""
        scripts, lock = self.project.package.scripts, self._lock()
        command = "ci" if lock else "install"
        # What a lock pins may come from the cache; without one the newest are wanted.
        how = ("--prefer-offline",) if lock else ()
        if _lacks(self.steps.job, self.project) and not scripts.isdisjoint({"build", *_MAKING}):
            self._run(command, "--include=dev", *how)
            if _lacks(self.steps.job, self.project) and "build" in scripts:
                self._run("run", "build")
            self._run("prune", "--omit=dev")
        else:  # nothing is to be made, and what `prepare` calls (tsc, husky) is not there
            with without_scripts(self.project, _MAKING):
                self._run(command, "--omit=dev", *how)

    def _lock(self) -> str:
        """Return the lock that npm holds to; empty for none, which is then said. Raises BuildError `lock-missing`."""
        job, folder = self.steps.job, self.project.root.folder
        named = job.build.lock
        if isinstance(named, ShippedLock) or job.lock:
            if not job.lock or not job.lock.is_file():
                message = f"{job.name}: the lock that the index ships for it is not here"
                raise BuildError("lock-missing", message, "run it again")
            return _put_lock(job.lock, folder)
        if named and not (job.src / named).is_file() and not (folder / named).is_file():
            message = f"{job.name}: its manifest says that {named} pins its dependencies, but there is no such file"
            raise BuildError("lock-missing", message, "its manifest is wrong: tell the index's maintainers")
        lock = lock_of(folder)
        if lock == "npm-shrinkwrap.json":
            return _put_lock(folder / lock, folder)  # npm 12 no longer reads it under this name
        if lock in NPM_LOCKS:
            return lock
        if lock == "yarn.lock" and is_classic(folder / lock):
            self.steps.note(f"{job.name} has a yarn.lock: npm takes the versions that stand there")
        else:
            why = f"npm cannot read its {lock}" if lock else "there is no lock"
            self.steps.note(f"the packages of {job.name} are the newest that package.json allows: {why}")
        return ""

    def _run(self, command: str, *arguments: str) -> None:
        what = f"npm {command}" + (f" {arguments[0]}" if command == "run" else "")
        member = ("--workspace", self.project.member) if self.project.member else ()
        place = ("--prefix", self.project.root.folder, *member)
        try:
            self.steps.run(what, "npm", command, *arguments, *place, cwd=self.project.root.folder, env=self.env)
        except BuildError as e:
            raise _explained(self.steps.job, e) from e


def _put_lock(lock: Path, folder: Path) -> str:
    """Make `lock` the one that npm holds to."""
    data = lock.read_bytes()
    for old in NPM_LOCKS:
        (folder / old).unlink(missing_ok=True)
    (folder / "package-lock.json").write_bytes(data)
    return "package-lock.json"


def _wants_npm(job: BuildJob, project: Project) -> bool:
    package = project.package
    return package.depends or _lacks(job, project) or not package.scripts.isdisjoint(_INSTALLING)


def _lacks(job: BuildJob, project: Project) -> bool:
    """Say whether the source lacks what is started, or what the package says it consists of."""
    main = project.package.folder / project.package.main
    there = (main, Path(f"{main}.js"), main / "index.js")  # as require() looks for it
    return _script(job, project) is None or not any(path.exists() for path in there)


def _script(job: BuildJob, project: Project | None) -> Path | None:
    """Return the script that the entrypoint names, if it is there: a file, else one of the package's programs."""
    script = job.src / job.build.entrypoint
    if not script.is_file() and project and (program := project.package.bins.get(job.build.entrypoint)):
        script = project.package.folder / program
    real = within(job, script)
    return real if real.is_file() else None


def _node(steps: Steps) -> Path:
    """Return the node to run it with, as an absolute path that lasts."""
    found = shutil.which("node", path=steps.env.get("PATH"))
    if not found:
        hint = install_command("node")
        raise ToolchainMissingError("toolchain-missing", f"{steps.job.name} needs Node.js, which is not here", hint)
    real = steps.ask("node", found, "--print", "process.execPath", cwd=steps.job.tree).strip()
    return lasting(Path(found).absolute(), Path(real))


def _settings(steps: Steps, node: Path, project: Project) -> dict[str, str]:
    """Return npm's settings for this build.

    npm 12 runs install scripts of approved packages only: where the author has approved none, all of them, as before.
    node-gyp, which compiles native modules, would download Node.js's headers: mostly they lie beside it.
    """
    said = steps.ask("npm", "npm", "--version", cwd=steps.job.tree).strip()
    hit = re.match(r"\d+", said)
    major = int(hit[0]) if hit else 0
    settings = {"npm_package_config_node_gyp_devdir": str(steps.job.cache / "node-gyp")}
    if major >= 11 and not project.root.reviewed:
        settings["npm_config_dangerously_allow_all_scripts"] = "true"
    prefix = Path(os.path.realpath(node)).parent.parent
    if (prefix / "include" / "node" / "node.h").is_file():
        settings["npm_package_config_node_gyp_nodedir"] = str(prefix)
        if major < 12:  # what older ones know, and newer ones complain of
            settings["npm_config_nodedir"] = str(prefix)
    return settings


def _asked(script: Path) -> Shebang:
    """Return what the script's `#!` line asks of node: flags, and variables. Whatever else it says is passed over."""
    with script.open("rb") as file:
        line = file.readline(_MAX_SHEBANG).decode(errors="replace")
    nothing = Shebang(program="node")
    if not line.startswith("#!"):
        return nothing
    try:
        asked = parse_shebang(line)
    except ValueError:
        return nothing
    return asked if Path(asked.program).name in {"node", "nodejs"} else nothing


def _explained(job: BuildJob, error: BuildError) -> BuildError:
    """Say what is the matter where npm's own words are known."""
    if error.code != "build-failed":
        return error
    said = tail(job.log, lines=400)
    if "are in sync" in said and "npm ci" in said:
        message = f"{job.name}: its lock does not fit its package.json; nothing was built"
        return BuildError("lock-outdated", message, f"tell its author; {error.hint}", detail=error.detail)
    if "gyp" in said and _NO_COMPILER.search(said):
        message = f"{job.name}: one of its packages is compiled here, which needs a C++ compiler, make and Python"
        hint = f"{install_command('c++')}; {install_command('python')}; {error.hint}"
        return ToolchainMissingError("toolchain-missing", message, hint, detail=error.detail)
    if "EUNSUPPORTEDPROTOCOL" in said:
        message = f"{job.name}: its package.json is written for another package manager than npm"
        return BuildError("build-failed", message, f"tell its author; {error.hint}", detail=error.detail)
    return error
