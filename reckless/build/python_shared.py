"""Environments that several trees of one plugin share: those of a folder that its author installs after each edit.

An edit mostly changes the plugin's own code, and nothing of what decides on its packages. Where all of that is the same
byte for byte, the next tree gets a link to the environment of the one before, which nobody changes once it is made. It
lies beside the trees, as `env.<16 hex digits>`, and goes with the last tree that links to it.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

from reckless.build.base import BuildJob
from reckless.build.interpreters import Interpreter
from reckless.build.python_deps import logical_lines
from reckless.build.python_project import Source, imports_project

PREFIX = "env."
# Lines of a requirements file, and keys of pyproject.toml, that lead to other files, or to the plugin's own.
_LEADS_ON = re.compile(r"-|\.|/|file:|.*@\s*(file:|\.|/)")
_LEADS_OUT = re.compile(rb"\bpath\s*=|file:|workspace\s*=\s*true|^\s*editable", re.MULTILINE)


def shared_place(job: BuildJob, source: Source, interpreter: Interpreter, uv: Path | None) -> Path | None:
    """Return where this plugin's environment may be shared; None where it is to be the tree's own.

    The name says all that decides on what is in it. A plugin that is installed into its environment itself, as a
    package, has its own.
    """
    if job.shared is None or (source.is_buildable and (source.script is None or imports_project(source))):
        return None
    inputs = _inputs(job, source)
    if inputs is None:
        return None
    digest = hashlib.sha256()
    for part in (str(interpreter.path), str(interpreter.version), "uv" if uv else "pip", *inputs):
        data = part.encode(errors="surrogateescape") if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "big") + data)
    return job.shared / f"{PREFIX}{digest.hexdigest()[:16]}"


def is_in_use(place: Path) -> bool:
    """Say whether a sealed tree has this environment: only then is all of it there, and on disk."""
    linked = (link for link in place.parent.glob("*/env") if link.is_symlink() and link.readlink().name == place.name)
    return any((link.parent / "receipt.json").is_file() for link in linked) and os.access(
        place / "bin" / "python", os.X_OK
    )


def _inputs(job: BuildJob, source: Source) -> list[str | bytes] | None:
    """Return what decides on the packages, as reckless.build.python_deps reads it; None where more does."""
    project = source.folder / "pyproject.toml"
    pyproject = project.read_bytes() if project.is_file() else b""
    if _LEADS_OUT.search(pyproject) or (source.pyproject and source.pyproject.is_computed):
        return None
    if isinstance(job.build.lock, str):
        lock = job.src / job.build.lock
        return [job.build.lock, lock.read_bytes(), pyproject] if lock.is_file() else None
    if job.lock is not None:
        return None
    asked = source.folder / "requirements.txt"
    if asked.is_file():
        text = asked.read_text(encoding="utf-8", errors="replace")
        leads_on = any(_LEADS_ON.match(line) for line in logical_lines(text))
        return None if leads_on else ["requirements.txt", text]
    return ["", pyproject, *(source.inline or ())]
