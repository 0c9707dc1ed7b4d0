"""Locks: each kind pins the same bytes, with uv and without, wherever the lock itself says that they come from.

The locks in `locks/` were made by uv, Poetry 1.8 and Poetry 2 for one small project; their addresses lead nowhere.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import msgspec
import pytest

from reckless.build.pins import LockError, Pin, PyLock, UvLock, lines, pylock_pins, uv_pins
from reckless.build.poetry import PoetryLock, pins, specifiers
from reckless.errors import BuildError
from reckless.model.manifest import ShippedLock
from tests.build.workshop import PYTHON, ask, path_with, uv_folder, without

LOCKS = Path(__file__).parent / "locks"
USES = "import click, linkify_it, markdown_it\n" + PYTHON
PINNED = {"click", "linkify-it-py", "markdown-it-py", "mdurl"}
KINDS = {
    "uv.lock": {"pyproject.toml": "project.toml", "uv.lock": "uv.lock"},
    "pylock.plugin.toml": {"pylock.plugin.toml": "pylock.toml"},
    "poetry.lock": {"pyproject.toml": "project.toml", "poetry.lock": "poetry-2.lock"},
    "poetry.lock of 1.8": {"pyproject.toml": "poetry-1.toml", "poetry.lock": "poetry-1.lock"},
    "locked.txt": {"locked.txt": "hashed.txt"},
}


def markers(python: str = "3.12.1", platform: str = "linux") -> dict[str, str]:
    system, name = {"linux": ("Linux", "posix"), "win32": ("Windows", "nt")}[platform]
    return {
        "implementation_name": "cpython", "implementation_version": python, "os_name": name,
        "platform_machine": "x86_64", "platform_python_implementation": "CPython", "platform_release": "6",
        "platform_system": system, "platform_version": "1", "python_full_version": python,
        "python_version": ".".join(python.split(".")[:2]), "sys_platform": platform,
    }  # fmt: skip


def files(kind: str) -> dict[str, str]:
    return {name: (LOCKS / source).read_text() for name, source in KINDS[kind].items()} | {"plugin.py": USES}


def freeze(tree: Path) -> set[str]:
    code = "import importlib.metadata as m; print(*(f'{d.name.lower()}=={d.version}' for d in m.distributions()))"
    return set(subprocess.check_output([tree / "env/bin/python", "-I", "-c", code], text=True).split())


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_lock_installs_the_same_with_uv_and_without(workshop, python_cache, kind):
    found = []
    for tree, path in (("with", path_with(uv_folder())), ("without", without("uv"))):
        shop = workshop("python", path=path, cache=python_cache)
        job = shop.job(files(kind), lock=kind.split()[0], tree=tree)
        built = shop.build(job)
        ask(job.tree / built.entrypoint)
        assert built.notes == ()
        assert "--require-hashes" in job.log.read_text()
        found.append(freeze(job.tree))
    assert found[0] == found[1]
    assert {"click==8.1.7", "markdown-it-py==3.0.0"} <= found[0]
    assert {name.partition("==")[0] for name in found[0]} - {"tomli"} == PINNED


@pytest.mark.slow
@pytest.mark.parametrize("with_uv", [True, False])
@pytest.mark.parametrize("shipped", [True, False])
def test_a_wrong_hash_installs_nothing(workshop, with_uv, shipped):
    shop = workshop("python", path=path_with(uv_folder()) if with_uv else without("uv"))
    text = f"click==8.1.7 \\\n    --hash=sha256:{'0' * 64}\n"
    lock = shop.root / "shipped.txt"
    lock.write_text(text)
    more = {"lock": ShippedLock(file="locks/x.txt", sha256="0" * 64), "shipped": lock} if shipped else {"lock": "a.txt"}
    job = shop.job({"plugin.py": USES, "a.txt": text}, **more)
    with pytest.raises(BuildError) as e:
        shop.build(job)
    assert e.value.code == "hash-mismatch"
    assert freeze(job.tree) == set()


@pytest.mark.slow
def test_a_shipped_lock_comes_before_what_the_source_asks_for(workshop):
    shop = workshop("python")
    lock = shop.root / "shipped.txt"
    lock.write_text((LOCKS / "hashed.txt").read_text())
    source = {"plugin.py": USES, "requirements.txt": "no-such-package-at-all\n"}
    job = shop.job(source, lock=ShippedLock(file="locks/x.txt", sha256="0" * 64), shipped=lock)
    ask(job.tree / shop.build(job).entrypoint)


def test_uvs_lock_read_here_is_what_uv_itself_exports():
    lock = msgspec.toml.decode((LOCKS / "uv.lock").read_bytes(), type=UvLock)
    exported = (LOCKS / "hashed.txt").read_text()
    for python, platform in (("3.10.4", "linux"), ("3.12.1", "linux"), ("3.12.1", "win32")):
        found = {p.name: p for p in uv_pins(lock, "locked", markers(python, platform))}
        assert ("tomli" in found) == (python < "3.11")
        assert ("colorama" in found) == (platform == "win32")
        assert "iniconfig" not in found, "the dev group is not for operators"
        for pin in found.values():
            assert f"{pin.name}=={pin.version}" in exported
            assert all(h in exported for h in pin.hashes)


@pytest.mark.parametrize(("lock", "project"), [("poetry-1.lock", "poetry-1.toml"), ("poetry-2.lock", "project.toml")])
def test_poetrys_locks_read_here_are_what_uv_locks(lock, project):
    from reckless.build.poetry import Wanted

    theirs = msgspec.toml.decode((LOCKS / lock).read_bytes(), type=PoetryLock)
    uv = msgspec.toml.decode((LOCKS / "uv.lock").read_bytes(), type=UvLock)
    wanted = {
        "markdown-it-py": Wanted(version="^3.0.0", extras=["linkify"]),
        "click": "8.1.7",
        "tomli": [Wanted(version="2.0.1", python="<3.11")],
    }
    for python, platform in (("3.10.4", "linux"), ("3.12.1", "linux"), ("3.12.1", "win32")):
        ours = markers(python, platform)
        assert {p.name for p in pins(theirs, wanted, ours)} == {p.name for p in uv_pins(uv, "locked", ours)}


def test_a_pylock_for_another_environment_is_refused():
    text = 'lock-version = "1.0"\nenvironments = ["sys_platform == \'win32\'"]\n[[packages]]\nname = "x"\n'
    with pytest.raises(LockError, match="none of the environments"):
        pylock_pins(msgspec.toml.decode(text, type=PyLock), markers())


def test_a_pylocks_development_groups_are_left_out():
    text = """
