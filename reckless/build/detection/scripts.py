"""Scripts of any other interpreter: one executable file that answers getmanifest."""

from __future__ import annotations

import posixpath
import re

from reckless.build.detection.found import Finds, Found, Word, shown_names
from reckless.build.detection.look import File, Look, is_test, relative

_SHEBANG = re.compile(r"#!\s*(\S+)(?:[ \t]+(?:-S[ \t]+)?(\S+))?")
_OTHERS = re.compile(r"python|node|^uv$|^deno$|^bun$")  # languages with a detection of their own, or none to build them


def find(look: Look, folder: str, word: Word) -> Finds:
    """Return the folder's scripts that are plugins."""
    found, others = [], []
    for file in look.files(folder):
        interpreter = _interpreter(look, file)
        if not interpreter:
            continue
        why = "answers getmanifest itself" if "getmanifest" in look.text(file.path) else word.why(file.name)
        if why:
            found.append(_found(folder, file, interpreter, why))
        else:
            others.append(file.name)
    seen = [f"scripts that do not answer getmanifest ({shown_names(others)})"] if others and not found else []
    return Finds(found=tuple(found), seen=tuple(seen))


def _interpreter(look: Look, file: File) -> str:
    """Return the name of a script's interpreter, or empty where it is none for us."""
    if not file.executable or is_test(file.name) or file.suffix in {".py", ".js"}:
        return ""
    match = _SHEBANG.match(look.text(file.path).split("\n", 1)[0])
    if not match:
        return ""
    name = posixpath.basename(match[1])
    if name == "env":
        name = posixpath.basename(match[2] or "")
    return "" if _OTHERS.search(name) else name


def _found(folder: str, file: File, interpreter: str, why: str) -> Found:
    entrypoint = relative(file.path, folder)
    return Found(
        language="script",
        system="script",
        folder=folder,
        path=file.path,
        entrypoint=entrypoint,
        why_plugin=f"{entrypoint}, a script for {interpreter}, {why}",
        how=("nothing is built: it is run as it is",),
        names=(file.stem,),
        executable=True,
    )
