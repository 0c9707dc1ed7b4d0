"""A lock for a Python plugin whose own tree pins nothing: what it asks for, resolved to hashed requirements.

With uv the lock is for every operating system, CPU and Python that the plugin is for, and can be as of a day in the
past. Without, pip resolves for this machine alone, and as of now.
"""

from __future__ import annotations

import datetime as dt
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import tomlkit
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from reckless.build.base import BuildJob
from reckless.build.pins import STRONG, LockError, Pin, lines
from reckless.build.python import interpreter_for
from reckless.build.python_deps import Requirements, logical_lines, unpinned
from reckless.build.python_env import Environment, find_uv
from reckless.build.python_index import for_uv
from reckless.build.python_project import Source, read_source
from reckless.build.steps import Steps, entrypoint_file, guarded
from reckless.errors import BuildError

_UNDATED = "is missing an upload date"  # uv's words
OLDEST_PYTHON = "3.9"  # what a lock starts at where nothing else is said
_LINE = re.compile(
    r"[A-Za-z0-9][\w.-]*(\[[\w.,-]+\])? ?== ?[A-Za-z0-9.!+-]+( ;[^#@\\]+?)?( --hash=sha(256|384|512):[0-9a-f]{64,128})+"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class MadeLock:
    """Hashed requirements, ready to be shipped: `text` has `packages` lines of `NAME==VERSION ; MARKER --hash=...`.

    `origin` is the file that asked, `as_of` the day whose packages were there to choose from (None: those of now),
    `note` in what it is less than was wanted.
    """

    text: str
    packages: int
    origin: str
    as_of: dt.date | None
    note: str


def make_lock(job: BuildJob, *, as_of: dt.date | None) -> MadeLock | None:
    """Resolve what the source in `job.tree/src` asks for; None where it asks for nothing.

    `as_of`: only packages that were there at the end of that day (UTC). Raises BuildError: `lock-unusable` where what
    is asked for cannot be pinned by hash, else as a build.
    """
    with guarded(job):
        steps = Steps.of(job)
        script = None if ":" in job.build.entrypoint else entrypoint_file(job)
        try:
            source = read_source(Path(os.path.realpath(job.src)), script)
            bounds = [job.build.toolchain, *source.python]
            interpreter = interpreter_for(job, bounds)
            wanted = unpinned(source, interpreter.markers)
            asked = _asked(wanted, source)
        except (LockError, ValueError) as e:
            raise _unusable(job, str(e)) from e
        if not asked:
            return None
        environment = Environment(steps=steps, interpreter=interpreter, uv=find_uv(steps.env.get("PATH", "")))
        note = ""
        if not environment.uv:
            text, note = (
                _by_pip(environment, asked),
                "for this kind of machine only: with uv on PATH it would be for all",
            )
        else:
            try:
                text = _by_uv(environment, asked, bounds, as_of)
            except BuildError as e:
                if _UNDATED not in e.detail:
                    raise
                text = _by_uv(environment, asked, bounds, None)
                note = "of today's packages: the package index does not say when they were uploaded"
        pinned = logical_lines(text)
        for line in pinned:
            if not _LINE.fullmatch(re.sub(r"\s+", " ", line)):
                raise _unusable(job, f"it asks for {line.split(' ')[0]} in a way that no hash vouches for")
        day = None if note else as_of
        return MadeLock(text=text, packages=len(pinned), origin=wanted.origin, as_of=day, note=note)


def _unusable(job: BuildJob, why: str) -> BuildError:
    return BuildError("lock-unusable", f"{job.name}: no lock can be made for it: {why}", "it is installed without one")


def _asked(wanted: Requirements, source: Source) -> list[str]:
    """Return what is wanted as PEP 508 requirements on packages of an index. Raises LockError."""
    text = wanted.file.read_text(encoding="utf-8", errors="replace") if wanted.file else wanted.text
    found = []
    for line in logical_lines(text):
        if line == source.folder.as_uri():
            raise LockError("only its own build can tell what it depends on")
        try:
            requirement = Requirement(line)
        except InvalidRequirement as e:
            raise LockError(f"{wanted.origin}: {line!r} is no requirement on a package") from e
        if requirement.url:
            raise LockError(f"{wanted.origin}: it takes {requirement.name} from {requirement.url}")
        found.append(str(requirement))
    return found


def _by_uv(
    environment: Environment, asked: Sequence[str], bounds: Sequence[SpecifierSet], as_of: dt.date | None
) -> str:
    """Have uv resolve for every machine and every Python within `bounds`."""
    steps, place = environment.steps, environment.steps.job.tree / "lock"
    place.mkdir(exist_ok=True)
    pythons = SpecifierSet(",".join(str(b) for b in bounds if str(b)))
    lowest = _lowest(pythons)
    project: dict[str, object] = {
        "project": {
            "name": "asked",
            "version": "0",
            "requires-python": str(pythons) or f">={lowest}",
            "dependencies": list(asked),
        }
    }
    if marker := _marker(pythons):
        project["tool"] = {"uv": {"environments": [marker]}}
    (place / "pyproject.toml").write_text(tomlkit.dumps(project), encoding="utf-8")
    shape = ["--universal", "--generate-hashes", "--no-header", "--no-annotate", "--no-emit-index-url"]
    when = ["--exclude-newer", f"{as_of + dt.timedelta(days=1)}T00:00:00Z"] if as_of else []
    env, flags = for_uv(steps.env)
    out = place / "lock.txt"
    argv = [str(environment.uv), "pip", "compile", "pyproject.toml", *shape, *when, "--python-version", lowest, *flags]
    steps.run("uv pip compile", *argv, "--output-file", out, cwd=place, env=env)
    return out.read_text(encoding="utf-8")


def _lowest(pythons: SpecifierSet) -> str:
    """Return the lowest Python within bounds, as far as they say so."""
    floors = [Version(s.version.removesuffix(".*")) for s in pythons if s.operator in {">=", "~=", "=="}]
    return str(max(floors, default=Version(OLDEST_PYTHON)))


def _marker(pythons: SpecifierSet) -> str:
    """Return bounds on Python as an environment marker (PEP 508); empty where there is no upper one."""
    if not any(s.operator in {"<", "<=", "==", "~="} for s in pythons):
        return ""
    return " and ".join(sorted(f"python_full_version {s.operator} '{s.version}'" for s in pythons))


class _Archive(msgspec.Struct):
    hashes: dict[str, str] = {}


class _Download(msgspec.Struct):
    archive_info: _Archive | None = None


class _Metadata(msgspec.Struct):
    name: str
    version: str


class _Item(msgspec.Struct):
    metadata: _Metadata
    download_info: _Download


class _Report(msgspec.Struct):
    """What of pip's installation report is read (version 1)."""

    install: list[_Item] = []


def _by_pip(environment: Environment, asked: Sequence[str]) -> str:
    """Have pip resolve for this machine."""
    job = environment.steps.job
    environment.create()
    report = environment.resolve([*asked])
    try:
        items = msgspec.json.decode(report, type=_Report).install
    except (msgspec.DecodeError, msgspec.ValidationError) as e:
        raise _unusable(job, f"pip's report cannot be read: {e}") from e
    pins = []
    for item in items:
        archive = item.download_info.archive_info
        hashes = tuple(f"{k}:{v}" for k, v in (archive.hashes if archive else {}).items() if k in STRONG)
        if not hashes:
            raise _unusable(job, f"it takes {item.metadata.name} from where there are no hashes")
        pins.append(Pin(name=item.metadata.name, version=item.metadata.version, hashes=hashes))
    return lines(pins)
