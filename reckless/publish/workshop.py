"""The place where releases are tried: a lightning-dir of its own, and a node in it where there is a lightningd.

A release is built and probed by what `reckless install` does it with, then installed on the node by that verb itself.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from reckless.build.machine import this_machine
from reckless.errors import NodeError, RecklessError
from reckless.index.source import Source, open_source
from reckless.model.machine import Machine
from reckless.model.manifest import Release
from reckless.model.reporter import Reporter
from reckless.model.state import Receipt, State
from reckless.model.targets import fitting_binary
from reckless.model.versions import lightningd_fits, parse_lightningd
from reckless.node.answers import NodeInfo
from reckless.operate.install import install
from reckless.operate.prepare import Wish, prepare, say_missing
from reckless.operate.remove import uninstall
from reckless.operate.session import RECENT_LIGHTNINGD, Session, Settings
from reckless.publish.outcome import Reached, Trial
from reckless.publish.trial_node import NETWORK, TrialNode, find_lightningd
from reckless.system.files import remove_tree

# What an old release, which is for none of today's nodes, is told that lightningd is.
_RELEASES = (
    "26.06.6", "26.04", "25.12", "25.09", "25.05", "25.02", "24.11", "24.08", "24.05", "24.02", "23.11", "23.08",
    "23.05", "23.02", "22.11", "0.12.1", "0.12.0", "0.11.2", "0.10.2", "0.10.1", "0.10.0", "0.9.3", "0.9.0", "0.8.2",
    "0.8.0", "0.7.3",
)  # fmt: skip
# Why a release that was probed need not start here: these say nothing against it.
_EXCUSES = frozenset({"not-for-this-lightningd", "option-required"})
_INIT = 120.0  # seconds that lightningd gives a plugin for init; after its own start it does not wait for it
_SETTLES = 2.0  # seconds, after which a plugin that ends at once has ended


class _Clock:
    """A Reporter that notes when one plugin comes into which phase, and hands everything on."""

    def __init__(self, name: str, to: Reporter) -> None:
        self._name, self._to = name, to
        self.entered: dict[str, float] = {}
        self.notes: list[str] = []

    def step(self, name: str, phase: str, detail: str = "") -> None:
        """Note the first time."""
        if name == self._name:
            self.entered.setdefault(phase, time.monotonic())
        self._to.step(name, phase, detail)

    def note(self, text: str) -> None:
        """Keep it."""
        self.notes.append(text.removeprefix(f"{self._name}: "))

    def between(self, first: str, second: str) -> float:
        """Return the seconds from the beginning of one phase to that of another, or to now; 0 without the first."""
        if first not in self.entered:
            return 0.0
        return round(self.entered.get(second, time.monotonic()) - self.entered[first], 1)


class _Alone(Session):
    """A session without a node, which tells plugins that lightningd is of a version that they are for."""

    def __init__(self, settings: Settings, reporter: Reporter, version: str) -> None:
        super().__init__(settings, reporter)
        self._version = version

    @cached_property
    def info(self) -> NodeInfo | None:
        """None: there is none."""
        return None

    @property
    def lightningd(self) -> str:
        """The version that plugins are told."""
        return self._version


@dataclass(kw_only=True)
class Workshop:
    """A lightning-dir whose one source is the folder of manifests; the node in it is started at once.

    Raises NodeError `trial-node-failed`.
    """

    folder: Path
    place: Path
    settings: Settings
    reporter: Reporter
    machine: Machine = field(default_factory=this_machine)

    def __post_init__(self) -> None:
        self.dir = self.place / "l"  # short: a socket's path has at most 107 characters
        (self.dir / NETWORK).mkdir(parents=True)
        self.source: Source = open_source(str(self.folder), cache=self.settings.cache / "index")
        lightningd = find_lightningd()
        self.node = TrialNode(self.dir, lightningd) if lightningd else None
        self.told = ""
        if self.node:
            self.told = self.node.start().version
        else:
            self.reporter.note("there is no lightningd on PATH: releases are built and probed, not started")

    def close(self) -> None:
        """End the node."""
        if self.node:
            self.node.close()

    def check(self, name: str, release: Release) -> Trial:
        """Try one release, and leave nothing of it."""
        clock = _Clock(name, self.reporter)
        trial = Trial(
            name=name,
            version=str(release.version),
            language=release.build.language,
            digest=release.digest(),
            reached="nothing",
            ok=False,
            lightningd=self._version_for(release),
            on=self.machine.target,
        )
        trial = self._prepared(trial, release, clock)
        if trial.reached == "probed" and trial.ok:
            trial = self._started(trial, release)
        self.reporter.step(name, "done")
        self._clear(name)
        return trial

    def _prepared(self, trial: Trial, release: Release, clock: _Clock) -> Trial:
        """Build and probe it, with no options and beside nothing."""
        session = _Alone(self._settings(), clock, trial.lightningd)
        # Without what it needs it cannot start, but what it answers to getmanifest can be looked at.
        bare = replace(release, runtime=replace(release.runtime, required_options=()))
        wish = Wish(
            name=trial.name,
            release=bare,
            source=self.source,
            options=(),
            kept=(),
            taken={},
            taken_options={},
            mine=frozenset(),
            binary=fitting_binary(bare, self.machine) if bare.build.language == "prebuilt" else None,
            from_source=True,
        )
        try:
            say_missing(wish, self.machine)
            ready = prepare(session, wish, self.machine, session.jobs)
        except RecklessError as e:
            reached: Reached = "built" if "probe" in clock.entered else "nothing"
            return replace(self._timed(trial, clock), reached=reached, why=_first(e), code=e.code)
        size = _size(session.store.layout.tree(trial.name, ready.tree))
        trial = replace(self._timed(trial, clock), reached="probed", size=size, notes=tuple(clock.notes))
        wrong = _differences(ready.receipt, release)
        return replace(trial, why=wrong, code="manifest-mismatch") if wrong else replace(trial, ok=True)

    def _timed(self, trial: Trial, clock: _Clock) -> Trial:
        return replace(
            trial,
            fetch=clock.between("fetch", "build"),
            build=clock.between("build", "probe"),
            probe=clock.between("probe", "ready"),
        )

    def _started(self, trial: Trial, release: Release) -> Trial:
        """Install it on the node with the verb itself, see that it runs, and uninstall it."""
        if not self.node:
            return replace(trial, why="there is no lightningd here")
        if release.runtime.disables:
            built_ins = ", ".join(release.runtime.disables)
            return replace(trial, why=f"it takes the place of {built_ins}, as the chain of the trial's node does")
        try:
            if not self.node.up:
                self.node.start()
            began = time.monotonic()
            built = release.build.language != "prebuilt"  # the tree that was just made, not one that comes ready-made
            done = install(self._session(), [f"{trial.name}=={trial.version}"], from_source=built or None)
            outcome = next(o for o in done.outcomes if o.name == trial.name)
            if outcome.error:
                raise outcome.error
            if outcome.action == "builtin":
                return replace(trial, why=f"lightningd {self.told} has it built in")
            if outcome.restart:
                self.node.stop()
                self.node.start()
            took = round(time.monotonic() - began, 1)
            self._see_that_it_runs(trial)
        except RecklessError as e:
            why = f"for lightningd {release.cln}" if e.code == "not-for-this-lightningd" else _first(e)
            return replace(trial, ok=e.code in _EXCUSES, why=why, code=e.code)
        return replace(trial, reached="started", start=took)

    def _see_that_it_runs(self, trial: Trial) -> None:
        """Wait for it to have answered init, and look again: what ends soon after its start has not started.

        Raises NodeError `plugin-not-running`.
        """
        session = self._session()
        path = str(session.store.running_path(session.store.load().plugins[trial.name]))
        until = time.monotonic() + _INIT
        while (active := self._is_active(path)) is False and time.monotonic() < until:
            time.sleep(0.1)
        time.sleep(_SETTLES if active else 0.0)
        if not (active and self._is_active(path)):
            log = self.node.log.read_text(errors="replace").splitlines()[-5:] if self.node else []
            raise NodeError("plugin-not-running", "it ended soon after it was started", detail="\n".join(log))

    def _is_active(self, path: str) -> bool | None:
        """Say whether the node lists it as active; None where it does not list it."""
        running = self.node.lightning.plugins() if self.node and self.node.up else ()
        return next((p.active for p in running if p.name == path), None)

    def _clear(self, name: str) -> None:
        """Have nothing left of it: where the node cannot be had clean again, it starts from nothing."""
        session = self._session()
        try:
            if session.store.load().plugins:
                uninstall(session, sorted(session.store.load().plugins))
            clean = self.node is None or self.node.up
        except RecklessError:
            clean = False
        if not clean:
            self._afresh()
        remove_tree(session.store.layout.plugin(name))

    def _afresh(self) -> None:
        if self.node:
            self.node.close()
            remove_tree(self.dir)
            (self.dir / NETWORK).mkdir(parents=True)
            self.node.start()

    def _session(self) -> Session:
        """Open a session on the node, or on its folder where there is none."""
        quiet = _Clock("", self.reporter)
        session = (
            Session(self._settings(), quiet, asked=self.node.lightning)
            if self.node
            else _Alone(self._settings(), quiet, RECENT_LIGHTNINGD)
        )
        if not session.store.layout.state.exists():
            session.store.layout.root.mkdir(exist_ok=True)
            session.store.save(State(sources=(str(self.folder),)))
        return session

    def _settings(self) -> Settings:
        return replace(self.settings, lightning_dir=self.dir, reckless_dir=None, conf=None, network=NETWORK)

    def _version_for(self, release: Release) -> str:
        """Return the node's version, or the newest that the release is for."""
        told = self.told or RECENT_LIGHTNINGD
        if lightningd_fits(release.cln, parse_lightningd(told)):
            return told
        return next((f"v{v}" for v in _RELEASES if lightningd_fits(release.cln, parse_lightningd(v))), told)


