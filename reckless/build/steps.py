"""A build's steps: each a program with the build's environment, its log, and one deadline for all of them."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from reckless.build.base import BuildJob, Built
from reckless.errors import BuildError, ProcessError, ToolchainMissingError
from reckless.system.complaints import says_disk_full, says_no_network
from reckless.system.files import remove_tree
from reckless.system.process import TAIL_LINES, Command, run

_HASHES = re.compile(
    r"do not match the hashes|hash mismatch|checksum mismatch|checksum for .* changed|EINTEGRITY"
    r"|checksum validation failed",
    re.IGNORECASE,
)


@dataclass(kw_only=True, slots=True)
class Steps:
    """Runs the steps of one build. `notes` collects what a person should know of it afterwards."""

    job: BuildJob
    env: Mapping[str, str]
    deadline: float
    notes: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, job: BuildJob, **env: str) -> Steps:
        """Start a build afresh: what an earlier try left in `env` and `bin` goes, `bin` is made, the clock starts."""
        for folder in (job.tree / "env", job.tree / "bin"):
            remove_tree(folder)
        (job.tree / "bin").mkdir(parents=True)
        job.log.unlink(missing_ok=True)
        job.log.touch()
        # A build that asks git which commit it is must not be answered by a repository around the tree.
        own = {"GIT_CEILING_DIRECTORIES": str(job.tree)}
        return cls(job=job, env={**job.env, **own, **env}, deadline=time.monotonic() + job.timeout)

    @property
    def left(self) -> float:
        """The seconds that are left for the rest of the build."""
        return max(self.deadline - time.monotonic(), 0.1)

    def run(self, what: str, *argv: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> None:
        """Run a step; its output goes to the build log. `what` names it in sentences, such as `cargo build`.

        Raises BuildError `build-failed`, `build-timeout`, `disk-full`, `hash-mismatch` or `toolchain-missing`.
        """
        self.job.reporter.step(self.job.name, "build", what)
        try:
            run(self._command(argv, cwd, env, self.job.log))
        except ProcessError as e:
            raise self.failure(what, e) from e

    def ask(self, what: str, *argv: str | Path, cwd: Path | None = None) -> str:
        """Run a step whose answer on stdout is wanted, and return it; stderr goes to the build log. Raises as `run`."""
        command = self._command(argv, cwd, None, None)
        try:
            answer = run(command)
        except ProcessError as e:
            self.write(f"$ {command.by_hand}\n{e.detail}\n")
            raise self.failure(what, e) from e
        self.write(f"$ {command.by_hand}\n{answer.stderr}")
        return answer.stdout

    def write(self, text: str) -> None:
        """Add `text` to the build log."""
        with self.job.log.open("a", encoding="utf-8") as f:
            f.write(text)

    def note(self, text: str) -> None:
        """Keep one sentence that a person should know."""
        self.notes.append(text)
        self.write(f"# {text}\n")

    def failure(self, what: str, error: ProcessError) -> BuildError:
        """Turn a failed step into the error that its user sees."""
        job, hint = self.job, f"the whole log: {self.job.log}"
        if error.code == "command-timeout":
            message = f"{job.name}: {what} had not ended after {job.timeout:.0f} s in all, and was ended"
            return BuildError("build-timeout", message, hint, detail=error.detail)
        if error.code != "command-failed":
            return ToolchainMissingError("toolchain-missing", f"{job.name}: {what}: {error.message}", error.hint)
        if says_disk_full(error.detail):
            return disk_full(job, error.detail)
        if _HASHES.search(error.detail):
            message = f"{job.name}: what was downloaded is not what was locked; nothing of it was run"
            return BuildError("hash-mismatch", message, hint, detail=error.detail)
        message = f"{job.name}: {what} failed (exit {error.exit_status})"
        if says_no_network(error.detail):
            message, hint = f"{message}: the network seems to be down", f"check the network, then run it again; {hint}"
        return BuildError("build-failed", message, f"{hint}; {error.hint}", detail=error.detail)

    def built(self, file: str, *, interpreter: str = "") -> Built:
        """Make `tree/bin/<file>` executable and say that it is done. Raises BuildError where it is not there."""
        entrypoint = self.job.tree / "bin" / file
        if not entrypoint.is_file():
            message = f"{self.job.name}: the build ended well but made no {file}"
            raise BuildError("entrypoint-missing", message, f"the whole log: {self.job.log}", detail=tail(self.job.log))
        entrypoint.chmod(0o755)
        return Built(entrypoint=f"bin/{file}", interpreter=interpreter, notes=tuple(self.notes))

    def _command(
        self, argv: tuple[str | Path, ...], cwd: Path | None, env: Mapping[str, str] | None, log: Path | None
    ) -> Command:
        return Command(
            argv=argv,
            cwd=cwd or self.job.src,
            env={**self.env, **(env or {})},
            timeout=self.left,
            log=log,
        )


@contextlib.contextmanager
def guarded(job: BuildJob) -> Iterator[None]:
    """Turn what the operating system refuses a builder (a full disk, above all) into a BuildError."""
    try:
        yield
    except OSError as e:
        if e.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise disk_full(job, str(e)) from e
        raise BuildError("build-failed", f"{job.name}: {e}", f"look at {job.tree}; then run it again") from e


def disk_full(job: BuildJob, detail: str) -> BuildError:
    """Return the error for a disk that ran full while building."""
    with contextlib.suppress(OSError):
        free = shutil.disk_usage(job.tree).free >> 20
        detail = f"{detail}\n{free} MB free at {job.tree}"
    hint = f"make room, for instance by deleting {job.cache}, which is always safe; then run it again"
    return BuildError("disk-full", f"{job.name}: the disk ran full while building it", hint, detail=detail)


def entrypoint_file(job: BuildJob) -> Path:
    """Return the entrypoint's file in the source, resolved.

    Raises BuildError `entrypoint-missing` where there is none, `entrypoint-outside` where a link leads out of the tree.
    """
    real = within(job, job.src / job.build.entrypoint)
    if not real.is_file():
        there = ", ".join(sorted(f.name for f in job.src.iterdir() if f.is_file())[:12]) if job.src.is_dir() else ""
        message = f"{job.name}: its source has no file {job.build.entrypoint}"
        raise BuildError("entrypoint-missing", message, f"there are: {there or 'no files at all'}")
    return real


def within(job: BuildJob, path: Path) -> Path:
    """Return `path`, resolved. Raises BuildError `entrypoint-outside` where it leads out of the source."""
    real = Path(os.path.realpath(path))
    if not real.is_relative_to(os.path.realpath(job.tree / "src")):
        message = f"{job.name}: its entrypoint {job.build.entrypoint} lies outside of its own source"
        raise BuildError("entrypoint-outside", message, "its manifest or its repository is wrong: tell its author")
    return real


@contextlib.contextmanager
def exclusive(lock: Path, timeout: float) -> Iterator[None]:
    """Hold a lock between processes on something shared. Raises BuildError `build-locked` after `timeout` seconds."""
    from filelock import FileLock, Timeout

    lock.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(str(lock), timeout=max(timeout, 0)):
            yield
    except Timeout as e:
        raise BuildError("build-locked", f"another build holds {lock}", "wait for it to end, then run it again") from e


def tail(log: Path, *, lines: int = TAIL_LINES) -> str:
    """Return the last lines of a log."""
    with contextlib.suppress(OSError):
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    return ""
