"""What a script's `#!` line asks for, and the launcher that gives it that by absolute path.

A service's PATH is short, and `/usr/bin/env` searches it: so the interpreter is found now, while the user's PATH is
there, and named in the launcher. The script stays among its own files, where it finds its siblings by `$0`.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from reckless.build.base import BuildJob, Built
from reckless.build.launcher import program_launcher
from reckless.build.steps import Steps
from reckless.build.system_packages import install_command
from reckless.errors import BuildError, ToolchainMissingError

_MOST = 4096
_STANDARD = ("/usr/local/bin", "/usr/bin", "/bin")
_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)", re.DOTALL)
# How interpreters look a script over without running it. perl -c also finds that a module is not there.
_CHECKS = {"sh": "-n", "dash": "-n", "bash": "-n", "ksh": "-n", "zsh": "-n", "perl": "-c", "ruby": "-c", "php": "-l"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Shebang:
    """`program` as the line names it, by path or by name; variables that `env` was to set."""

    program: str
    arguments: tuple[str, ...] = ()
    variables: dict[str, str] = field(default_factory=dict)


def parse_shebang(line: str) -> Shebang:
    """Read a `#!` line as Linux does: what follows the interpreter is one argument, and `env -S` splits it.

    Without `-S` several words after `env` are split all the same, as macOS does it. Raises ValueError.
    """
    program, rest = [*line.removeprefix("#!").strip().split(maxsplit=1), "", ""][:2]
    if os.path.basename(program) != "env":  # noqa: PTH119 - a text of a stranger's, perhaps no path at all
        if not program.startswith("/"):
            raise ValueError(f"{program or 'nothing'!r} is no absolute path")
        return Shebang(program=program, arguments=(rest,) if rest else ())
    words = shlex.split(re.sub(r"^(-S|-vS|--split-string[= ])\s*", "", rest))
    variables = {}
    while words and (assigned := _ASSIGNMENT.fullmatch(words[0])):
        variables[assigned[1]] = assigned[2]
        words.pop(0)
    if not words or words[0].startswith("-"):
        raise ValueError(f"env {rest!r} names no program that can be found beforehand")
    return Shebang(program=words[0], arguments=tuple(words[1:]), variables=variables)


def launch_script(steps: Steps, script: Path, file: str) -> Built:
    """Write `tree/bin/<file>`, which starts `script` with the interpreter of its `#!` line.

    The interpreter first looks it over, where it is one that can do that. Raises BuildError: `interpreter-unknown`,
    `toolchain-missing`, and as a step.
    """
    job = steps.job
    shebang = _shebang(job, script)
    interpreter = _found(steps, shebang.program)
    check = _CHECKS.get(interpreter.name)
    if check:
        steps.run(f"{interpreter.name} {check}", interpreter, check, script, cwd=script.parent)
    env = {name: shlex.quote(value) for name, value in shebang.variables.items()}
    if folders := _folders(job):
        env["PATH"] = f'"${{PATH:+$PATH:}}"{shlex.quote(os.pathsep.join(folders))}'
    launcher = job.tree / "bin" / file
    launcher.write_text(program_launcher([interpreter, *shebang.arguments, script], env=env), encoding="utf-8")
    return steps.built(file, interpreter=str(interpreter))


def _shebang(job: BuildJob, script: Path) -> Shebang:
    with script.open("rb") as f:
        line = f.readline(_MOST)
    hint = "its manifest or its author is wrong: a script begins with a line such as #!/usr/bin/env bash"
    if not line.startswith(b"#!"):
        is_program = b"\0" in line
        what = "a program, not a script: its language is `prebuilt`" if is_program else "no script: it has no #! line"
        raise BuildError("interpreter-unknown", f"{job.name}: {script.name} is {what}", hint)
    try:
        return parse_shebang(line.decode())
    except ValueError as e:
        raise BuildError("interpreter-unknown", f"{job.name}: the #! line of {script.name}: {e}", hint) from e


def _found(steps: Steps, program: str) -> Path:
    """Return an interpreter's absolute path: the one named, or where that is not here, the one of that name on PATH."""
    path = steps.env.get("PATH", os.defpath)
    if program.startswith("/") and os.access(program, os.X_OK):
        return Path(program)
    name = Path(program).name
    found = shutil.which(name, path=path)
    if not found:
        message = f"{steps.job.name} is a script for {name}, which is not on this machine"
        raise ToolchainMissingError("toolchain-missing", message, install_command(name))
    if program.startswith("/"):
        steps.note(f"{steps.job.name} asks for {program}, which is not here; {found} runs it")
    return Path(os.path.abspath(found))  # noqa: PTH100 - a link that an upgrade of the system moves along is kept


def _folders(job: BuildJob) -> list[str]:
    """Return the folders of the programs that its manifest says it calls, where a service's PATH may lack them."""
    names = [item.removeprefix("bin:") for item in job.build.system if item.startswith("bin:")]
    found = [shutil.which(name, path=job.env.get("PATH")) for name in names]
    return list(dict.fromkeys(f for f in (str(Path(p).parent) for p in found if p) if f not in _STANDARD))
