"""Where the process begins and ends: arguments in, exit status out, and no traceback in between."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from reckless.cli.globals import Globals, take_globals
from reckless.errors import EXIT_BUG, EXIT_FAILED, EXIT_INTERRUPTED, RecklessError, UsageError


def main() -> None:
    """Run the command line and exit: 0 done, 1 failed, 2 wrong usage, 70 a bug in reckless, 130 interrupted."""
    sys.exit(run(sys.argv[1:]))


def run(argv: Sequence[str]) -> int:
    """Run one command; returns its exit status. Never raises."""
    given = Globals(json="--json" in argv or "-j" in argv)
    command = next((a for a in argv if not a.startswith("-")), "")
    try:
        given, rest = take_globals(argv)
        command = next((a for a in rest if not a.startswith("-")), "")
        # Scripts and lightningd's own plugin ask for the version: nothing else is loaded for it.
        return _version(given) if rest == ["--version"] else _dispatch(given, rest)
    except RecklessError as error:
        return _fail(given, command, error, error.exit_code)
    except KeyboardInterrupt:
        interrupted = RecklessError("interrupted", "interrupted; everything was left, or put back, as it was")
        return _fail(given, command, interrupted, EXIT_INTERRUPTED)
    except BrokenPipeError:
        # Whoever read our output has seen enough (`reckless list | head`); what Python flushes at exit goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED
    except OSError as error:
        from reckless.operate.carry import disk_error

        return _fail(given, command, disk_error(error), EXIT_FAILED)
    except Exception as error:  # noqa: BLE001 - the last line of defence: a bug is reported, never shown as a traceback
        return _fail(given, command, _bug(error), EXIT_BUG)


def _dispatch(given: Globals, rest: list[str]) -> int:
    import typer

    from reckless.cli.app import app
    from reckless.cli.context import Context

    if rest[:1] == ["help"]:
        rest = [*rest[1:], "--help"]
    context = Context(given, rest)
    try:
        status = app(args=rest or ["--help"], prog_name="reckless", standalone_mode=False, obj=context)
    except typer.Exit as e:
        return e.exit_code
    except typer.Abort as e:
        raise KeyboardInterrupt from e
    except Exception as e:
        message = getattr(e, "format_message", None)
        if message is None:
            raise
        raise UsageError("usage", str(message()).rstrip("."), "`reckless --help` shows the commands") from e
    return status if isinstance(status, int) else 0


def _version(given: Globals) -> int:
    from reckless import __version__

    if given.json:
        from reckless.cli.envelope import envelope

        print(envelope("version", [__version__], [], None, ok=True))
    else:
        print(f"reckless {__version__}")
    return 0


def _fail(given: Globals, command: str, error: RecklessError, status: int) -> int:
    if given.json:
        from reckless.cli.envelope import envelope

        print(envelope(command, [], [error.message], error, ok=False))
    else:
        from reckless.cli.render import say_error

        sys.stdout.flush()
        say_error(error)
    return status


def _bug(error: Exception) -> RecklessError:
    """Keep the traceback in a file, for the report that we ask for."""
    import tempfile
    import traceback

    with tempfile.NamedTemporaryFile("w", prefix="reckless-bug-", suffix=".txt", delete=False) as f:
        traceback.print_exception(type(error), error, error.__traceback__, file=f)
    return RecklessError(
        "bug",
        f"a bug in reckless: {type(error).__name__}: {error}",
        f"please report it with {f.name}; the next command puts right whatever this one left half done",
    )
