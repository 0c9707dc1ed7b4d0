"""What lightningd's own Python `reckless` leaves on disk, version by version, made without it.

The shapes were looked at after running the tool itself (v22.11, v23.05, v23.08, v24.02, v24.08, v25.09, v26.06).

    old = OldTool(node)                                        # or OldTool(node, version="v23.08")
    old.install("python-hello")                                # from tests/plugins, as 0.9.0
    old.install("rust-hello", enabled=False)
"""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

from tests.nodes import Node
from tests.world import PLUGINS, PROJECTS

HEADER = "# This configuration file is managed by reckless to activate and disable\n# reckless-installed plugins\n\n"
COMMIT = "c0b768f3ed3c88d5119442299f159267b5fc09ba"
OFFICIAL = "https://github.com/lightningd/plugins"
COPIES, FLAT, NESTED = ("v22.11", "v23.08"), ("v24.02",), ("v24.08", "v26.06")
LAUNCHER = """\
#!{venv}/bin/python
import runpy
import sys

sys.path.append("{copy}")
runpy.run_path("{copy}/{entry}", run_name="__main__")"""


class OldTool:
    """That tool, at one version, on one node: it appends to what is there, as the tool does."""

    def __init__(self, node: Node, *, version: str = "v26.06") -> None:
        self.version = version
        self.root = node.dir / "reckless"
        self.conf = self.root / f"{node.network}-reckless.conf"
        self._network_config = node.netdir / "config"
        if not self.conf.exists():
            self.root.mkdir(parents=True, exist_ok=True)
            self.conf.write_text(HEADER)
            self.sources(OFFICIAL)
            self._network_config.parent.mkdir(exist_ok=True)
            self._network_config.write_text(f"# This config was autopopulated by reckless\n\ninclude {self.conf}")

    def sources(self, *places: str) -> None:
        """Have these as its sources."""
        (self.root / ".sources").write_text("\n".join(places))

    def install(
        self,
        plugin: str,
        *,
        folder: str = "",
        release: str = "0.9.0",
        source: str = OFFICIAL,
        asked: str = "None",
        commit: str = COMMIT,
        enabled: bool | None = True,
    ) -> Path:
        """Put a plugin of tests/plugins into `folder`, with a line in the config; return what the line names.

        `enabled` None: no line, as after a person took it out.
        """
        name = folder or plugin
        place = self.root / name
        if self.version in COPIES:
            started = self._copy(plugin, place, name, release)
        else:
            started = self._stage(plugin, place, name, release)
            lines = ["installation date", "2026-09-01", "installation time", "1788220800", "original source", source]
            lines += ["requested commit", asked, "installed commit", commit]
            (place / ".metadata").write_text("\n".join(lines) + "\n")
        if enabled is not None:
            self.line(f"{'plugin' if enabled else 'disable-plugin'}={started}")
        return started

    def line(self, text: str) -> None:
        """Add a line to the config, as that tool does: the last one has no end."""
        self.conf.write_text(f"{self.conf.read_text()}\n{text}" if "=" in self.conf.read_text() else HEADER + text)

    def _copy(self, plugin: str, to: Path, name: str, release: str) -> Path:
        """Copy the source, with its entrypoint under the plugin's name; return that."""
        shutil.copytree(PLUGINS / plugin, to, ignore=shutil.ignore_patterns("__pycache__", "target"))
        project = PROJECTS[plugin]
        entry = to / project.entrypoint
        if project.language == "python":
            entry = entry.rename(to / f"{name}.py")
            entry.write_text(re.sub(r'(VERSION = )"[^"]*"', rf'\1"{release}"', entry.read_text()))
        return entry

    def _stage(self, plugin: str, place: Path, name: str, release: str) -> Path:
        copy = place / "source" if self.version in FLAT else place / "source" / name
        entry = self._copy(plugin, copy, name, release)
        if PROJECTS[plugin].language != "python":
            program = copy / "target" / "release" / name
            program.parent.mkdir(parents=True)
            program.write_text(f'#!/bin/sh\nexec {sys.executable} "{self._program(plugin)}"\n')
            program.chmod(0o755)
            (place / name).symlink_to(program)
            return place / name
        venv = place / ".venv"
        (venv / "bin").mkdir(parents=True)
        (venv / "bin" / "python").symlink_to(sys.executable)
        launcher = place / entry.name
        launcher.write_text(LAUNCHER.format(venv=venv, copy=copy, entry=entry.name))
        launcher.chmod(0o755)
        return launcher

    def _program(self, plugin: str) -> Path:
        """A stand-in for what a compiler makes: it answers as that plugin does."""
        made = self.root.parent / f"{plugin}-program.py"
        text = (PLUGINS / "python-hello" / "hello.py").read_text()
        made.write_text(
            text.replace("hello-greeting", "rust-greeting").replace('"name": "hello"', f'"name": "{plugin}"')
        )
        return made
