"""The rows of the table: what reckless does, and the same by hand."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from measure import Absence, Row, alternate, peak, probe, wall
from ready_made import prebuilt
from stage import CRATES, TWENTY, Stage, many_manifests
from where_from import listing, path

from reckless.build.python_index import for_uv

EIGHT = tuple(f"eight-{n}" for n in range(1, 9))
MANY = 5000


def startup(stage: Stage, scale: float) -> Iterator[Row]:
    """`--version` and `list`, node up and down, against a trivial typer program."""
    runs = round(40 * scale)
    _install_five(stage)

    def ours(*args: str) -> Callable[[], float]:
        return lambda: wall([*stage.command, *args], stage.env)

    def trivial() -> float:
        return wall(stage.trivial, stage.env)

    a, b = alternate(ours("--version"), trivial, runs, warm=3)
    yield Row(what="`reckless --version`", against="a trivial typer program", bound=1.25, ours=a, theirs=b)
    asks = (["getinfo"], ["plugin", "list"])

    def trivial_and_cli() -> float:
        return trivial() + sum(wall([*stage.cli, *words], stage.env) for words in asks)

    a, b = alternate(ours("list"), trivial, runs, warm=3)
    yield Row(
        what="`reckless list`, 5 plugins, node up", against="a trivial typer program", bound=1.25, ours=a, theirs=b
    )
    a, b = alternate(ours("list"), trivial_and_cli, runs, warm=3)
    yield Row(
        what="the same against the trivial program and the two lightning-cli calls that `list` makes",
        against="", bound=1.25, ours=a, theirs=b, judged=False,
    )  # fmt: skip
    stage.node.stop()
    a, b = alternate(ours("list"), trivial, runs, warm=3)
    stage.node.start("")
    yield Row(
        what="`reckless list`, 5 plugins, node down", against="a trivial typer program", bound=1.25, ours=a, theirs=b
    )


def install(stage: Stage, scale: float) -> Iterator[Row]:
    """A Python plugin with twenty locked dependencies, caches warm, to active."""
    stage.add_twenty("twenty")
    place = stage.folder / "by-hand"
    source, env = place / "source", {**stage.env, "UV_CACHE_DIR": str(stage.folder / "uv-cache")}
    env |= for_uv(stage.env)[0]
    python, plugin = place / "venv" / "bin" / "python", place / "twenty.py"
    interpreter = str(Path(os.path.realpath(stage.venv / "bin" / "python")))
    uv = str(stage.folder / "bin" / "uv")

    def reckless() -> float:
        taken = wall([*stage.command, "install", "twenty"], stage.env)
        assert stage.answers("twenty")["packages"] == 20
        stage.reckless("uninstall", "twenty")
        return taken

    def by_hand() -> float:
        place.mkdir()
        shutil.copytree(TWENTY, source)
        plugin.write_text((TWENTY / "twenty.py").read_text().replace("/usr/bin/env python3", str(python), 1))
        plugin.chmod(0o755)
        lock = str(source / "requirements.txt")
        taken = wall([uv, "venv", "--quiet", "--python", interpreter, str(place / "venv")], env)
        taken += wall([uv, "pip", "install", "--quiet", "--python", str(python), "--require-hashes", "-r", lock], env)
        taken += probe(plugin)
        taken += wall([*stage.cli, "plugin", "start", str(plugin)], env)
        assert stage.answers("twenty")["packages"] == 20
        stage.node.cli("plugin", "stop", str(plugin))
        shutil.rmtree(place)
        return taken

    a, b = alternate(reckless, by_hand, round(10 * scale), warm=1)
    yield Row(
        what="`reckless install`, Python, 20 locked packages, caches warm, to active",
        against="uv venv + uv pip install --require-hashes + one start for the probe + plugin start",
        bound=1.3, ours=a, theirs=b,
        note="by hand nothing is byte-compiled beforehand, and the source is there already; reckless fetches it out of "
        "its git cache, byte-compiles all of it, syncs the disk before the tree counts, and verifies",
    )  # fmt: skip


def gap(stage: Stage, scale: float) -> Iterator[Row]:
    """The time in which a method is gone while its plugin is upgraded."""
    name = "python-hello"
    stage.world.add_plugin(name)
    stage.reckless("install", name)
    rpc, releases = stage.node.netdir / "lightning-rpc", iter(range(1, 1000))

    def running() -> str:
        return next(p for p in stage.node.plugins() if f"/{name}/" in p)

    def upgrade() -> float:
        version = f"1.{next(releases)}.0"
        stage.world.add_release(name, version)
        with Absence(rpc, "hello") as absence:
            stage.reckless("upgrade", name)
        assert stage.answers("hello")["version"] == version
        return absence.longest

    def bare() -> float:
        path = running()
        with Absence(rpc, "hello") as absence:
            wall([*stage.cli, "plugin", "stop", path], stage.env)
            wall([*stage.cli, "plugin", "start", path], stage.env)
        return absence.longest

    a, b = alternate(upgrade, bare, round(15 * scale), warm=1)
    stage.reckless("uninstall", name)
    yield Row(
        what="a plugin's method gone during `upgrade`", against="a bare plugin stop + plugin start", bound=1.15, ours=a,
        theirs=b, note="the longest time between two answers, the method being called over and over",
    )  # fmt: skip


def parallel(stage: Stage, scale: float) -> Iterator[Row]:
    """`upgrade --all` of eight Python plugins on two cores, against one job at a time; built with uv, and without."""
    _install_five(stage)
    for name in EIGHT[5:]:
        stage.add_twenty(name)
        stage.reckless("install", name)
    releases = iter(range(1, 1000))
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []

    def upgrade(jobs: int, env: dict[str, str]) -> float:
        version = f"1.{next(releases)}.0"
        for name in EIGHT:
            stage.world.add_release(name, version)
        if cores:
            os.sched_setaffinity(0, cores[:2])
        taken = wall([*stage.command, "upgrade", "--all"], {**env, "RECKLESS_JOBS": str(jobs)})
        if cores:
            os.sched_setaffinity(0, cores)
        assert stage.answers(EIGHT[7])["version"] == version
        return taken

    for how, env in (("uv", stage.env), ("pip", stage.without_uv())):
        a, b = alternate(partial(upgrade, 2, env), partial(upgrade, 1, env), max(2, round(5 * scale)))
        yield Row(
            what=f"`upgrade --all`, 8 Python plugins of 20 packages, 2 cores, with {how}",
            against="the same with RECKLESS_JOBS=1", bound=0.6, ours=a, theirs=b, unit="s",
            note="builds side by side, and so the node's stops and starts: none of the eight has options",
        )  # fmt: skip


def rust(stage: Stage, scale: float) -> Iterator[Row]:
    """The next release of a Rust plugin, against its first build."""
    name, releases = "rust-crates", iter(range(1, 1000))
    stage.world.add_plugin(str(CRATES), name=name)
    subprocess.run(["cargo", "fetch", "--quiet", "--locked"], cwd=CRATES, env=stage.env, check=True)
    first, following = [], []
    for _ in range(max(1, round(3 * scale))):
        shutil.rmtree(stage.cache / "cargo-target", ignore_errors=True)
        first.append(wall([*stage.command, "install", name], stage.env))
        version = f"1.{next(releases)}.0"
        stage.world.add_release(name, version)
        following.append(wall([*stage.command, "upgrade", name], stage.env))
        assert stage.answers(name)["version"] == version
        stage.reckless("uninstall", name)
    yield Row(
        what="next release of a Rust plugin (17 crates)", against="its first build", bound=0.3, ours=tuple(following),
        theirs=tuple(first), unit="s", note="whole commands: upgrade against install",
    )  # fmt: skip


def memory(stage: Stage, scale: float) -> Iterator[Row]:  # noqa: ARG001 - once is enough
    """The most that any of our commands takes, with an index of 5,000 plugins."""
    if not Path("/proc/self/status").exists():
        return
    manifests, index = many_manifests(stage.folder / "many", MANY), stage.folder / "many-index"
    stage.world.add_plugin("python-hello", name="memory", overrides={"runtime": {"rpcmethods": ["hello"]}})
    most = {}

    def look(what: str, *args: str) -> None:
        most[what] = peak([*stage.command, *args], stage.env)

    look("index build", "index", "build", str(manifests), "--out", str(index))
    stage.reckless("source", "add", str(index))
    look("search", "search", "watch")
    look("search, finding nothing", "search", "no-such-word")
    look("info", "info", f"plugin-{MANY - 1:04}")
    look("install", "install", "memory")
    stage.world.add_release("memory", "1.1.0")
    look("upgrade", "upgrade", "--all")
    look("list", "list")
    look("outdated", "outdated")
    look("doctor", "doctor")
    look("rollback", "rollback", "memory")
    look("uninstall", "uninstall", "memory")
    stage.reckless("source", "remove", str(index))
    each = ", ".join(f"{what} {mb:.0f}" for what, mb in most.items())
    yield Row(
        what=f"peak memory of our own commands, index of {MANY:,} plugins", against="", bound=100,
        ours=tuple(most.values()), unit="MB", note=f"MB each: {each}",
    )  # fmt: skip


def _install_five(stage: Stage) -> None:
    for name in EIGHT[:5]:
        if name not in stage.world.manifests:
            stage.add_twenty(name)
            stage.reckless("install", name)


ROWS: dict[str, Callable[[Stage, float], Iterator[Row]]] = {
    "startup": startup,
    "install": install,
    "gap": gap,
    "parallel": parallel,
    "path": path,
    "listing": listing,
    "rust": rust,
    "prebuilt": prebuilt,
    "memory": memory,
}
