"""Python plugins: how they start, and what their source is taken to ask for when nothing is locked."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from reckless.build.interpreters import Interpreter, interpreters, own
from reckless.build.python import choose_interpreter
from reckless.build.python_deps import choose, logical_lines
from reckless.build.python_project import imports_project, read_source
from reckless.errors import BuildError
from tests.build.test_python_locks import markers
from tests.build.workshop import PYTHON, ask, path_with, uv_folder, without


def run(shop, files, **more) -> str:
    """Build and run an entrypoint from another folder; return what it prints."""
    job = shop.job(files, **more)
    built = shop.build(job)
    return subprocess.check_output([job.tree / built.entrypoint], text=True, cwd="/", env={"PATH": "/usr/bin:/bin"})


@pytest.fixture
def shop(workshop):
    return workshop("python", path=path_with(uv_folder()))


PLACES = """#!/usr/bin/env -S uv run --script
import os, sys
import sibling
print(__name__, __file__ == os.path.realpath(__file__), os.path.basename(__file__), sys.argv[0] == __file__)
print(sys.path[0] == os.path.dirname(__file__), open(os.path.join(os.path.dirname(__file__), "data.txt")).read())
print(sorted(n for n in globals() if not n.startswith("__")))
print(sys.flags.no_user_site, sys.prefix != sys.base_prefix)
"""


def test_a_script_starts_as_if_it_were_run_itself(shop):
    files = {"sub/my-plugin.py": PLACES, "sub/sibling.py": "", "sub/data.txt": "data"}
    said = run(shop, files, subdir="sub", entrypoint="my-plugin.py").splitlines()
    assert said == [
        "__main__ True my-plugin.py True",
        "True data",
        "['os', 'sibling', 'sys']",
        "1 True",
    ]


@pytest.mark.parametrize("name", ["plugin", "c-lightning-plugin.py", "bin/plugin.py"])
def test_its_byte_code_is_there_before_the_first_start(shop, name):
    job = shop.job({name: PYTHON, f"{Path(name).parent}/sibling.py": "x = 1\n"}, entrypoint=name)
    shop.build(job)
    kept = {f.name.split(".")[0] for f in (job.src / name).parent.glob("__pycache__/*.pyc")}
    assert len(kept) == 2, "the entrypoint's and its sibling's"


def test_files_that_do_not_compile_are_tolerated(shop):
    job = shop.job({"plugin.py": PYTHON, "template.py": "{{ not python }}", "two.py": "print 1\n"})
    ask(job.tree / shop.build(job).entrypoint)


def test_multiprocessing_spawns(shop):
    script = """
import multiprocessing as mp
def work(n):
    return n * 2
if __name__ == "__main__":
    with mp.get_context("spawn").Pool(1) as pool:
        print(pool.map(work, [21]))