lock-version = "1.0"
default-groups = ["main"]
[[packages]]
name = "used"
version = "1"
marker = "'main' in dependency_groups"
wheels = [{ hashes = { sha256 = "11" } }]
[[packages]]
name = "tests"
version = "1"
marker = "'dev' in dependency_groups or 'docs' in extras"
wheels = [{ hashes = { sha256 = "22" } }]
"""
    assert [p.name for p in pylock_pins(msgspec.toml.decode(text, type=PyLock), markers())] == ["used"]


def test_a_pylock_that_pins_a_package_twice_is_refused():
    one = '[[packages]]\nname = "a"\nversion = "1"\nsdist = { hashes = { sha256 = "11" } }\n'
    with pytest.raises(LockError, match="twice"):
        pylock_pins(msgspec.toml.decode('lock-version = "1.0"\n' + one + one, type=PyLock), markers())


@pytest.mark.slow
def test_a_uv_that_cannot_read_its_lock_does_not_stop_us(workshop, python_cache):
    """The project may want another uv than the user's: its lock is read without it then."""
    shop = workshop("python", path=path_with(uv_folder()), cache=python_cache)
    source = files("uv.lock")
    source["pyproject.toml"] += '\n[tool.uv]\nrequired-version = "==0.0.1"\n'
    job = shop.job(source, lock="uv.lock")
    ask(job.tree / shop.build(job).entrypoint)
    assert "reading it without uv" in job.log.read_text()


