"""Starts `reckless` over and over without importing it each time: a process that forks one child a command.

Reads one JSON object a line: {"argv", "env", "out", "err", "sabotage": [under, log, at, how]}; answers with the child's
exit status, negative where a signal ended it, and with what it left running. Each child is a process of its own, as if
started by a shell.
"""

import contextlib
import json
import os
import sys
import traceback
from pathlib import Path


def preload():
    """Import what every command imports anyway."""
    import pkgutil

    import filelock
    import msgspec
    import platformdirs
    import rich.progress

    import reckless

    for module in pkgutil.walk_packages(reckless.__path__, "reckless."):
        if not module.name.startswith(("reckless.publish", "reckless.__main__")):
            __import__(module.name)
    return filelock, msgspec, platformdirs, rich.progress


def main():
    sys.path.insert(0, str(Path(__file__).parent))
    import sabotage

    preload()
    adopt()
    print("ready", flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            _become(order, sabotage)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        print(json.dumps([status, orphans()]), flush=True)


def adopt():
    """Become the parent of what our children leave running (prctl(2), Linux)."""
    import ctypes

    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER


def orphans():
    """Return the programs that the last child left running, each as its command line."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    left = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return [Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ").strip() for pid in left]


def _become(order, sabotage):
    os.environ.clear()
    os.environ.update(order["env"])
    for number, path in ((0, os.devnull), (1, order["out"]), (2, order["err"])):
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(handle, number)
        os.close(handle)
    sys.argv = ["reckless", *order["argv"]]
    sabotage.install(*order["sabotage"])
    from reckless.cli.main import main as reckless

    status = 70
    try:
        reckless()
    except SystemExit as e:
        status = e.code or 0
    except BaseException:  # noqa: BLE001 - a test that reads it insists that there is none
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    main()
