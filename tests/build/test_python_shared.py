"""Environments that several trees share: as long as nothing changes that decides on what is in them."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest

from reckless.build.interpreters import interpreters
from reckless.build.python_project import read_source
from reckless.build.python_shared import is_in_use, shared_place
from tests.build.workshop import PYTHON, ask, path_with, uv_folder

PROJECT = '[project]\nname = "a"\nversion = "1"\ndependencies = ["six"]\n'
PACKAGE = PROJECT + '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
INLINE = '# /// script\n# dependencies = ["six"]\n# ///\n'


@pytest.fixture
def place(workshop):
    """Where the environment of a plugin with these files may be shared; None: nowhere."""
    shop, here, count = workshop("python"), interpreters()[0], iter(range(100))

    def call(files, *, uv=True, interpreter=here, shared=True, **more):
        job = shop.job({"plugin.py": PYTHON, **files}, tree=f"tree-{next(count)}", **more)
        job = replace(job, shared=shop.root / "shared" if shared else None)
        source = read_source(job.src, job.src / "plugin.py")
        return shared_place(job, source, interpreter, shop.root / "uv" if uv else None)

    return call


def test_what_does_not_decide_on_the_packages_changes_nothing(place):
    first = place({"requirements.txt": "six\n", "helper.py": "1"})
    assert first.name.startswith("env.")
    assert place({"requirements.txt": "six\n", "helper.py": "2", "more.py": ""}) == first
    assert place({}) is not None, "no packages at all are easily shared"


@pytest.mark.parametrize(
    ("files", "more"),
    [
        ({"requirements.txt": "six>=1\n"}, {}),
        ({}, {}),
        ({"requirements.txt": "six\n"}, {"uv": False}),
        ({"requirements.txt": "six\n", "pyproject.toml": PROJECT}, {"lock": "requirements.txt"}),
        ({"pyproject.toml": PROJECT}, {}),
        ({"plugin.py": INLINE + PYTHON}, {}),
    ],
)
def test_whatever_decides_on_them_does(place, files, more):
    assert place(files, **more) not in (None, place({"requirements.txt": "six\n"}))


def test_another_interpreter_has_another(place):
    other = replace(interpreters()[0], path=interpreters()[0].path.with_name("python-of-another-name"))
    assert place({}, interpreter=other) not in (None, place({}))


@pytest.mark.parametrize("lock", ["uv.lock", "hashed.txt"])
def test_a_lock_decides_with_its_project(place, lock):
    first = place({lock: "six==1.16", "pyproject.toml": PROJECT}, lock=lock)
    assert place({lock: "six==1.16", "pyproject.toml": PROJECT}, lock=lock) == first
    assert place({lock: "six==1.17", "pyproject.toml": PROJECT}, lock=lock) != first
    assert place({lock: "six==1.16", "pyproject.toml": PROJECT + "# x"}, lock=lock) != first


@pytest.mark.parametrize(
    "files",
    [
        {"requirements.txt": "-r more.txt\n"},
        {"requirements.txt": "-e .\n"},
        {"requirements.txt": "./lib\n"},
        {"requirements.txt": "lib @ file:///srv/lib\n"},
        {"pyproject.toml": PROJECT + '[tool.uv.sources]\nsix = { path = "../six" }\n'},
        {"pyproject.toml": '[project]\nname = "a"\ndynamic = ["version", "dependencies"]\n'},
        {"pyproject.toml": PACKAGE, "src/a/__init__.py": "", "plugin.py": "import a\n" + PYTHON},
    ],
)
def test_where_more_decides_than_can_be_seen_each_tree_has_its_own(place, files):
    assert place(files) is None


def test_only_where_it_is_asked_for(place):
    assert place({}, shared=False) is None


def test_trees_of_one_plugin_share_it_and_the_plugin_runs(workshop):
    shop = workshop("python", path=path_with(uv_folder()))
    built = []
    for n in range(3):
        job = replace(shop.job({"plugin.py": PYTHON + f"# {n}\n"}, tree=f"trees/{n}"), shared=shop.root / "trees")
        built.append((job, shop.build(job)))
        assert ask(job.tree / built[-1][1].entrypoint)["rpcmethods"][0]["name"] == "hello"
        (job.tree / "receipt.json").touch()
    links = {job.tree.joinpath("env").readlink() for job, _ in built}
    assert len(links) == 1
    assert len(list((shop.root / "trees").glob("env.*"))) == 1
    assert all("uv venv" not in job.log.read_text() for job, _ in built[1:])
    shutil.rmtree(built[0][0].tree)
    job, last = built[2]
    assert ask(job.tree / last.entrypoint)["rpcmethods"][0]["name"] == "hello", "whichever tree was first"


def test_one_that_no_sealed_tree_has_is_made_again(workshop):
    """The disk may have had only half of it when the power went."""
    shop = workshop("python", path=path_with(uv_folder()))
    job = replace(shop.job({"plugin.py": PYTHON}, tree="trees/1"), shared=shop.root / "trees")
    shop.build(job)
    (place,) = (shop.root / "trees").glob("env.*")
    assert not is_in_use(place)
    (place / "half").touch()
    job = replace(shop.job({"plugin.py": PYTHON}, tree="trees/2"), shared=shop.root / "trees")
    shop.build(job)
    assert not (place / "half").exists()
    (job.tree / "receipt.json").touch()
    assert is_in_use(place)
