"""The rows on plugins from folders and repositories: the author's loop, and listing a git source."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from measure import Row, alternate, probe, wall
from stage import TWENTY, Stage, many_plugins

from tests.servers import GitServer

# What is measured of a listing: everything from the opening of the source on, in a process that has loaded it.
LIST = """
import sys, time
from pathlib import Path
from reckless.build import python_project
from reckless.operate import git_listing
from reckless.operate.opening import open_location
from reckless.operate.git_source import GitRepository

began = time.perf_counter()
found = open_location(sys.argv[1], cache=Path(sys.argv[2])).catalog().plugins
print(time.perf_counter() - began)
assert len(found) == 40, found
"""


def path(stage: Stage, scale: float) -> Iterator[Row]:
    """The author's loop: a folder installed again after an edit, against the node's own stop and start."""
    folder, edits = stage.folder / "my-twenty", iter(range(10_000))
    shutil.copytree(TWENTY, folder)
    plugin = folder / "twenty.py"
    text = (TWENTY / "twenty.py").read_text().replace('METHOD = "twenty"', 'METHOD = "mine"')
    alone: list[float] = []

    def edit() -> str:
        version = f"1.0.{next(edits)}"
        plugin.write_text(text.replace('VERSION = "1.0.0"', f'VERSION = "{version}"'))
        return version

    edit()
    stage.reckless("install", str(folder))
    running = next(p for p in stage.node.plugins() if "/my-twenty/" in p)
    beside = stage.folder / "beside" / "twenty.py"
    beside.parent.mkdir()
    stage.node.cli("plugin", "stop", running)

    def ours() -> float:
        version = edit()
        taken = wall([*stage.command, "install", str(folder)], stage.env)
        assert stage.answers("mine")["version"] == version
        return taken

    def by_hand() -> float:
        at = next(p for p in stage.node.plugins() if "/my-twenty/" in p)
        python = Path(at).parents[1] / "env" / "bin" / "python"
        stage.node.cli("plugin", "stop", at)
        beside.write_text(text.replace("/usr/bin/env python3", str(python), 1))
        beside.chmod(0o755)
        stage.node.cli("plugin", "start", str(beside))
        edit()
        alone.append(probe(beside))
        taken = wall([*stage.cli, "plugin", "stop", str(beside)], stage.env)
        taken += wall([*stage.cli, "plugin", "start", str(beside)], stage.env)
        stage.node.cli("plugin", "stop", str(beside))
        stage.node.cli("plugin", "start", at)
        return taken

    stage.node.cli("plugin", "start", running)
    a, b = alternate(ours, by_hand, round(15 * scale), warm=2)
    stage.reckless("uninstall", "my-twenty")
    yield Row(
        what="`reckless install PATH` again after an edit, Python, 20 locked packages",
        against="plugin stop + plugin start", bound=1.2, ours=a, theirs=b,
        note="by hand nothing looks at the plugin before lightningd runs it; reckless first starts it by itself, which "
        "takes as long as lightningd's start of it: no node is shown what was not probed",
    )  # fmt: skip
    yield Row(
        what="the same against plugin stop + one start by itself + plugin start", against="", bound=1.2, ours=a,
        theirs=tuple(x + y for x, y in zip(b, alone[-len(b) :], strict=True)), judged=False,
    )  # fmt: skip


def listing(stage: Stage, scale: float) -> Iterator[Row]:
    """A git source of forty plugins, listed for the first time, against a bare shallow fetch of it."""
    with contextlib.ExitStack() as stack:
        served, count = many_plugins(stage.folder / "served", 40), iter(range(10_000))
        server = stack.enter_context(GitServer(served.parent))
        url = server.url(served.name)

        def ours() -> float:
            cache = stage.folder / f"listing-{next(count)}"
            lister = [str(stage.venv / "bin" / "python"), "-c", LIST, f"git+{url}", str(cache)]
            return float(subprocess.run(lister, env=stage.env, check=True, capture_output=True, text=True).stdout)

        def bare() -> float:
            place = stage.folder / f"bare-{next(count)}.git"
            taken = wall(["git", "init", "--quiet", "--bare", str(place)], stage.env)
            return taken + wall(["git", f"--git-dir={place}", "fetch", "--quiet", "--depth=1", url, "HEAD"], stage.env)

        a, b = alternate(ours, bare, round(20 * scale), warm=1)
    yield Row(
        what="listing a git source of 40 plugins for the first time", against="a bare shallow fetch of it", bound=1.5,
        ours=a, theirs=b,
        note="without the start of reckless itself, which `startup` measures; over loopback, where bytes cost nothing: "
        "it fetches a tenth of them",
    )  # fmt: skip
