"""What every build backend promises (reckless/build/base.py), whichever the language and tools."""

from __future__ import annotations

import os
import shutil
import stat
import threading
from dataclasses import dataclass, replace

import pytest

from reckless.build.machine import this_machine
from reckless.build.registry import backend_for
from reckless.errors import BuildError
from reckless.model.machine import Machine
from reckless.model.manifest import LANGUAGES, Build
from reckless.system.process import kill_all
from tests.build.workshop import (
    BASH,
    GO,
    JAVA,
    NODE,
    PYTHON,
    RUST,
    WORDS,
    C,
    Recorder,
    Workshop,
    ask,
    package_json,
    path_with,
    pom,
    snapshot,
    uv_folder,
    without,
)


@dataclass(frozen=True)
class Kind:
    """A backend under test: a good source, the entrypoint in it, and what makes it fail."""

    language: str
    entrypoint: str
    files: dict[str, str]
    broken: dict[str, str]
    uv: bool = False
    launcher: str = ""

    @property
    def file(self) -> str:
        """What lightningd's log calls it."""
        return self.launcher or self.entrypoint


CARGO = '[package]\nname = "tiny"\nversion = "0.1.0"\nedition = "2021"\n'
MOD = "module example.org/tiny\n\ngo 1.18\n"
MAKEFILE = "tiny: tiny.c\n\tcc -o tiny tiny.c\n"
TOOLS = {
    "rust": ["cargo"],
    "go": ["go"],
    "node": ["node", "npm"],
    "java": ["javac", "mvn"],
    "make": ["make", "cc"],
    "script": ["bash"],
    "prebuilt": ["bash"],
}
STAND_INS = ("uv", "cargo", "go", "npm", "mvn", "make", "bash")
NO_SUCH = {"requirements.txt": "./not-there\n"}
KINDS = {
    "python-uv": Kind("python", "a-b.py", {"a-b.py": f"#!/usr/bin/env -S uv run --script\n{PYTHON}"}, NO_SUCH, uv=True),
    "python-pip": Kind("python", "a-b.py", {"a-b.py": PYTHON}, NO_SUCH),
    "rust": Kind(
        "rust", "tiny", {"Cargo.toml": CARGO, "src/main.rs": RUST}, {"src/main.rs": "fn main() { it breaks }"}
    ),
    "go": Kind("go", "tiny", {"go.mod": MOD, "main.go": GO}, {"main.go": "package main\nit breaks\n"}),
    "node": Kind(
        "node",
        "a-b.js",
        {"a-b.js": f"#!/usr/bin/env bun\n{NODE}", "package.json": package_json(), **WORDS},
        {"package.json": package_json(scripts={"install": "it breaks"})},
    ),
    "java": Kind(
        "java",
        "target/tiny-*.jar",
        {"pom.xml": pom(), "src/main/java/Tiny.java": JAVA},
        {"src/main/java/Tiny.java": "it breaks"},
        launcher="plugin",
    ),
    "make": Kind("make", "tiny", {"Makefile": MAKEFILE, "tiny.c": C}, {"tiny.c": "it breaks"}),
    "script": Kind(
        "script", "a-b.sh", {"a-b.sh": f"#!/usr/bin/env bash\n{BASH}"}, {"a-b.sh": "#!/usr/bin/env bash\nif\n"}
    ),
    # A script that came ready-made: what is special to programs is in test_prebuilt.py.
    "prebuilt": Kind(
        "prebuilt", "tiny", {"tiny": f"#!/usr/bin/env bash\n{BASH}"}, {"tiny": "#!/usr/bin/env bash\nif\n"}
    ),
}


def names(folder):
    return {f.name for f in folder.iterdir()}


@pytest.fixture(params=KINDS)
def kind(request) -> Kind:
    chosen = KINDS[request.param]
    lacking = [tool for tool in TOOLS.get(chosen.language, ()) if not shutil.which(tool)]
    if lacking:
        pytest.skip(f"no {lacking[0]} here")
    return chosen


@pytest.fixture
def shop(kind, workshop, java_cache) -> Workshop:
    more = {"cache": java_cache} if kind.language == "java" else {}
    made: Workshop = workshop(kind.language, **more)
    made.path = path_with(uv_folder()) if kind.uv else without("uv")
    if kind.language == "python":  # cargo and go keep what they fetch in the user's home, where others find it too
        home = made.root / "home"
        home.mkdir()
        made.env["HOME"] = str(home)
    return made


@pytest.mark.slow
def test_it_builds_in_place_and_answers(kind, shop, monkeypatch):
    monkeypatch.setenv("LIGHTNINGD_SECRET", "hunter2")
    before = names(shop.root)
    said = Recorder()
    job = shop.job(kind.files, entrypoint=kind.entrypoint, reporter=said)
    source = snapshot(job.tree / "src")
    built = shop.build(job)
    entrypoint = job.tree / built.entrypoint
    assert built.entrypoint == f"bin/{kind.file}", "lightningd's log shows this name"
    assert entrypoint.stat().st_mode & stat.S_IXUSR
    assert not entrypoint.is_symlink()
    assert ask(entrypoint)["rpcmethods"][0]["name"] == "hello"
    assert ask(entrypoint, cwd=shop.root)["dynamic"] is True
    assert job.log.read_text().startswith("$ cd ")
    assert said.steps
    assert {step[:2] for step in said.steps} == {("plugin", "build")}
    assert names(job.tree) <= {"src", "env", "bin", "build.log"}
    assert (names(shop.root) - before) | {shop.cache.name} == {"tree", shop.cache.name}
    assert not (shop.root / "home").exists() or names(shop.root / "home") == set()
    after = snapshot(job.tree / "src", "node_modules", "target")
    for lock in ("Cargo.lock", "package-lock.json"):
        after.pop(lock, None)
    assert after == source


