"""Where the process begins and ends: arguments in, exit status out, and no traceback in between."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from typing import TextIO

from reckless.cli.complete import INSTRUCTION
from reckless.cli.context import Context
from reckless.cli.globals import Globals, command_of, spread, take_globals, wants_json
from reckless.errors import EXIT_BUG, EXIT_FAILED, EXIT_INTERRUPTED, RecklessError, UsageError

_PAGES = ("-h", "--help", "--show-completion", "--install-completion")
_VERSION = ("-V", "--version")
_GROUPS = (["source"], ["index"])


def main() -> None:
    """Run the command line and exit: 0 done, 1 failed, 2 wrong usage, 70 a bug in reckless, 130 interrupted."""
    argv = sys.argv[1:]
    if not _is_recklessrpc(argv):
        sys.exit(run(argv))
    from reckless.cli.recklessrpc import RpcContext, leave

    run([word for word in argv if word], RpcContext)
    leave()
    sys.exit(0)  # the answer says how it went; recklessrpc takes any other status for a crash


def _is_recklessrpc(argv: Sequence[str]) -> bool:
    """Say whether lightningd's recklessrpc plugin runs us: see `reckless.cli.recklessrpc`."""
    return "LIGHTNINGD_PLUGIN" in os.environ and [*argv[:3], *argv[4:5]] == ["-v", "--json", "-l", "--network"]


def run(argv: Sequence[str], kind: type[Context] = Context) -> int:
    """Run one command, which answers as its `kind` of context does; returns its exit status. Never raises."""
    for stream in (sys.stdout, sys.stderr):
        _say_what_can_be_said(stream)
    context = kind(Globals(json=wants_json(argv)), argv)
    try:
        try:
            status = _run(context, argv)
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the last line of defence: no traceback
            status = _fail(context, error)
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        # Whoever read our output has seen enough (`reckless list | head`); what Python flushes at exit goes nowhere.
        _to_nowhere()
        return EXIT_FAILED
    except OSError:  # not even the error can be printed: a full disk behind `> file`
        _to_nowhere()
        return EXIT_FAILED
    return status


def _run(context: Context, argv: Sequence[str]) -> int:
    context.command = command_of(argv)  # until it is known better
    context.given, rest = take_globals(argv)
    context.command = command_of(rest)
    # Scripts and lightningd's own plugin ask for the version: nothing else is loaded for it.
    if len(rest) == 1 and rest[0] in _VERSION:
        from reckless import __version__

        return context.show("version", __version__ if context.given.json else f"reckless {__version__}")
    # And for the list, again and again: it has nothing to parse, and importing typer takes longer than all it does.
    if rest == ["list"] and INSTRUCTION not in os.environ:
        from reckless.cli.interrupts import interruptible
        from reckless.cli.tables import answer_list

        with interruptible():
            return answer_list(context)
    return _dispatch(context, rest)


def _dispatch(context: Context, rest: list[str]) -> int:
    import typer

    from reckless.cli.app import app
    from reckless.cli.interrupts import interruptible

    if INSTRUCTION in os.environ:
        from reckless.cli.complete import prepare

        if not prepare(os.environ):
            return 0
    if rest[:1] == ["help"]:
        rest = [*rest[1:], "--help"]
    elif not rest or rest in _GROUPS:
        rest = [*rest, "--help"]
    rest = spread(rest)
    try:
        with interruptible():
            if any(word in _PAGES for word in rest[: rest.index("--") if "--" in rest else None]):
                return _help(context, app, rest)
            status = app(args=rest, prog_name="reckless", standalone_mode=False, obj=context)
    except SystemExit as e:  # typer ends completion, and a broken pipe, so
        return e.code if isinstance(e.code, int) else EXIT_FAILED
    except typer.Abort as e:
        raise KeyboardInterrupt from e
    except Exception as e:
        usage = _usage(e)
        if usage is None:
            raise
        raise usage from e
    if status == EXIT_INTERRUPTED:  # what typer makes of Ctrl-C
        raise KeyboardInterrupt
    return status if isinstance(status, int) else 0


def _help(context: Context, app: object, rest: list[str]) -> int:
    """Print a help page; with --json it is the one item of `result`."""
    import io

    assert callable(app)  # noqa: S101 - a Typer
    if not context.given.json:
        app(args=rest, prog_name="reckless", standalone_mode=False, obj=context)
        return 0
    with contextlib.redirect_stdout(io.StringIO()) as page:
        app(args=rest, prog_name="reckless", standalone_mode=False, obj=context)
    return context.show("help", page.getvalue())


def _usage(error: Exception) -> UsageError | None:
    """Turn what typer says of a command line into our error; None where it is something else."""
    import re

    message = getattr(error, "format_message", None)
    if message is None:
        return None
    path = getattr(getattr(error, "ctx", None), "command_path", "reckless")
    hint = f"`{path} --help` shows " + ("the commands" if path == "reckless" else "how it is used")
    text, _, near = re.sub(r"\(Possible options?: ", "Did you mean ", str(message())).partition("Did you mean ")
    text = text.rstrip(". ")
    if near:
        hint = f"did you mean {near.replace(chr(39), '').rstrip('?).')}? {hint}"
    return UsageError("usage", text[:1].lower() + text[1:], hint)


def _fail(context: Context, error: BaseException) -> int:
    if isinstance(error, BrokenPipeError):
        raise error
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.flush()
    if isinstance(error, KeyboardInterrupt):
        from reckless.system.process import end_all

        end_all()  # one that was cut off from whoever started it
        context.fail(_interrupted(context))
        return EXIT_INTERRUPTED
    if isinstance(error, RecklessError):
        return context.fail(error)
    if isinstance(error, OSError):
        from reckless.operate.carry import disk_error

        return context.fail(disk_error(error))
    context.fail(_bug(error))
    return EXIT_BUG


def _interrupted(context: Context) -> RecklessError:
    if context.left_behind:
        return RecklessError(
            "interrupted",
            "interrupted; what was under way could not be put back yet",
            "the next reckless command that changes something puts it back first",
        )
    return RecklessError("interrupted", "interrupted; what was under way was put back as it was", "run it again")


def _bug(error: BaseException) -> RecklessError:
    """Keep the traceback in a file, for the report that we ask for."""
    import tempfile
    import traceback

    lines = traceback.format_exception(type(error), error, error.__traceback__)
    what = f"a bug in reckless: {type(error).__name__}: {error}"
    after = "the next command puts right whatever this one left half done"
    try:
        with tempfile.NamedTemporaryFile("w", prefix="reckless-bug-", suffix=".txt", delete=False) as f:
            f.write("".join(lines))
    except OSError:
        return RecklessError("bug", what, f"please report it with what is above; {after}", detail="".join(lines[-2:]))
    return RecklessError("bug", what, f"please report it with {f.name}; {after}")


def _say_what_can_be_said(stream: TextIO) -> None:
    """Print `?` for what a terminal's encoding, or an argument that is no text, does not allow; never fail at it."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="replace")


def _to_nowhere() -> None:
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.dup2(nowhere, sys.stderr.fileno())
        os.close(nowhere)
