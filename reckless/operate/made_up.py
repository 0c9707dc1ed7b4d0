"""A manifest for a plugin that has none, out of what was found in its tree."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable

from packaging.version import Version

from reckless.build.detect import Candidate, NotAPlugin
from reckless.errors import DetectionError, RecklessError
from reckless.model import hostile
from reckless.model.manifest import GitSource, Manifest, OwnRelease, PathSource, Plugin, Release
from reckless.model.sections import MAX_SUMMARY


def made_up(
    candidate: Candidate, source: GitSource | PathSource, *, version: Version | None, date: dt.date, home: str
) -> Manifest:
    """Return the manifest of what was found in a tree: one release, of the project's own version or the commit's date.

    Raises RecklessError `not-installable` where its author, or detection, says that it cannot be installed, and
    `invalid-entrypoint`, `invalid-path` for names that no manifest may have.
    """
    if not candidate.installable:
        raise not_installable(candidate)
    _check(candidate)
    own = candidate.own or OwnRelease()
    release = Release(
        version=own.version or version or Version(f"{date.year}.{date.month}.{date.day}"),
        source=source,
        build=candidate.build,
        runtime=candidate.runtime,
        date=date,
        depends=candidate.depends,
        cln=own.cln,
        conflicts=own.conflicts,
    )
    return Manifest(
        plugin=_plugin(candidate, home), build=candidate.build, runtime=candidate.runtime, releases=(release,)
    )


def _check(candidate: Candidate) -> None:
    """See that what comes of a stranger's file names is what a manifest may say."""
    build = candidate.build
    found = hostile.entrypoint(build.entrypoint, build.language)
    paths = (candidate.subdir, candidate.path, build.lock if isinstance(build.lock, str) else "")
    for bad in (found, *(hostile.path(path) for path in paths if path)):
        if bad is not None:
            raise RecklessError(bad.code, f"{candidate.name} cannot be installed: {bad.message}", bad.hint)


def one_of_each(
    everything: Iterable[Candidate | NotAPlugin],
) -> tuple[dict[str, Candidate], dict[str, RecklessError]]:
    """Return the plugins of a repository by name, sorted, and those that cannot be installed, with why.

    Of two of one name the one that is kept up is taken, else the first.
    """
    found: dict[str, Candidate] = {}
    problems: dict[str, RecklessError] = {}
    for one in everything:
        if not isinstance(one, Candidate):
            continue
        try:
            _check(one)
        except RecklessError as e:
            problems.setdefault(one.name, e)
            continue
        if not one.installable:
            problems.setdefault(one.name, not_installable(one))
        elif one.name not in found or (found[one.name].status == "archived" and one.status != "archived"):
            found[one.name] = one
    return dict(sorted(found.items())), {n: p for n, p in problems.items() if n not in found}


def not_installable(candidate: Candidate) -> RecklessError:
    """Return why a plugin that was found cannot be installed."""
    return RecklessError(
        "not-installable",
        f"{candidate.name} cannot be installed: {candidate.why_not}",
        "its own documentation says how it is set up",
    )


def which_one(error: DetectionError, address: Callable[[str], str]) -> str:
    """Return the hint that says how to name one of several plugins; what was put aside is no good example."""
    best = min(error.choices, key=lambda path: "/" in path)
    return f"name the one that you mean, as in: reckless install {address(best)}"


def _plugin(candidate: Candidate, home: str) -> Plugin:
    if candidate.plugin is not None:
        return candidate.plugin
    summary = " ".join(candidate.summary.split())
    if not summary or hostile.control(summary) is not None:
        summary = f"The plugin {candidate.name}"
    if len(summary) > MAX_SUMMARY:
        summary = summary[: MAX_SUMMARY - 1].rstrip() + "…"
    return Plugin(
        name=candidate.name,
        summary=summary,
        repository=home,
        license="unknown",
        category="other",
        status=candidate.status,
    )