"""
    assert run(shop, {"plugin.py": script}) == "[42]\n"


def test_a_long_path_and_its_shebang(shop):
    deep = "/".join(["d" * 40] * 5)
    job = shop.job({"plugin.py": PYTHON}, tree=deep)
    built = shop.build(job)
    assert (job.tree / built.entrypoint).read_text().startswith("#!/bin/sh\n")
    ask(job.tree / built.entrypoint)


def test_the_users_own_packages_have_no_say(shop, tmp_path):
    intruder = tmp_path / "intruder"
    intruder.mkdir()
    (intruder / "json.py").write_text("raise SystemExit('wrong json')")
    job = shop.job({"plugin.py": PYTHON})
    ask(job.tree / shop.build(job).entrypoint, env={"PYTHONPATH": str(intruder), "PYTHONSTARTUP": "/nonexistent"})


def test_a_function_of_a_module(shop):
    package = {
        "src/pack/__init__.py": "",
        "src/pack/run.py": "class A:\n    @staticmethod\n    def main():\n        print('up')\n",
    }
    assert run(shop, package, entrypoint="pack.run:A.main", name="the-name") == "up\n"
    assert (shop.root / "tree/bin/the-name").exists()


def test_a_wheel_that_was_unpacked_runs_where_it_is(shop):
    files = {
        "pack-1.2.dist-info/METADATA": "Metadata-Version: 2.1\nName: pack\nVersion: 1.2\nRequires-Python: >=3.8\n",
        "pack/__init__.py": "",
        "pack/run.py": "import importlib.metadata as m\ndef main():\n    print(m.version('pack'))\n",
    }
    assert run(shop, files, entrypoint="pack.run:main") == "1.2\n"


SETUPTOOLS = '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'


@pytest.mark.slow
@pytest.mark.parametrize("with_uv", [True, False])
def test_a_project_that_is_a_package_is_installed(workshop, with_uv, python_cache):
    shop = workshop("python", path=path_with(uv_folder()) if with_uv else without("uv"), cache=python_cache)
    files = {
        "pyproject.toml": SETUPTOOLS + '[project]\nname = "pack"\nversion = "1.2"\n',
        "src/pack/__init__.py": "",
        "src/pack/run.py": "import importlib.metadata as m\ndef main():\n    print(m.version('pack'))\n",
        "plugin.py": "import pack.run\npack.run.main()\n",
    }
    assert run(shop, files, entrypoint="pack.run:main") == "1.2\n"
    assert run(shop, files, entrypoint="plugin.py", tree="other") == "1.2\n"


def test_an_entrypoint_that_is_not_there(shop):
    with pytest.raises(BuildError) as e:
        shop.build(shop.job({"other.py": PYTHON}))
    assert e.value.code == "entrypoint-missing"
    assert "other.py" in e.value.hint


def test_an_entrypoint_that_is_a_link_out_of_the_source(shop):
    job = shop.job({"other.py": PYTHON})
    (job.src / "plugin.py").symlink_to("/etc/passwd")
    with pytest.raises(BuildError) as e:
        shop.build(job)
    assert e.value.code == "entrypoint-outside"


def test_no_python_fits(shop):
    project = {"plugin.py": PYTHON, "pyproject.toml": '[project]\nname = "a"\nrequires-python = ">=3.99"\n'}
    with pytest.raises(BuildError) as e:
        shop.build(shop.job(project))
    assert e.value.code == "toolchain-missing"
    assert ">=3.99" in e.value.message
    assert "uv python install 3.99" in e.value.hint


def test_the_interpreter_outside_the_tree_is_told(shop):
    built = shop.build(shop.job({"plugin.py": PYTHON}))
    assert built.interpreter in {str(i.path) for i in interpreters()}


@pytest.mark.slow
def test_without_uv_the_interpreter_outside_the_tree_is_told_too(workshop, python_cache):
    shop = workshop("python", path=without("uv"), cache=python_cache)
    built = shop.build(shop.job({"plugin.py": PYTHON}))
    assert os.path.realpath(built.interpreter) in {os.path.realpath(i.path) for i in interpreters()}


def found(*versions: str) -> list[Interpreter]:
    return [Interpreter(path=Path(f"/opt/python{v}"), version=Version(v)) for v in versions]


def test_which_interpreter_is_taken():
    def take(available, *asked):
        chosen = choose_interpreter(available, [SpecifierSet(a) for a in asked])
        return str(chosen.version) if chosen else None

    assert take(found("3.12.1", "3.10.2"), "") == "3.12.1"
    assert take(found("3.12.1", "3.10.2"), ">=3.9", "<3.12") == "3.10.2"
    assert take(found("3.12.1"), ">=3.13") is None
    assert take(found("3.15.0rc1", "3.10.2"), ">=3.9") == "3.10.2"
    assert take(found("3.15.0rc1", "3.10.2"), ">=3.14") == "3.15.0rc1"
    mine = replace(found("3.11.2")[0], path=own())
    assert take([*found("3.13.1"), mine], ">=3.9") == "3.11.2", "the one that reckless runs on"
    system = replace(found("3.11.2")[0], path=Path("/usr/bin/python3.11"))
    assert take([*found("3.13.1"), system], ">=3.9") == "3.11.2", "the system's"


INLINE = '# /// script\n# requires-python = ">=3.9"\n# dependencies = [\n#   "inline>=1",\n# ]\n# ///\n' + PYTHON
POETRY = """
[tool.poetry]
name = "a"
[tool.poetry.dependencies]
python = "^3.7"
plain = "1.2"
numpy = [{ version = "^1.24", python = ">=3.8,<3.12" }, { version = "^2", python = ">=3.12" }]
extra = { version = "*", extras = ["x", "y"] }
never = { version = "*", optional = true }
windows = { version = "*", markers = "sys_platform == 'win32'" }
code = { git = "https://git.example/x", rev = "abc" }
[build-system]
requires = ["poetry-core"]
"""
PROJECT = '[project]\nname = "a"\n'
READS = '[tool.setuptools.dynamic]\ndependencies = { file = ["reqs.in"] }\n'
DYNAMIC = '[project]\nname = "a"\nversion = "1"\ndynamic = ["dependencies"]\n'
METADATA = "Metadata-Version: 2.1\nName: a\nVersion: 1\nRequires-Python: >=3.8\n"
METADATA += "Requires-Dist: one>=1\nRequires-Dist: two; extra == 'x'\n\nAbout it.\n"
ASKS = {
    "nothing": ({}, "nothing", []),
    "requirements.txt without its last newline": (
        {"requirements.txt": "six", "requirements-dev.txt": "pytest"},
        "requirements.txt",
        None,
    ),
    "requirements.txt before the rest": (
        {"requirements.txt": "six\n", "pyproject.toml": POETRY, "plugin.py": INLINE},
        "requirements.txt",
        None,
    ),
    "a project": (
        {"pyproject.toml": PROJECT + 'dependencies = ["one>=1", "two"]\n', "plugin.py": INLINE},
        "pyproject.toml",
        ["one>=1", "two"],
    ),
    "a project that asks for nothing, and a script that does": (
        {"pyproject.toml": PROJECT, "plugin.py": INLINE},
        "plugin.py itself",
        ["inline>=1"],
    ),
    "settings of tools only": (
        {"pyproject.toml": "[tool.black]\nx = 1\n", "plugin.py": INLINE},
        "plugin.py itself",
        ["inline>=1"],
    ),
    "inline": ({"plugin.py": INLINE}, "plugin.py itself", ["inline>=1"]),
    "inline with the line ends of Windows": (
        {"plugin.py": INLINE.replace("\n", "\r\n")},
        "plugin.py itself",
        ["inline>=1"],
    ),
    "poetry": (
        {"pyproject.toml": POETRY},
        "pyproject.toml",
        ["plain==1.2", "numpy<3,>=2", "extra[x,y]", "code @ git+https://git.example/x@abc"],
    ),
    "setuptools reading a file": (
        {"pyproject.toml": DYNAMIC + READS, "reqs.in": "one # why\n\n# no\ntwo"},
        "pyproject.toml",
        ["one", "two"],
    ),
    "only its own build can tell": ({"pyproject.toml": DYNAMIC + SETUPTOOLS}, "pyproject.toml", ["file://SRC"]),
    "a wheel that was unpacked": (
        {"a-1.dist-info/METADATA": METADATA},
        "the wheel's metadata",
        ["one>=1", "two; extra == 'x'"],
    ),
    "setup.py": ({"setup.py": "import setuptools; setuptools.setup()\n"}, "pyproject.toml", ["file://SRC"]),
}


@pytest.mark.parametrize("case", ASKS)
def test_what_an_unlocked_source_asks_for(workshop, case):
    files, origin, wanted = ASKS[case]
    job = workshop("python").job({"plugin.py": PYTHON, **files})
    asked = choose(job, read_source(job.src, job.src / "plugin.py"), markers("3.12.1"), lambda _: None)
    assert asked.origin == origin
    assert not asked.hashed
    if wanted is None:
        assert asked.file == job.src / "requirements.txt"
    else:
        assert asked.text.split("\n")[:-1] == [w.replace("file://SRC", job.src.as_uri()) for w in wanted]


@pytest.mark.slow
@pytest.mark.parametrize("with_uv", [True, False])
def test_an_unlocked_source_is_installed_and_said_to_be_unpinned(workshop, with_uv, python_cache):
    shop = workshop("python", path=path_with(uv_folder()) if with_uv else without("uv"), cache=python_cache)
    job = shop.job(
        {"plugin.py": "import mdurl\n" + PYTHON, "requirements.txt": "-r more.txt", "more.txt": "mdurl>=0.1"}
    )
    built = shop.build(job)
    ask(job.tree / built.entrypoint)
    assert "no lock" in built.notes[0]
    assert "requirements.txt" in built.notes[0]


@pytest.mark.slow
@pytest.mark.parametrize("with_uv", [True, False])
def test_a_network_that_is_down_is_said_to_be(workshop, with_uv):
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "1", "UV_HTTP_RETRIES": "0"}
    shop = workshop("python", path=path_with(uv_folder()) if with_uv else without("uv"), env=nowhere)
    with pytest.raises(BuildError) as e:
        shop.build(shop.job({"plugin.py": PYTHON, "requirements.txt": "mdurl\n"}))
    assert e.value.code == "build-failed"
    assert "network" in e.value.message


def test_a_tree_that_cannot_be_written(shop):
    job = shop.job({"plugin.py": PYTHON})
    job.log.mkdir()
    with pytest.raises(BuildError) as e:
        shop.build(job)
    assert e.value.code == "build-failed"


@pytest.mark.parametrize(
    ("files", "word"),
    [
        ({"pyproject.toml": "project = = 3"}, "pyproject.toml"),
        ({"pyproject.toml": "[project]\nname = 3\n"}, "name"),
        ({"pyproject.toml": '[tool.poetry]\n[tool.poetry.dependencies]\na = "^x"\n'}, "^x"),
        ({"plugin.py": "# /// script\n# dependencies = 3\n# ///\n"}, "PEP 723"),
        ({"plugin.py": 2 * "# /// script\n# dependencies = []\n# ///\n\n"}, "several"),
    ],
)
def test_a_source_that_cannot_be_read_is_refused_clearly(shop, files, word):
    with pytest.raises(BuildError) as e:
        shop.build(shop.job({"plugin.py": PYTHON, **files}))
    assert e.value.code == "build-failed"
    assert word in e.value.message


def test_a_project_is_installed_only_where_the_script_imports_it(tmp_path):
    def needs(files: dict[str, str]) -> bool:
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        return imports_project(read_source(folder, folder / "plugin.py"))

    project = {"pyproject.toml": SETUPTOOLS + '[project]\nname = "pack"\nversion = "1"\n'}
    assert not needs({**project, "plugin.py": "import os"}), "a script beside a pyproject.toml that has no package"
    assert not needs({**project, "plugin.py": "import pack", "pack/__init__.py": ""}), "found beside it anyway"
    assert needs({**project, "plugin.py": "from pack.a import b", "src/pack/__init__.py": ""})
    assert not needs({"plugin.py": "import pack", "src/pack/__init__.py": ""}), "not a project"
    assert not needs({**project, "plugin.py": "not python !", "src/pack/__init__.py": ""})


def test_requirements_are_read_line_by_line():
    assert logical_lines("a==1 \\\n  --hash=x\n# no\nb # why\n\n-r c#d") == ["a==1    --hash=x", "b", "-r c#d"]