def test_one_package_in_two_versions_is_told_apart_by_markers():
    lock = """
version = 1
[[package]]
name = "locked"
source = { virtual = "." }
dependencies = [
  { name = "numpy", version = "1.26", source = { registry = "x" }, marker = "python_full_version < '3.12'" },
  { name = "numpy", version = "2.0", source = { registry = "x" }, marker = "python_full_version >= '3.12'" },
  { name = "other" },
]
[[package]]
name = "other"
version = "1"
source = { registry = "x" }
dependencies = [{ name = "numpy" }]
wheels = [{ hash = "sha256:00" }]
[[package]]
name = "numpy"
version = "1.26"
source = { registry = "x" }
resolution-markers = ["python_full_version < '3.12'"]
wheels = [{ hash = "sha256:11" }]
[[package]]
name = "numpy"
version = "2.0"
source = { registry = "x" }
resolution-markers = ["python_full_version >= '3.12'"]
wheels = [{ hash = "sha256:22" }]
"""
    read = msgspec.toml.decode(lock, type=UvLock)
    assert [(p.name, p.version) for p in uv_pins(read, "locked", markers("3.11.1"))] == [
        ("other", "1"),
        ("numpy", "1.26"),
    ]
    assert [(p.name, p.version) for p in uv_pins(read, "locked", markers("3.12.1"))] == [
        ("other", "1"),
        ("numpy", "2.0"),
    ]


SCRIPT_LOCK = """
version = 1
[manifest]
requirements = [{ name = "click", specifier = ">=8" }]
[[package]]
name = "click"
version = "8.1.7"
source = { registry = "x" }
sdist = { hash = "sha256:33" }
"""


def test_a_scripts_own_lock():
    found = uv_pins(msgspec.toml.decode(SCRIPT_LOCK, type=UvLock), "", markers())
    assert lines(found) == "click==8.1.7 \\\n    --hash=sha256:33\n"


HEAD = 'version = 1\nrequires-python = ">=3.8"\n'


def uv_lock(want: str, source: str = "") -> str:
    package = f'[[package]]\nname = "b"\nversion = "1"\nsource = {{ {source} }}\n' if source else ""
    root = f'[[package]]\nname = "a"\nversion = "1"\nsource = {{ virtual = "." }}\ndependencies = [{{ {want} }}]\n'
    return HEAD + root + package


GIT = f'git = "https://git.example/b?rev=main#{"0" * 40}"'
POETRY = '[[package]]\nname = "b"\nversion = "1"\ngroups = ["main"]\n[package.source]\ntype = "git"\nurl = "x"\n'
PYLOCK = 'lock-version = "1.0"\n[[packages]]\nname = "b"\n[packages.directory]\npath = "b"\n'
UNUSABLE = {
    "git": ("uv.lock", uv_lock('name = "b"', GIT), "git"),
    "a folder": ("uv.lock", uv_lock('name = "b"', 'directory = "b"'), "directory"),
    "format": ("uv.lock", "version = 7\n", "format"),
    "no toml": ("uv.lock", "version = = 1\n", "read"),
    "wrong types": ("uv.lock", 'version = "one"\n', "read"),
    "dangling": ("uv.lock", uv_lock('name = "gone"'), "gone"),
    "bad marker": ("uv.lock", uv_lock('name = "b", marker = "it rains"'), "marker"),
    "another project": ("uv.lock", HEAD, "project"),
    "poetry git": ("poetry.lock", POETRY + '[metadata]\nlock-version = "2.1"\n', "git"),
    "poetry rubbish": ("poetry.lock", "[[package]]\nname = 3\n", "read"),
    "pylock folder": ("pylock.toml", PYLOCK, "b"),
    "pylock new": ("pylock.toml", 'lock-version = "9.0"\n', "9.0"),
    "unknown": ("Cargo.lock", "", "uv.lock"),
}


