"""Why nothing fits, as an error that a person can act on: a code, sentences, and what would help."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import replace
from itertools import takewhile

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from reckless.errors import ResolutionError
from reckless.model.targets import fitting_binary
from reckless.model.versions import lightningd_fits
from reckless.resolve.blame import blame
from reckless.resolve.effort import TO_ANSWER, Effort
from reckless.resolve.ground import FAULTS, Fault, Ground
from reckless.resolve.problem import Wanted
from reckless.resolve.removal import together
from reckless.resolve.story import Story, missing_text
from reckless.resolve.words import bounds_text, lightningd_text, listed, toolchain_install_text, toolchain_text
from reckless.resolve.world import Assumptions, Candidate, Fact, FactKind, World

MANY_SENTENCES = 10
MANY_HINTS = 3
MANY_TRIALS = 5
_NOT_ALL = "more is in the way than this; to begin with: "
_FAR_OFF = Version("9999")
_FAULT_CODES: dict[Fault, str] = {
    "lightningd": "not-for-this-lightningd",
    "toolchain": "toolchain-missing",
    "machine": "not-for-this-machine",
    "yanked": "yanked",
    "prerelease": "no-such-version",
}
# What would help, the easiest first.
_EASE: tuple[FactKind, ...] = (
    "pinned",
    "frozen",
    "older",
    "fault",
    "here",
    "wanted",
    "missing",
    "depends",
    "conflicts",
)


def explain(ground: Ground, given: Assumptions, effort: Effort) -> ResolutionError:
    """Return the error for a problem that has no answer."""
    unknown = [n for n in sorted(ground.wanted) if Fact("missing", n) in World(ground, Assumptions()).facts()]
    if len(unknown) > 1:
        return _unknown(ground, unknown)
    return _error(Story(ground, given, blame(ground, given, effort)), effort)


def why_not(ground: Ground, given: Assumptions, effort: Effort) -> list[str]:
    """Say in sentences why these assumptions leave no answer; nothing where there is one, or nobody knows."""
    facts = blame(ground, given, effort)
    return Story(ground, given, facts).sentences() if facts else []


def too_hard() -> ResolutionError:
    """Return the error for a problem that was given up."""
    return ResolutionError(
        "too-hard",
        f"Too many releases exclude each other: {TO_ANSWER} attempts did not show whether any set of them fits.",
        "ask for fewer plugins at a time, or for exact versions, as in `reckless install NAME==VERSION`",
    )


def held_back(world: World, answer: dict[str, Candidate], name: str, effort: Effort) -> str:
    """Say why `name` did not get its newest release; empty where it did, or where nobody knows.

    What was decided before it, and moves, is taken as given. Where that does not explain it, everything else is too.
    """
    ground, given = world.ground, world.given
    newest = _newest(ground, name)
    if newest is None or answer[name].kind == "builtin" or answer[name].version >= newest:
        return ""
    problem = ground.problem
    wish = Wanted(name=name, specifier=SpecifierSet(f"=={newest}"))
    supposed = Ground(replace(problem, wanted=(*problem.wanted, wish)))
    earlier = takewhile(lambda n: n != name, given.targets)
    moving = {n: given.targets[n] for n in earlier if n in answer and answer[n].kind == "release"}
    others = {n: v for n, v in given.targets.items() if n != name}
    unusable = tuple(Fact("fault", name, detail=f) for f in supposed.faults(name)[newest])
    for assumptions in (Assumptions(targets=moving), Assumptions(frozen=given.frozen - {name}, targets=others)):
        facts = (Fact("wanted", name), *unusable) if unusable else blame(supposed, assumptions, effort)
        if facts:
            return _message(Story(supposed, assumptions, facts, assumed=name).sentences())
    return ""


def _newest(ground: Ground, name: str) -> Version | None:
    bounds = ground.wanted.get(name, ())
    return next(
        (
            r.version
            for r in ground.releases(name)
            if not {"yanked", "prerelease"} & set(ground.faults(name)[r.version])
            and all(s.contains(r.version, prereleases=True) for s in bounds)
        ),
        None,
    )


def _error(story: Story, effort: Effort) -> ResolutionError:
    sentences = story.sentences()
    detail = " ".join(sentences) if len(sentences) > MANY_SENTENCES else ""
    return ResolutionError(_code(story), _message(sentences), _hint(story, effort), detail=detail)


def _message(sentences: list[str]) -> str:
    shown = sentences[:MANY_SENTENCES]
    more = len(sentences) - len(shown)
    return " ".join([*shown, *([f"And {more} more of the kind."] if more else [])])


def _unknown(ground: Ground, names: list[str]) -> ResolutionError:
    hints = [h for n in names for h in _near(ground, n)]
    message = " ".join(missing_text(ground, n) for n in names)
    return ResolutionError("no-such-plugin", message, "; ".join(hints) or _LOOK)


_LOOK = "`reckless search WORD` looks through all plugins"


def _code(story: Story) -> str:
    kinds = {f.kind for f in story.facts}
    if "pinned" in kinds:
        return "pinned"
    if kinds & {"conflicts", "frozen", "older"} or story.crowded():
        return "conflict"
    for fault in FAULTS:
        if any(f.kind == "fault" and f.detail == fault for f in story.facts):
            return _FAULT_CODES[fault]
    missing = [f.name for f in story.facts if f.kind == "missing"]
    if any(n in story.ground.problem.builtins for n in missing):
        return "not-for-this-lightningd"
    return "no-such-plugin" if missing else "no-such-version"


def _hint(story: Story, effort: Effort) -> str:
    """Say what would help: what is enough by itself where there is such a thing, else what is needed in any case."""
    facts = sorted(story.facts, key=lambda f: _EASE.index(f.kind))
    hints = {f: list(_help(story, f, effort)) for f in facts}
    helpful = [f for f in facts if hints[f]]
    enough = [f for f in helpful if _enough(story.ground, f, effort)]
    shown = list(dict.fromkeys(h for f in enough or helpful for h in hints[f]))[:MANY_HINTS]
    if shown:
        return ("" if enough else _NOT_ALL) + ", or ".join(shown)
    name = next((f.name for kind in ("depends", "wanted") for f in story.facts if f.kind == kind), "NAME")
    return f"`reckless info {name}` shows its releases and what they need"


def _enough(ground: Ground, fact: Fact, effort: Effort) -> bool:
    """Say whether there is an answer once a person has done what gets rid of this fact, and nothing else."""
    from reckless.resolve.search import find

    problem, name = ground.problem, fact.name
    if fact.kind == "wanted":
        rest = tuple(w for w in problem.wanted if w.name != name)
        then = World(Ground(replace(problem, wanted=rest)), Assumptions())
    elif fact.kind == "here":
        gone = together(problem.installed, [name])  # whoever needs it has to go too, and cannot be of use any more
        left = {n: i for n, i in problem.installed.items() if n not in gone}
        then = World(Ground(replace(problem, installed=left)), Assumptions())
    elif fact.kind == "fault":
        then = World(Ground(problem, overlooked=frozenset({(name, fact.detail)})), Assumptions())
    else:
        then = World(ground, Assumptions(ignored=frozenset({fact})))
    return find(then, effort) is not None


def _help(story: Story, fact: Fact, effort: Effort) -> Iterator[str]:
    """Say what would make this fact go away; each is enough by itself."""
    name = fact.name
    if fact.kind == "pinned":
        yield f"`reckless unpin {name}`"
    elif fact.kind == "frozen":
        yield f"`reckless upgrade {name}`"
    elif fact.kind == "older":
        here = story.ground.problem.installed[name].version
        yield from _exactly(story, name, [r.version for r in story.ground.releases(name) if r.version < here], effort)
    elif fact.kind == "here":
        yield f"`reckless uninstall {' '.join(together(story.ground.problem.installed, [name]))}`"
    elif fact.kind == "wanted" and len(story.ground.wanted) > 1:
        yield f"leave out {name}"
    elif fact.kind == "missing":
        adding = f"`reckless source add URL` brings in a source that has {name}"
        asked = name in story.ground.wanted or name in story.ground.problem.builtins
        yield from (_near(story.ground, name) or [_LOOK]) if asked else [adding]
    elif fact.kind == "fault":
        yield from _help_fault(story, fact, effort)


def _help_fault(story: Story, fact: Fact, effort: Effort) -> Iterator[str]:
    name = fact.name
    if fact.detail == "lightningd":
        yield from _better_lightningd(story, name)
    if fact.detail in {"toolchain", "machine"} and name in story.ground.problem.from_source:
        yield from _ready_made(story, fact)
    if fact.detail == "toolchain":
        for release in story.faulty(name, "toolchain")[:1]:
            language, bounds = release.build.language, bounds_text(release.build.toolchain)
            what = f"{toolchain_text(language)} {bounds}".strip()
            programs = toolchain_install_text(language)
            yield f"install {what}" + ("" if programs.lower() == toolchain_text(language).lower() else f" ({programs})")
    if fact.detail in {"yanked", "prerelease"}:
        fault: Fault = "yanked" if fact.detail == "yanked" else "prerelease"
        takes = _exactly(story, name, [r.version for r in story.faulty(name, fault)], effort)
        yield from (f"{command} takes it all the same" for command in takes)


def _ready_made(story: Story, fact: Fact) -> Iterator[str]:
    """Name the command that takes what came ready-made after all, where it fits this machine."""
    fault: Fault = "toolchain" if fact.detail == "toolchain" else "machine"
    problem = story.ground.problem
    if any(fitting_binary(release, problem.machine) for release in story.faulty(fact.name, fault)):
        yield f"`reckless install --prebuilt {fact.name}` takes the ready-made program"


def _better_lightningd(story: Story, name: str) -> Iterator[str]:
    """Name the oldest newer lightningd that the newest release to have one fits."""
    now = story.ground.problem.lightningd
    for release in story.faulty(name, "lightningd"):
        bounds = [Version(s.version) for s in release.cln if s.operator in {">=", "~="}]
        newer = sorted(v for v in bounds if now and v > now and lightningd_fits(release.cln, v))
        if newer:
            open_ended = lightningd_fits(release.cln, _FAR_OFF)
            better = f"{lightningd_text(newer[0])} or newer" if open_ended else f"one within {bounds_text(release.cln)}"
            yield f"upgrade lightningd to {better}"
            return
    yield f"ask its author for a release that fits this lightningd (`reckless info {name}` shows where)"


def _exactly(story: Story, name: str, versions: list[Version], effort: Effort) -> Iterator[str]:
    """Name the newest of these versions that, asked for by itself, leads to an answer."""
    from reckless.resolve.search import find

    problem = story.ground.problem
    for version in [v for v in versions if story.would_do(name, v)][:MANY_TRIALS]:
        wish = Wanted(name=name, specifier=SpecifierSet(f"=={version}"))
        supposed = Ground(replace(problem, wanted=(*problem.wanted, wish)))
        if find(World(supposed, Assumptions()), effort):
            yield f"`reckless install {name}=={version}`"
            return


def _near(ground: Ground, name: str) -> list[str]:
    problem = ground.problem
    if name in problem.builtins:
        since = problem.builtins[name].since
        newer = problem.lightningd is not None and problem.lightningd < since
        return [f"upgrade lightningd to {lightningd_text(since)} or newer"] if newer else []
    known = {*problem.known, *problem.manifests, *problem.builtins, *problem.installed} - {name}
    near = difflib.get_close_matches(name, sorted(known), n=3, cutoff=0.6)
    return [f"did you mean {listed(near, 'or')}?"] if near else []
