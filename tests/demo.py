#!/usr/bin/env python3
"""The main job, for real and from outside: the `reckless` command on a node of its own, every step checked.

`make demo` runs it. The node is a real lightningd on regtest where one is on PATH, else the stand-in of tests/node; the
plugins are those of tests/plugins, in git repositories and an index made for this run. Everything lives in one
temporary folder and is gone afterwards, also after Ctrl-C. Exits 0 where all is as it should be, else 1.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.nodes import Node, RpcError, real_lightningd, stand_in  # noqa: E402 - started as a script, from anywhere
from tests.servers import FileServer, GitServer  # noqa: E402
from tests.world import BREAKS_IN_INIT, World  # noqa: E402

NEEDS = {"rust-hello": ("cargo", "https://rustup.rs"), "go-hello": ("go", "https://go.dev/doc/install")}
METHODS = {"python-hello": "hello", "python-locked": "locked", "rust-hello": "rust-hello", "go-hello": "go-hello"}
OPTIONS = {"python-hello": ("--option", "hello-greeting=Moin")}


class NotAsItShouldBeError(Exception):
    """A step came out otherwise than it must."""


def main() -> int:
    """Run the demo; return its exit status."""
    parser = argparse.ArgumentParser(description="Show reckless at work on a node of its own.")
    parser.add_argument("--stand-in", action="store_true", help="use the stand-in even where a lightningd is on PATH")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGHUP, _interrupt)
    began = time.monotonic()
    try:
        with contextlib.ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="reckless-demo-")))
            Demo(stack, folder, pretend=asked.stand_in).run()
    except (NotAsItShouldBeError, AssertionError, RpcError, subprocess.SubprocessError) as e:
        say(f"\n{paint('NOT AS IT SHOULD BE', 31)}: {e}")
        return 1
    except KeyboardInterrupt:
        say("\ninterrupted; the node is stopped and everything that it left is removed")
        return 130
    say(f"\n{paint('All as it should be', 32)}, in {time.monotonic() - began:.0f} s. Node and files are gone again.")
    return 0


class Demo:
    """One node, one index, one command line."""

    def __init__(self, stack: contextlib.ExitStack, folder: Path, *, pretend: bool) -> None:
        software = (None if pretend else real_lightningd()) or stand_in()
        self.stack = stack
        self.folder = folder
        self.public = folder / "public"
        self.node = Node(folder / "lightning", software)
        self.languages = [name for name, (program, _) in NEEDS.items() if shutil.which(program)]
        self.reckless = Path(sys.executable).with_name("reckless")
        words = [str(self.node.lightning_cli), f"--lightning-dir={self.node.dir}", f"--network={self.node.network}"]
        self.env = {
            **{k: v for k, v in self.node.env.items() if not k.startswith("RECKLESS")},
            "LIGHTNING_CLI": shlex.join(words),
            "RECKLESS_CACHE": str(folder / "cache"),
        }

    def run(self) -> None:
        """Everything, in order."""
        self.set_the_stage()
        self.look_around()
        self.install()
        self.upgrade()
        self.break_a_release()
        self.roll_back()
        self.look_after()
        self.uninstall()

    # The steps

    def set_the_stage(self) -> None:
        """Make the index, start the node."""
        heading(
            "An index", "Static files that any web server can serve. First the real one: this repository's manifests/."
        )
        self.run_reckless("index", "build", ROOT / "manifests", "--out", self.folder / "real")
        real = json.loads((self.folder / "real" / "v1" / "catalog.json").read_text())["plugins"]
        say(f"{len(real)} real plugins: {', '.join(sorted(p['name'] for p in real))}")
        heading(
            "Plugins to play with",
            "tests/plugins as git repositories, and an index of them; both served over HTTP on this machine.",
        )
        git, pages = self.folder / "world" / "git", FileServer(self.public)
        self.world = World(self.folder / "world", git_base=self.stack.enter_context(GitServer(git)).base)
        self.stack.enter_context(pages)
        self.world.add_plugin("python-locked")
        self.world.add_plugin("python-hello", depends=("python-locked>=1",))
        for name, (program, where) in NEEDS.items():
            if name in self.languages:
                self.world.add_plugin(name)
            else:
                say(f"{paint('left out', 33)}: {name}, since {program} is not on PATH ({where})")
        self.world.built_index(self.public)
        say(f"{', '.join(sorted(self.names))}: version 1.0.0 of each; python-hello depends on python-locked")
        heading("A node", self._about_the_node())
        self.stack.callback(self.node.close)
        self.node.start("# a person's own config\n")
        say(f"$ export LIGHTNING_CLI={shlex.quote(self.env['LIGHTNING_CLI'])}")
        check(self.node.running, "lightningd runs")
        self.run_reckless("source", "add", pages.url().rstrip("/"))

    def look_around(self) -> None:
        """Search and info."""
        heading("Looking around", "By name, summary, keyword or RPC method; nothing is changed.")
        self.run_reckless("search", "hello")
        self.run_reckless("info", "python-hello")
        hits = [hit["entry"]["name"] for hit in self.ask("search", "hello")]
        check("python-hello" in hits, "search finds python-hello")

    def install(self) -> None:
        """Install one plugin of each language."""
        heading(
            "Install Python", "What it depends on comes with it, its packages by hash. First the plan, then for real."
        )
        self.run_reckless("install", "python-hello", "--dry-run")
        check(not self.node.plugins(), "a dry run touches nothing")
        self.run_reckless("install", "python-hello", *OPTIONS["python-hello"])
        for name in self.languages:
            heading(
                f"Install {name.partition('-')[0].capitalize()}",
                "Built here, from the exact commit that the index names.",
            )
            self.run_reckless("install", name)
        heading("They answer", "Each by its own RPC method.")
        self.all_answer("1.0.0", show=True)

    def upgrade(self) -> None:
        """A newer release of each."""
        heading("Upgrade", "Their authors release 1.1.0. All are built and probed while the old ones still run.")
        self.release("1.1.0", self.names)
        self.run_reckless("outdated")
        self.run_reckless("upgrade", "--all")
        self.all_answer("1.1.0", show=True)

    def break_a_release(self) -> None:
        """A release that passes every check and dies at its start."""
        heading(
            "A broken release",
            "python-hello 1.2.0 passes the probe, and dies when lightningd starts it. The others' 1.2.0 are fine.",
        )
        self.release("1.2.0", self.names - {"python-hello"})
        self.world.add_release("python-hello", "1.2.0", depends=("python-locked>=1",), edits=BREAKS_IN_INIT)
        self.world.built_index(self.public)
        self.run_reckless("upgrade", "--all", status=1)
        say("It failed, and said so (exit 1). The old version is back, with its option; the others went on.")
        self.one_answers("python-hello", "1.1.0", show=True)
        for name in self.names - {"python-hello"}:
            self.one_answers(name, "1.2.0")
        check("hello-greeting=Moin" in self.our_config(), "the option is still in the config")

    def roll_back(self) -> None:
        """By hand, to the release before."""
        heading("Roll back", "Back to the release before, at once: its build was kept.")
        self.run_reckless("rollback", "python-locked")
        self.one_answers("python-locked", "1.1.0", show=True)

    def look_after(self) -> None:
        """List, doctor, and a restart of the node."""
        heading("Looking after it", "What runs, and whether anything would keep lightningd from starting.")
        self.run_reckless("list")
        self.run_reckless("doctor")
        rows = {row["name"]: row["health"] for row in self.ask("list")}
        check(rows == dict.fromkeys(self.names, "running"), "all of them run")
        heading("A restart of lightningd", "Its config brings them all back, with their options.")
        boot = self.node.restart()
        check(boot.up, f"lightningd starts with the config that reckless wrote {boot.output}")
        self.one_answers("python-hello", "1.1.0", show=True)

    def uninstall(self) -> None:
        """Everything goes again."""
        heading("Uninstall", "Refused while something needs it; dependencies go with the last that needed them.")
        self.run_reckless("uninstall", "python-locked", status=1)
        self.one_answers("python-locked", "1.1.0")
        self.run_reckless("uninstall", "python-hello", *self.languages)
        check(not self.node.plugins(), "no plugin is left on the node")
        check(not self.ask("list"), "no plugin is left installed")
        boot = self.node.restart()
        check(boot.up, f"lightningd starts without them {boot.output}")
        check(not self.node.plugins(), "none comes back at a restart")

    # What they are made of

    @property
    def names(self) -> set[str]:
        """The plugins of this run."""
        return {"python-hello", "python-locked", *self.languages}

    def release(self, version: str, names: set[str]) -> None:
        """Release a version of each plugin, and publish the index."""
        for name in sorted(names):
            self.world.add_release(name, version, depends=("python-locked>=1",) if name == "python-hello" else ())
        self.world.built_index(self.public)

    def run_reckless(self, *args: str | Path, status: int = 0) -> None:
        """Run the command as a person would, its output going where ours goes, and check its exit status."""
        say(paint(f"$ reckless {shlex.join(self._short(a) for a in args)}", 1))
        done = subprocess.run([self.reckless, *args], env=self.env, cwd=self.folder, check=False, timeout=900)
        if done.returncode in (130, -signal.SIGINT):
            raise KeyboardInterrupt
        check(done.returncode == status, f"exit status {status}, not {done.returncode}")

    def ask(self, *args: str) -> list[Any]:
        """Run a command with --json, unseen, and return its result."""
        done = subprocess.run(
            [self.reckless, "--json", *args], env=self.env, cwd=self.folder, check=False, capture_output=True, text=True
        )
        check(done.returncode == 0, f"reckless --json {shlex.join(args)}: {done.stdout}{done.stderr}")
        result = json.loads(done.stdout)["result"]
        check(isinstance(result, list), "the envelope's result is a list")
        return list(result)

    def all_answer(self, version: str, *, show: bool = False) -> None:
        """Call every plugin's method."""
        for name in sorted(self.names):
            self.one_answers(name, version, show=show)

    def one_answers(self, name: str, version: str, *, show: bool = False) -> None:
        """Call a plugin's method, and check that this version of it answers."""
        method = METHODS[name]
        answer = self.node.cli(method)
        if show:
            say(paint(f"$ $LIGHTNING_CLI {method}", 1))
            say(json.dumps(answer))
        check(answer["version"] == version, f"{name} {version} answers, and not {answer['version']}")
        if name == "python-hello":
            check(answer["say"] == "Moin world", "it has its option")

    def our_config(self) -> str:
        """The file that reckless keeps for lightningd."""
        return (self.node.dir / "reckless" / f"{self.node.network}-reckless.conf").read_text()

    def _about_the_node(self) -> str:
        if self.node.software.real:
            return f"A real lightningd ({self.node.software.bin}) on regtest, with a stand-in for bitcoind."
        return "The stand-in, which starts plugins as processes and speaks to them as lightningd does."

    def _short(self, word: str | Path) -> str:
        if isinstance(word, Path) and word.is_relative_to(ROOT):
            return str(word.relative_to(ROOT))
        return str(word)


def heading(title: str, why: str) -> None:
    """Say what comes next, and why."""
    say(f"\n{paint(f'== {title}', 36)}\n{why}")


def say(text: str) -> None:
    """Print a line at once: programs that print to the same place come next."""
    print(text, flush=True)


def paint(text: str, colour: int) -> str:
    """Colour a text on a terminal."""
    return f"\033[{colour}m{text}\033[0m" if sys.stdout.isatty() and "NO_COLOR" not in os.environ else text


def check(good: bool, what: str) -> None:
    """Go on only where `what` holds."""
    if not good:
        raise NotAsItShouldBeError(what)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