@pytest.mark.parametrize("case", UNUSABLE)
def test_a_lock_that_cannot_be_used_is_refused_and_said_why(workshop, case):
    name, text, word = UNUSABLE[case]
    shop = workshop("python", path=without("uv"))
    job = shop.job(
        {"plugin.py": PYTHON, name: text, "pyproject.toml": '[project]\nname = "a"\nversion = "1"\n'}, lock=name
    )
    with pytest.raises(BuildError) as e:
        shop.build(job)
    assert e.value.code == "lock-unusable"
    assert word in e.value.message
    assert "Traceback" not in e.value.message


@pytest.mark.parametrize("uv", [True, False])
def test_a_lock_that_lags_behind_its_project_is_refused(workshop, uv):
    """Seen upstream: the dependencies moved into pyproject.toml, and uv.lock was not made again."""
    given = files("uv.lock")
    more = given["pyproject.toml"].replace("dependencies = [", "dependencies = [\"requests; python_version > '3'\", ")
    assert more != given["pyproject.toml"]
    shop = workshop("python", path=path_with(uv_folder()) if uv else without("uv"))
    with pytest.raises(BuildError, match=r"does not pin requests, which pyproject\.toml asks for") as told:
        shop.build(shop.job(given | {"pyproject.toml": more}, lock="uv.lock"))
    assert told.value.code == "lock-unusable"


def test_a_git_dependency_that_uv_exports_is_refused_too(workshop):
    shop = workshop("python", path=path_with(uv_folder()))
    project = '[project]\nname = "a"\nversion = "1"\nrequires-python = ">=3.9"\ndependencies = ["b"]\n'
    project += '[tool.uv.sources]\nb = { git = "https://git.example/b" }\n'
    lock = uv_lock('name = "b"', GIT)
    with pytest.raises(BuildError) as e:
        shop.build(shop.job({"plugin.py": PYTHON, "uv.lock": lock, "pyproject.toml": project}, lock="uv.lock"))
    assert e.value.code == "lock-unusable"
    assert "git" in e.value.message


@pytest.mark.parametrize(("text", "code"), [(None, "lock-missing"), ("click==8.1.7\n# fine\n", "lock-without-hashes")])
def test_a_requirements_file_named_as_a_lock_must_be_there_and_have_hashes(workshop, text, code):
    shop = workshop("python")
    source = {"plugin.py": PYTHON} | ({} if text is None else {"locked.txt": text})
    with pytest.raises(BuildError) as e:
        shop.build(shop.job(source, lock="locked.txt"))
    assert e.value.code == code
    assert e.value.hint


@pytest.mark.parametrize(
    ("constraint", "meaning"),
    [
        ("^1.2.3", "<2,>=1.2.3"), ("^0.2.3", "<0.3,>=0.2.3"), ("^0.0.3", "<0.0.4,>=0.0.3"), ("^0.0", "<0.1,>=0.0"),
        ("^0", "<1,>=0"), ("~1.2.3", "<1.3,>=1.2.3"), ("~1.2", "<1.3,>=1.2"), ("~1", "<2,>=1"), ("1.2.*", "==1.2.*"),
        ("*", ""), ("1.2.3", "==1.2.3"), ("= 1.2.3", "==1.2.3"), (">=1.2,<2", "<2,>=1.2"), (">= 1.2 < 2", "<2,>=1.2"),
        ("!=1.5.*,>=1", "!=1.5.*,>=1"), ("~=1.4.2", "~=1.4.2"), ("^1.0 || ^2.0", "<3,>=2.0"), ("^1.0|^2.0", "<3,>=2.0"),
    ],
)  # fmt: skip
def test_poetrys_constraints_mean_what_its_manual_says(constraint, meaning):
    assert str(specifiers(constraint)[-1]) == meaning


@pytest.mark.parametrize("constraint", ["^", "one", "^1 - 2", ">=", "^x.y"])
def test_a_constraint_that_cannot_be_read(constraint):
    with pytest.raises(LockError):
        specifiers(constraint)


def test_a_pin_is_a_line_of_a_requirements_file():
    assert str(Pin(name="a", version="1", hashes=("sha256:2", "sha256:1", "sha256:1"))).count("--hash") == 2
