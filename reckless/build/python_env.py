"""A plugin's virtual environment: made and filled by uv where there is one, else by virtualenv and pip."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from reckless.build.interpreters import Interpreter
from reckless.build.python_deps import Requirements
from reckless.build.python_index import for_uv
from reckless.build.steps import Steps, exclusive
from reckless.errors import BuildError
from reckless.system.files import remove_tree


@dataclass(frozen=True, kw_only=True, slots=True)
class Environment:
    """The environment in `tree/env`, or in the `shared` place, being made. `uv` is None where there is none."""

    steps: Steps
    interpreter: Interpreter
    uv: Path | None
    shared: Path | None = None

    @property
    def root(self) -> Path:
        """The environment's folder."""
        return self.shared or self.steps.job.tree / "env"

    @property
    def python(self) -> Path:
        """The environment's interpreter."""
        return self.root / "bin" / "python"

    @property
    def outside(self) -> str:
        """The interpreter outside of the tree that this one is a link to; empty where it is a copy."""
        link = self.python
        for _ in range(8):
            if not link.is_symlink():
                return "" if link.is_relative_to(self.root) else str(link)
            target = link.parent / link.readlink()
            link = Path(os.path.normpath(target))
            if not link.is_relative_to(self.root):
                return str(link)
        return ""

    def create(self) -> None:
        """Make it, empty: no pip in it."""
        if self.shared:
            remove_tree(self.shared)  # one that was being made when reckless was killed
        if self.uv:
            argv: list[str | Path] = [self.uv, "venv", "--no-project", "--python", self.interpreter.path, self.root]
            self.steps.run("uv venv", *argv, cwd=self.steps.job.tree)  # not in the source: see _install
        else:
            self._virtualenv(self.root, "--no-seed")

    def install(self, wanted: Requirements) -> None:
        """Install requirements, by hash where they have them."""
        file = wanted.file
        if file is None:
            file = self.root / "reckless-requirements.txt"
            file.write_text(wanted.text, encoding="utf-8")
        what: list[str | Path] = [*(["--no-deps"] if wanted.complete else []), "-r", file]
        if not wanted.hashed:
            self._install(*what)
        elif not self._install_from_cache("--require-hashes", *what):
            self._install("--require-hashes", *what)

    def install_project(self, folder: Path) -> None:
        """Install the project in `folder`, without what it depends on. Its build runs in isolation."""
        self._install("--no-deps", folder)

    def compile(self, folder: Path, script: Path | None) -> None:
        """Byte-compile the packages, the plugin's own modules and its entrypoint, so that no start has to."""
        roots = [*self.root.glob("lib/python*/site-packages"), folder, *([script] if script else [])]
        program, kept = Path(__file__).with_name("bytecode.py"), self.steps.job.cache / "bytecode"
        parts = max(self.steps.job.jobs, 1)

        def one(part: int) -> None:
            argv: list[str | Path] = [self.python, "-I", program, kept, str(part), str(parts), *roots]
            self.steps.run("byte-compiling", *argv, cwd=self.steps.job.tree)

        with ThreadPoolExecutor(parts) as pool:
            list(pool.map(one, range(parts)))

    def export(self, lock: Path) -> str | None:
        """Have uv turn its lock into hashed requirements; None without a uv that can."""
        if not self.uv:
            return None
        of: list[str | Path] = (
            ["--script", lock.with_suffix("")] if lock.name != "uv.lock" else ["--project", lock.parent]
        )
        shape = ["--format", "requirements-txt", "--no-header", "--no-annotate", "--no-emit-project", "--no-dev"]
        try:
            return self.steps.ask("uv export", self.uv, "export", "--frozen", *shape, "--python", self.python, *of)
        except BuildError as e:
            if e.code != "build-failed":
                raise
            self.steps.write("# uv could not read its lock: reading it without uv\n")
            return None

    def resolve(self, asked: Sequence[str]) -> bytes:
        """Have pip choose what would be installed here for these requirements, and return its report (JSON)."""
        report = self.steps.job.tree / "report.json"
        shape: list[str | Path] = ["--dry-run", "--ignore-installed", "--progress-bar", "off", "--report", report]
        self.steps.run("pip install --dry-run", *self._by_pip(), *shape, *asked)
        return report.read_bytes()

    def _install_from_cache(self, *what: str | Path) -> bool:
        """Install what is locked out of uv's cache alone: bytes with these hashes are the same wherever they are from.

        Most of an upgrade's packages are there from the version before. So it needs no network, and does not wait for a
        slow one to say that nothing has changed. False where not everything is there.
        """
        if not self.uv:
            return False
        try:
            self._install("--offline", *what)
        except BuildError as e:
            if e.code not in ("build-failed", "hash-mismatch"):
                raise
            self.steps.write("# not all of it is in the cache: again, with the network\n")
            return False
        return True

    def _install(self, *what: str | Path) -> None:
        job = self.steps.job
        if self.uv:
            env, flags = for_uv(self.steps.env)
            # uv takes every core for itself unless told: others may be building beside it.
            env |= {"UV_CONCURRENT_INSTALLS": str(job.jobs), "UV_CONCURRENT_BUILDS": str(job.jobs)}
            argv: list[str | Path] = [self.uv, "pip", "install", "--python", self.python, *flags, *what]
            # Not started in the source: its own uv settings, such as an index, are not the user's.
            self.steps.run("uv pip install", *argv, cwd=job.tree, env=env)
        else:
            quiet = ["--no-compile", "--no-warn-script-location", "--progress-bar", "off"]
            self.steps.run("pip install", *self._by_pip(), *quiet, *what)

    def _by_pip(self) -> list[str | Path]:
        return [self._pip(), "-I", "-m", "pip", "--python", self.python, "install"]

    def _pip(self) -> Path:
        """Return a Python that has pip, one for each interpreter, shared by all builds: pip is in no plugin's tree."""
        version = ".".join(map(str, self.interpreter.version.release[:2]))
        tool = self.steps.job.cache / "tools" / f"pip-{version}"
        python = tool / "bin" / "python"
        with exclusive(tool.with_name(f"{tool.name}.lock"), self.steps.left):
            if not (tool / "ready").is_file() or not python.exists():
                remove_tree(tool)
                self._virtualenv(tool)
                (tool / "ready").touch()
        return python

    def _virtualenv(self, where: Path, *flags: str) -> None:
        argv: list[str | Path] = [
            sys.executable,
            "-I",
            "-m",
            "virtualenv",
            "--python",
            self.interpreter.path,
            "--activators",
            "",
        ]
        flags = ("--no-periodic-update", "--no-vcs-ignore", *flags)
        self.steps.run("virtualenv", *argv, *flags, where, cwd=self.steps.job.tree)


def find_uv(path: str) -> Path | None:
    """Return the uv on a PATH."""
    found = shutil.which("uv", path=path)
    return Path(found) if found else None
