"""`reckless index lock`: hashed requirements for Python releases whose own tree pins nothing.

Each is made once, of the packages that were there on the release's day, and kept: what was tested is what everyone
gets. The manifest gets a line that names it, with its sha256; nothing else in the manifest changes.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tomlkit
from packaging.version import Version
from tomlkit.items import AoT

from reckless.build.base import BuildJob
from reckless.build.environment import build_environment
from reckless.build.machine import this_machine
from reckless.errors import IndexSourceError, RecklessError
from reckless.fetch.fetcher import fetch
from reckless.index.folder import read_limited
from reckless.index.trust import MAX_LOCK
from reckless.model.manifest import Release, ShippedLock
from reckless.model.reporter import Reporter
from reckless.model.versions import parse_version
from reckless.publish.folder import chosen, read_manifest
from reckless.system.files import atomic_write

Standing = Literal["made", "kept", "pinned", "nothing", "failed"]


@dataclass(frozen=True, kw_only=True, slots=True)
class LockRow:
    """What became of one release.

    `made` a lock; `kept` the one that is there; `pinned` by a lock of its own tree; asks for `nothing`; `failed`.
    """

    name: str
    version: str
    standing: Standing
    file: str = ""
    packages: int = 0
    note: str = ""
    error: RecklessError | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class LockWishes:
    """What is wanted: of which plugins (none: of all), again where a lock is there, of today's packages.

    `local` allows sources on this machine.
    """

    names: Sequence[str] = ()
    upgrade: bool = False
    newest: bool = False
    local: bool = False


def lock_releases(folder: Path, wishes: LockWishes, *, cache: Path, reporter: Reporter) -> tuple[LockRow, ...]:
    """Make the locks that are missing in a folder of manifests, and name them there.

    Without a change to make, nothing is written. Raises IndexSourceError `source-missing`, ManifestError, RecklessError
    `no-such-plugin`; what fails for one release is in its row.
    """
    machine = _Machine(cache=cache, reporter=reporter)
    return tuple(
        _of_release(file, file.stem, release, wishes, machine)
        for file in chosen(folder, wishes.names)
        for release in read_manifest(file, local=wishes.local).releases
        if release.build.language == "python"
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Machine:
    """Where things are put aside, and who hears of them."""

    cache: Path
    reporter: Reporter


def _of_release(file: Path, name: str, release: Release, wishes: LockWishes, here: _Machine) -> LockRow:
    version, lock = str(release.version), release.build.lock
    if isinstance(lock, str):
        return LockRow(name=name, version=version, standing="pinned", file=lock)
    if isinstance(lock, ShippedLock) and not wishes.upgrade and _is_there(file.parent, lock):
        return LockRow(name=name, version=version, standing="kept", file=lock.file)
    try:
        return _make(file, name, release, wishes, here)
    except RecklessError as e:
        return LockRow(name=name, version=version, standing="failed", error=e)
    finally:
        here.reporter.step(name, "done")


def _is_there(folder: Path, lock: ShippedLock) -> bool:
    try:
        return hashlib.sha256(read_limited(folder / lock.file, MAX_LOCK)).hexdigest() == lock.sha256
    except IndexSourceError:
        return False


def _make(file: Path, name: str, release: Release, wishes: LockWishes, here: _Machine) -> LockRow:
    from reckless.build.python_lock import make_lock

    version = str(release.version)
    day = None if wishes.newest else release.date
    here.cache.mkdir(parents=True, exist_ok=True)
    env = build_environment(Path.home(), here.cache)
    with tempfile.TemporaryDirectory(dir=here.cache, prefix="lock-") as place:
        tree = Path(place) / "tree"
        fetch(release.source, tree / "src", cache=here.cache, name=name, reporter=here.reporter, env=env)
        job = BuildJob(
            name=name,
            tree=tree,
            subdir=release.source.subdir,
            build=release.build,
            machine=this_machine(languages=[release.build.language]),
            cache=here.cache,
            env=env,
            reporter=here.reporter,
        )
        made = make_lock(job, as_of=day)
    if made is None:
        return LockRow(name=name, version=version, standing="nothing")
    when = f"as of {made.as_of}" if made.as_of else "as of the day it was made"
    head = f"# What {name} {version} needs, by hash: its {made.origin}, {when}. `reckless index lock` made this.\n"
    data = (head + made.text).encode()
    lock = ShippedLock(file=f"locks/{name}-{version}.txt", sha256=hashlib.sha256(data).hexdigest())
    (file.parent / "locks").mkdir(exist_ok=True)
    atomic_write(file.parent / lock.file, data)
    old = file.read_bytes()
    new = with_lock(old.decode(), release.version, lock).encode()
    if new != old:
        atomic_write(file, new)
    return LockRow(name=name, version=version, standing="made", file=lock.file, packages=made.packages, note=made.note)


def with_lock(text: str, version: Version, lock: ShippedLock) -> str:
    """Return a manifest's text in which the release names this lock; comments, order and all else stay."""
    document = tomlkit.parse(text)
    releases = document["release"]
    assert isinstance(releases, AoT)  # noqa: S101 - the manifest has been read before
    release = next(table for table in releases if parse_version(str(table["version"])) == version)
    value = tomlkit.value(f'{{ file = "{lock.file}", sha256 = "{lock.sha256}" }}')
    build = release.get("build")
    if build is not None:
        build["lock"] = value
        return tomlkit.dumps(document)
    build = tomlkit.table()
    build["lock"] = value
    if release is not releases[-1]:
        build.add(tomlkit.nl())
    elif not text.endswith("\n\n"):
        release.add(tomlkit.nl())
    release.append("build", build)
    return tomlkit.dumps(document)
