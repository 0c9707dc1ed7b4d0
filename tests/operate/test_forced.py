"""What a folder or branch holds now takes the place of what is installed, whatever its version, if others allow it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from reckless.errors import ResolutionError
from reckless.model.followed import Followed
from reckless.model.machine import Machine
from reckless.model.manifest import Build, Dependency, GitSource, Manifest, Plugin, Release
from reckless.model.state import Entry, Receipt, receipt_to_json
from reckless.operate.forced import force
from reckless.operate.target import Target
from reckless.operate.unvouched import One
from reckless.resolve.problem import Installed, Problem, Resolution, Wanted
from reckless.resolve.solver import resolve
from reckless.store.layout import Layout
from reckless.store.store import Store

BRANCH = Followed(kind="branch", place="https://example.com/a", commit="1" * 40, content="1" * 40)


def one(version: str, content: str = "2" * 40, **more: object) -> One:
    source = GitSource(git="https://example.com/a", rev=content)
    release = Release(version=Version(version), source=source, build=Build(language="script", entrypoint="a"), **more)
    plugin = Plugin(name="a", summary="a", repository="https://example.com/a", license="MIT", category="other")
    followed = replace(BRANCH, commit=content, content=content)
    return One("https://example.com/a", Manifest(plugin=plugin, releases=(release,)), followed, ())


def answer(tmp_path: Path, there: One, here: str = "1.0", *others: Installed, unasked: bool = False) -> Resolution:
    entry = Entry(name="a", version=here, tree="t", entrypoint="a", origin="x", requested=not unasked, followed=BRANCH)
    target = Target(name="a", one=there, unasked=unasked)
    forced = force(Store(Layout(tmp_path)), {"a": there}, {"a": entry})
    problem = Problem(
        wanted=(Wanted(name="a", specifier=forced.bounds["a"]),),
        installed={"a": Installed(name="a", version=Version(here), requested=not unasked)}
        | {i.name: i for i in others},
        manifests=dict(forced.manifests),
        machine=Machine(os="linux", arch="x86_64", libc="gnu"),
    )
    return forced.unlabelled(resolve(problem), [target], {"a": entry})


@pytest.mark.parametrize(
    ("here", "there", "kind"),
    [
        ("1.0", "1.0", "upgrade"),
        ("1.0", "1.1", "upgrade"),
        ("1.0", "0.9", "downgrade"),
        ("1.0", "2.0.dev1", "upgrade"),
        ("2.0.dev1", "2.0.dev1", "upgrade"),
        ("1.0+zzz", "1.0+aaa", "downgrade"),
        ("1.0+abc", "1.0+abc", "upgrade"),
    ],
)
def test_it_moves_whatever_the_versions_are(tmp_path, here, there, kind):
    (choice,) = answer(tmp_path, one(there), here).choices
    assert choice.kind == kind
    assert choice.version == Version(there)
    assert choice.release == one(there).manifest.releases[0]
    assert choice.requested


def test_what_came_as_a_dependency_stays_one(tmp_path):
    needs = Installed(name="b", version=Version("1"), depends=(Dependency(name="a"),))
    choices = {c.name: c for c in answer(tmp_path, one("1.1"), "1.0", needs, unasked=True).choices}
    assert choices["a"].kind == "upgrade"
    assert not choices["a"].requested


def test_bounds_of_others_hold(tmp_path):
    bounds = Dependency(name="a", specifier=SpecifierSet(">=1,<2"))
    needs = Installed(name="b", version=Version("1"), depends=(bounds,))
    assert answer(tmp_path, one("1.5"), "1.0", needs).choices[0].version == Version("1.5")
    for version in ("0.9", "2.0"):
        with pytest.raises(ResolutionError) as e:
            answer(tmp_path, one(version), "1.0", needs)
        assert "b 1 (installed) depends on a>=1,<2" in e.value.message


def test_what_is_installed_as_it_is_there_is_not_forced(tmp_path):
    store = Store(Layout(tmp_path))
    (store.layout.tree("a", "t")).mkdir(parents=True)
    entry = Entry(name="a", version="1.0", tree="t", entrypoint="a", origin="x", followed=BRANCH)
    same = one("1.0", content=BRANCH.content)
    assert force(store, {"a": same}, {"a": entry}).manifests, "its tree is not whole"
    (store.layout.tree("a", "t") / "a").touch(mode=0o755)
    receipt = Receipt(name="a", version="1.0", digest="", origin="", source="", language="script", entrypoint="a")
    store.layout.receipt("a", "t").write_text(json.dumps(receipt_to_json(receipt)))
    assert not force(store, {"a": same}, {"a": entry}).manifests
    tagged = replace(entry, followed=replace(BRANCH, kind="tag", ref="v1"))
    assert force(store, {"a": same}, {"a": tagged}).manifests, "it was asked for in another way"
    assert force(store, {"a": one("1.0")}, {"a": entry}).manifests, "it has changed"