def _differences(receipt: Receipt, release: Release) -> str:
    """Say where its manifest is not what it answered, of what the probe itself lets pass."""
    said = []
    for what, declared, there in (
        ("options", release.runtime.options, receipt.options),
        ("subscriptions", release.runtime.subscriptions, receipt.subscriptions),
    ):
        if declared is not None and set(declared) != set(there):
            more, less = sorted(set(there) - set(declared)), sorted(set(declared) - set(there))
            said += [f"it has the {what} {', '.join(more)}, which its manifest does not declare"] if more else []
            said += [f"its manifest declares the {what} {', '.join(less)}, which it does not have"] if less else []
    return "; ".join(said)


def _first(error: RecklessError) -> str:
    """Return an error as one sentence for a table: with a traceback's last line, and without places."""
    text = error.message
    last = next((line for line in reversed(error.detail.splitlines()) if line.strip()), "")
    if error.code in {"probe-exited", "build-failed", "plugin-not-running", "trial-node-failed"} and last:
        text = f"{text}: {last.strip()}"
    text = re.sub(r"\b[a-z+]+://\S+", "...", text)
    return re.sub(r"(?<![\w:/])/(?:[\w.+@-]+/)+", "", text)[:300]


def _size(tree: Path) -> int:
    return sum(f.lstat().st_size for f in tree.rglob("*") if not f.is_dir())
