"""What lightningd starts: a small executable that keeps the script's name.

For a Python plugin:

- It names the environment's interpreter absolutely: a service's PATH is short, and the script's own shebang may want
  `uv`. Where the path is too long for a `#!` line, or has a space, `/bin/sh` starts it.
- The interpreter runs isolated (`-I`): the user's site-packages and the node's PYTHONPATH, PYTHONHOME and other PYTHON
  variables have no effect, so a plugin runs with what was installed for it and nothing else. A plugin that wants such a
  setting sets it in its code.
- The script runs as `__main__` with its own `__file__` and folder first in `sys.path`, so siblings are imported, data
  files found and multiprocessing's `spawn` works as when it is run by itself. Its byte code is kept, as a module's is;
  Python does not do that for scripts.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

SHEBANG_LIMIT = 127  # Linux before 5.1; later 255, macOS 512
_SCRIPT = """\
# Written by reckless when it built this plugin.
__file__ = {script!r}
__import__("sys").argv[0] = __file__
__import__("sys").path.insert(0, {folder!r})
__loader__ = __import__("importlib.machinery").machinery.SourceFileLoader("__main__", __file__)
exec(__loader__.get_code("__main__"))
"""
_FUNCTION = """\
# Written by reckless when it built this plugin.
import sys

sys.path[:0] = {folders!r}
sys.argv[0] = {name!r}
from {module} import {first}

if __name__ == "__main__":
    sys.exit({function}())
"""


def script_launcher(script: Path) -> str:
    """Return the Python text that runs `script` as if it were run itself."""
    return _SCRIPT.format(script=str(script), folder=str(script.parent))


def function_launcher(entrypoint: str, folders: list[Path], name: str) -> str:
    """Return the Python text that calls the function that `module:function` names; `folders` are searched first."""
    module, _, function = entrypoint.partition(":")
    first = function.partition(".")[0]
    return _FUNCTION.format(folders=[str(f) for f in folders], module=module, first=first, function=function, name=name)


def write_launcher(text: str, *, python: Path, launcher: Path, body: Path) -> None:
    """Write the executable `launcher`, which runs the Python `text` with the interpreter `python`.

    `body` is where the text goes if a `#!` line cannot name `python`.
    """
    shebang = f"#!{python} -I\n"
    if len(shebang.encode()) <= SHEBANG_LIMIT and not any(c.isspace() for c in str(python)):
        launcher.write_text(shebang + text, encoding="utf-8")
    else:
        body.write_text(text, encoding="utf-8")
        launcher.write_text(program_launcher([python, "-I", body]), encoding="utf-8")
    launcher.chmod(0o755)


def program_launcher(
    argv: Sequence[str | Path], *, unset: Sequence[str] = (), env: Mapping[str, str] | None = None
) -> str:
    """Return the sh text that becomes `argv`, with lightningd's arguments, variables in `unset` gone and `env` set.

    The values of `env` are shell words: quoted where they need it, `$PATH` where that is meant.
    """
    lines = ["#!/bin/sh", "# Written by reckless when it built this plugin."]
    lines += [f"unset {' '.join(unset)}"] if unset else []
    lines += [f"export {name}={value}" for name, value in (env or {}).items()]
    return "\n".join([*lines, f'exec {shlex.join(map(str, argv))} "$@"', ""])
