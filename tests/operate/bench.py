"""One node, one plugin, and a `reckless` that can be hurt at any step: run, hurt, look, mend, look again."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from reckless.store.layout import Layout, is_part_name
from reckless.store.store import Store
from tests.nodes import Node, stand_in

HERE = Path(__file__).parent
NAME = "python-hello"
BOTTOM = "# a person's own config\n"
ALIKE = re.compile(
    r"reckless/[a-z-]+/[^/]+\+[0-9a-f]{8}/(?!.*receipt\.json)"
)  # within a tree that does not count (yet)
THINNED = 6
GREETING = "hello-greeting=moin moin"
# A verb: how to come to where it starts from, and the verb itself last
STAGES: dict[str, list[tuple[str, ...]]] = {
    "install": [("install", NAME, "-o", GREETING)],
    "uninstall": [("install", NAME, "-o", GREETING), ("uninstall", NAME)],
    "upgrade": [("install", f"{NAME}==1.0.0", "-o", GREETING), ("upgrade", NAME)],
    "rollback": [("install", f"{NAME}==1.0.0", "-o", GREETING), ("upgrade", NAME), ("rollback", NAME)],
    "enable": [("install", NAME, "-o", GREETING), ("disable", NAME), ("enable", NAME)],
    "disable": [("install", NAME, "-o", GREETING), ("disable", NAME)],
    "set": [("install", NAME, "-o", GREETING), ("set", NAME, "hello-greeting=servus")],
}
BACK = {
    "install": ("uninstall", NAME),
    "uninstall": ("install", NAME, "-o", GREETING),
    "upgrade": ("rollback", NAME),
    "rollback": ("upgrade", NAME),
    "enable": ("disable", NAME),
    "disable": ("enable", NAME),
    "set": ("set", NAME, GREETING),
}


@dataclass(frozen=True, kw_only=True)
class Said:
    """How a command ended (negative: the signal), what it printed, the steps it took, and the programs it left."""

    status: int
    text: str
    steps: tuple[str, ...] = ()
    orphans: tuple[str, ...] = ()

    @property
    def json(self) -> dict[str, Any]:
        """The one object on stdout, where it was run with -j."""
        found: dict[str, Any] = json.loads(self.text)
        return found


@dataclass(frozen=True, kw_only=True)
class Situation:
    """What is installed, on which all agree: state.json, `current`, the config and the node."""

    version: str = ""
    enabled: bool = True
    greeting: str = ""
    pinned: bool = False


class Nursery:
    """Runs `reckless` as a process of its own, without the half second that importing it takes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        argv = [sys.executable, str(HERE / "nursery.py")]
        self._process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._read() == "ready"

    def run(self, argv: Sequence[str], env: dict[str, str], *, under: Path, at: int = 0, how: str = "kill") -> Said:
        """Run it to its end, hurt at step `at` in the way `how`; see sabotage.py."""
        out, err, log = (self.folder / name for name in ("out", "err", "steps"))
        sabotage = [str(under), str(log), at, how]
        order = {"argv": list(argv), "env": env, "out": str(out), "err": str(err), "sabotage": sabotage}
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        status, orphans = json.loads(self._read())
        steps = tuple(log.read_text().splitlines())
        said = Said(status=status, text=out.read_text() + err.read_text(), steps=steps, orphans=tuple(orphans))
        assert "Traceback" not in said.text, said.text
        assert status != 70, said.text
        return said

    def _read(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the nursery has died"
        return line.strip()

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()


class Bench:
    """A node with `reckless` on it, and the checks that hold whatever happened to it."""

    def __init__(self, node: Node, nursery: Nursery, cache: Path, source: Path) -> None:
        self.node = node
        self.nursery = nursery
        self.source = source
        self.env = {**node.env, "RECKLESS_CACHE": str(cache), "COLUMNS": "200"}
        self.root = node.dir / "reckless"
        self.own = BOTTOM
        self._bootable: dict[object, str] = {}

    # Running

    def __call__(
        self, *args: str, status: int | None = 0, at: int = 0, how: str = "kill", network: str = "regtest"
    ) -> Said:
        """Run a command and insist on its exit status."""
        flags = [f"--lightning-dir={self.node.dir}", f"--network={network}"]
        said = self.nursery.run([*flags, *args], self.env, under=self.node.dir, at=at, how=how)
        if status is not None:
            assert said.status == status, f"{args}: {said}"
        return said

    def mend(self) -> Said:
        """Run the next command that changes something; this one changes nothing itself."""
        return self("source", "add", str(self.source))

    # Looking

    @property
    def journal_left(self) -> bool:
        return (self.root / "journal.json").exists()

    def situation(self) -> Situation:
        """Return what is there, and insist that state, link, config and node agree on it."""
        state = json.loads((self.root / "state.json").read_text())
        entry = state["plugins"].get(NAME)
        current = self.root / NAME / "current"
        ours = self.root / f"{self.node.network}-reckless.conf"
        conf = ours.read_text() if ours.exists() else ""
        running = self.node.plugins() if self.node.running else None
        if entry is None:
            assert not current.is_symlink(), "a link without a plugin"
            assert NAME not in conf, conf
            assert not running, running
            return Situation(enabled=False)
        assert current.readlink() == Path(entry["tree"])
        enabled = self.node.network in entry["enabled"]
        line = f"plugin={current}/{entry['entrypoint']}\n"
        assert (f"\n{line}" in conf) is enabled, conf
        assert (f"\n#off {line}" in conf) is not enabled, conf
        found = re.search(r"^(?:#off )?hello-greeting=(.*)$", conf, re.MULTILINE)
        here = Situation(
            version=entry["version"], enabled=enabled, greeting=found[1] if found else "hello", pinned=entry["pinned"]
        )
        if running is not None:
            path = str(self.root.resolve() / NAME / entry["tree"] / entry["entrypoint"])
            assert running == ({path: True} if enabled else {}), "the node runs what the state says"
            if enabled:
                answer = self.node.cli("hello")
                assert (answer["version"], answer["say"]) == (here.version, f"{here.greeting} world")
        return here

    def check_person(self) -> None:
        """Insist that a person's own config is as it was, but for our one line."""
        assert self.node.config.read_text() == self.own
        network = self.node.netdir / "config"
        lines = network.read_text().splitlines() if network.exists() else []
        assert lines in ([], [f"include {self.root}/{self.node.network}-reckless.conf"])

    def check_clean(self) -> None:
        """Insist that no half-done work lies about: no journal, temporary files, or trees that nothing refers to."""
        assert not self.journal_left
        left = [p.name for p in self.node.dir.rglob(".*") if p.name not in (".gitignore", ".lock", ".logs")]
        assert not left, left
        assert not (self.root / "lock.holder").exists()
        state = json.loads((self.root / "state.json").read_text())
        known = {name: {e["tree"], *e["previous"]} for name, e in state["plugins"].items()}
        folders = [p for p in self.root.iterdir() if p.is_dir() and p.name != ".logs"]
        assert not Store(Layout(self.root)).stray_parts()
        found = {
            p.name: {tree.name for tree in p.iterdir() if not tree.is_symlink() and not is_part_name(tree.name)}
            for p in folders
        }
        assert found == known, "every tree belongs to a plugin, and every plugin has its trees"

    def check_boots(self) -> None:
        """Insist that a node that was started now, on what is on disk, would come up."""
        seen = self._fingerprint()
        if seen not in self._bootable:
            self._bootable[seen] = self._boot_copy()
        assert not self._bootable[seen], self._bootable[seen]

    def _fingerprint(self) -> object:
        files = [self.node.config, self.node.netdir / "config", *sorted(self.root.glob("*.conf"))]
        texts = tuple((f.name, f.read_text()) for f in files if f.exists())
        paths = [p for _, text in texts for p in re.findall(r"^plugin=(.*)$", text, re.MULTILINE)]
        return texts, tuple((p, str(Path(p).resolve()), Path(p).exists()) for p in paths)

    def _boot_copy(self) -> str:
        """Boot another node on a copy; return why it refused, or nothing."""
        copy = self.node.dir.with_name("copy")
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self.node.dir, copy, symlinks=True, ignore=shutil.ignore_patterns("lightning-rpc", "*.pid"))
        for file in (copy / "config", copy / self.node.network / "config", *(copy / "reckless").glob("*.conf")):
            if file.exists():
                file.write_text(file.read_text().replace(f"{self.node.dir}/", f"{copy}/"))
        other = Node(copy, stand_in(), network=self.node.network)
        with contextlib.closing(other):
            boot = other.boot()
            return "" if boot.up else f"{boot.output} {self._fingerprint()}"


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A verb on a bench: where it starts, where it ends, and the steps that it takes where it is not hurt."""

    bench: Bench
    verb: str
    first: Situation
    last: Situation
    whole: Said

    @classmethod
    def build(cls, bench: Bench, verb: str, how: str = "kill") -> Stage:
        """Bring the bench to where the verb starts."""
        *before, command = STAGES[verb]
        for step in before:
            bench(*step)
        first = bench.situation()
        bench(*command)
        last = bench.situation()
        bench(*BACK[verb])
        whole = bench(*command, how=how)  # now that what it changes between is built
        stage = cls(bench=bench, verb=verb, first=first, last=last, whole=whole)
        stage.back()
        return stage

    def hurt(self) -> Iterator[tuple[int, str]]:
        """Yield each step at which the verb is to be hurt, and its name; the bench is where it started, each time."""
        for at in points(self.whole):
            yield at, f"at step {at}, {self.whole.steps[at - 1]}"
            if self.bench.situation() != self.first:
                self.back()

    def run(self, at: int, how: str) -> Said:
        """Run the verb, hurt at that step."""
        return self.bench("-j", *STAGES[self.verb][-1], at=at, how=how, status=None)

    def back(self) -> None:
        self.bench(*BACK[self.verb])
        assert self.bench.situation() == self.first


def points(said: Said) -> Iterator[int]:
    """The steps at which a command is to be hurt: all, but of those within a tree only some."""
    for number, step in enumerate(said.steps, 1):
        if not ALIKE.search(step) or number % THINNED == 0:
            yield number


def but(situation: Situation, **changes: Any) -> Situation:
    """The same situation but for some changes."""
    return replace(situation, **changes)