@pytest.mark.slow
def test_it_answers_whatever_the_nodes_environment(kind, shop):
    job = shop.job(kind.files, entrypoint=kind.entrypoint)
    entrypoint = job.tree / shop.build(job).entrypoint
    odd = {"PYTHONPATH": "/nonexistent", "PYTHONHOME": "/nonexistent", "HOME": "/nonexistent", "LANG": "C"}
    ask(entrypoint, env=odd)
    ask(entrypoint, env={"PATH": "/nonexistent"})


@pytest.mark.slow
def test_it_can_be_built_again_over_what_an_interrupted_build_left(kind, shop):
    job = shop.job(kind.files, entrypoint=kind.entrypoint)
    for debris in ("env/bin", "bin"):
        (job.tree / debris).mkdir(parents=True)
        (job.tree / debris / "python").write_text("half")
    ask(job.tree / shop.build(job).entrypoint)
    assert names(job.tree / "bin") == {kind.file}


@pytest.mark.slow
def test_a_tree_whose_path_has_spaces_and_quotes(kind, shop):
    job = shop.job(kind.files, entrypoint=kind.entrypoint, tree="a 'tree' $HOME")
    ask(job.tree / shop.build(job).entrypoint)


@pytest.mark.slow
def test_a_failing_build_says_so_with_its_logs_tail_and_path(kind, shop):
    job = shop.job({**kind.files, **kind.broken}, entrypoint=kind.entrypoint)
    with pytest.raises(BuildError) as e:
        shop.build(job)
    assert e.value.code == "build-failed"
    assert "plugin" in e.value.message
    assert e.value.detail
    assert e.value.detail.splitlines()[-1] in job.log.read_text()
    assert str(job.log) in e.value.hint


def test_a_build_has_a_time_limit(kind, shop, tmp_path):
    """pip is no stand-in here, and takes longer than this by itself."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in STAND_INS:
        (tools / tool).write_text("#!/bin/sh\nexec sleep 600\n")
        (tools / tool).chmod(0o755)
    shop.path = f"{tools}:{shop.path or os.environ['PATH']}" if kind.language != "python" or kind.uv else shop.path
    job = shop.job(kind.files, entrypoint=kind.entrypoint, timeout=0.001)
    with pytest.raises(BuildError) as e:
        shop.build(job)
    assert e.value.code == "build-timeout"


def test_a_full_disk_is_called_that(kind, shop, tmp_path):
    """The tools find no space: here they are stand-ins that say what the real ones print then."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in STAND_INS:
        (tools / tool).write_text(
            "#!/bin/sh\necho 'error: write failed: No space left on device (os error 28)' >&2\nexit 1\n"
        )
        (tools / tool).chmod(0o755)
    shop.path = f"{tools}:{os.environ['PATH']}"
    job = shop.job(kind.files, entrypoint=kind.entrypoint)
    with pytest.raises(BuildError) as e:
        shop.build(job)
    assert e.value.code == "disk-full"
    assert str(job.cache) in e.value.hint
    assert "MB free" in e.value.detail


def test_an_interrupt_ends_the_tools_and_passes_on(kind, shop, tmp_path):
    """Ctrl-C ends every tool that runs (kill_all); the build then fails at once instead of going on."""
    tools = tmp_path / "tools"
    tools.mkdir()
    started = tmp_path / "started"
    os.mkfifo(started)
    for tool in STAND_INS:
        (tools / tool).write_text(f"#!/bin/sh\necho > '{started}'\nexec sleep 600\n")
        (tools / tool).chmod(0o755)
    shop.path = f"{tools}:{os.environ['PATH']}"
    job = shop.job(kind.files, entrypoint=kind.entrypoint)

    def interrupt():
        started.read_text()
        kill_all()

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(BuildError):
        shop.build(job)
    thread.join()


def test_a_toolchain_that_is_missing_or_too_old_is_named_with_what_brings_it(kind):
    backend = backend_for(kind.language)
    build = Build(language=kind.language, entrypoint=kind.entrypoint)
    machine = this_machine(languages=[kind.language])
    assert backend.missing(build, machine) == ()
    if kind.language in ("script", "prebuilt"):
        pytest.skip("it needs no toolchain; a script's interpreter is known once it is fetched")
    nothing = Machine(os="linux", arch="x86_64", libc="gnu")
    assert backend.missing(build, nothing)[0].install
    from packaging.specifiers import SpecifierSet

    newer = backend.missing(replace(build, toolchain=SpecifierSet(">=99")), machine)
    assert ">=99" in newer[0].what
    assert str(machine.toolchains[kind.language]) in newer[0].what
    assert newer[0].install


def test_a_system_library_that_is_missing_is_named(kind):
    if kind.language == "prebuilt":
        pytest.skip("what a manifest wants of the system is for building it")
    build = Build(language=kind.language, entrypoint=kind.entrypoint, system=("bin:sh", "lib:nowhere-to-be-found"))
    missing = backend_for(kind.language).missing(build, this_machine(languages=[kind.language]))
    assert [m.what for m in missing] == ["the library nowhere-to-be-found"]
    assert missing[0].install


def test_every_language_has_a_backend():
    assert all(language in backend_for(language).languages for language in LANGUAGES)
