"""`reckless index check`: every release of some manifests installed for real, one after the other, and thrown away."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from reckless.errors import RecklessError
from reckless.model.manifest import Release
from reckless.model.reporter import Reporter
from reckless.model.versions import parse_version
from reckless.operate.session import Settings
from reckless.publish.changed import changed_releases
from reckless.publish.folder import chosen, read_manifest
from reckless.publish.outcome import Record, Trial
from reckless.publish.workshop import Workshop


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckWishes:
    """What to check: of these plugins (`NAME` or `NAME==VERSION`; none: of all), what changed since a revision.

    `out` is the folder of the record. Sources on this machine are allowed with `local`.
    """

    names: Sequence[str] = ()
    changed_since: str = ""
    out: Path | None = None
    local: bool = False


def check_installs(folder: Path, wishes: CheckWishes, settings: Settings, reporter: Reporter) -> tuple[Trial, ...]:
    """Install each release for trial; `settings` say where the cache is, and how many cores to use.

    What fails for one release is in its row; the record is written after each. Raises IndexSourceError, ManifestError,
    RecklessError `no-such-plugin`, `no-such-version`, `no-such-revision`, NodeError `trial-node-failed`.
    """
    wanted = list(_wanted(folder, wishes))
    listed = [(name, str(r.version)) for name, r in _wanted(folder, CheckWishes(local=wishes.local))]
    record = Record(wishes.out) if wishes.out else None
    if record:
        record.update((), listed)  # what cannot be written is said before hours of work
    if not wanted:
        return ()
    trials = []
    with tempfile.TemporaryDirectory(prefix="reckless-", ignore_cleanup_errors=True) as place:
        workshop = Workshop(folder=folder.resolve(), place=Path(place), settings=settings, reporter=reporter)
        try:
            for name, release in wanted:
                trials.append(workshop.check(name, release))
                if record:
                    record.update(trials[-1:], listed)
        finally:
            workshop.close()
    return tuple(trials)


def _wanted(folder: Path, wishes: CheckWishes) -> Iterator[tuple[str, Release]]:
    files = chosen(folder, ())
    asked = [
        (chosen(folder, [name])[0], version.strip()) for name, _, version in (n.partition("==") for n in wishes.names)
    ]
    changed = changed_releases(folder, wishes.changed_since, local=wishes.local) if wishes.changed_since else None
    for file, version in asked or [(file, "") for file in files]:
        releases = read_manifest(file, local=wishes.local).releases
        if version:
            releases = tuple(r for r in releases if r.version == parse_version(version))
            if not releases:
                raise RecklessError("no-such-version", f"{file} has no release {version}; nothing was done")
        for release in releases:
            if changed is None or (file.stem, release.version) in changed:
                yield file.stem, release
