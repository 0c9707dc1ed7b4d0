"""Which Java this machine has: the one that JAVA_HOME names, else the one on PATH."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from reckless.build.base import BuildJob
from reckless.build.programs import lasting
from reckless.build.system_packages import install_command
from reckless.errors import ToolchainMissingError
from reckless.system.process import Command, run

_HOME = re.compile(r"^\s*java\.home = (.+)$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Jdk:
    """A Java development kit: `home` is what JAVA_HOME names to build with it, `java` what runs a plugin."""

    home: Path
    java: Path


def find_java(env: Mapping[str, str]) -> Path | None:
    """Return the `java` to use: Maven, Gradle and their start scripts look at JAVA_HOME first, too."""
    named = Path(env.get("JAVA_HOME") or "/nonexistent", "bin", "java")
    if os.access(named, os.X_OK):
        return named
    found = shutil.which("java", path=env.get("PATH"))
    return Path(found).absolute() if found else None


def find_compiler(env: Mapping[str, str]) -> Path | None:
    """Return the `javac` that belongs to `find_java`, else the one on PATH: a runtime has none."""
    java = find_java(env)
    beside = [java.parent / "javac", Path(os.path.realpath(java)).parent / "javac"] if java else []
    found = shutil.which("javac", path=env.get("PATH"))
    return next((p for p in beside if os.access(p, os.X_OK)), Path(found) if found else None)


def find_jdk(job: BuildJob) -> Jdk:
    """Return the kit to build with. Raises ToolchainMissingError where there is none."""
    java, compiler = find_java(job.env), find_compiler(job.env)
    if not java or not compiler:
        message = f"{job.name} needs a Java development kit, which is not here"
        raise ToolchainMissingError("toolchain-missing", message, install_command("java"))
    # On macOS, and with version managers, what lies on PATH is a shim: only Java itself knows where it is.
    asked = Command(argv=[java, "-XshowSettings:properties", "-version"], cwd=job.tree, env=job.env)
    hit = _HOME.search(run(asked, check=False).stderr)
    home = Path(hit[1].strip()) if hit else Path(os.path.realpath(java)).parent.parent
    java = lasting(java, home / "bin" / "java")
    if not os.access(home / "bin" / "javac", os.X_OK):
        home = Path(os.path.realpath(compiler)).parent.parent
    return Jdk(home=home, java=java)
