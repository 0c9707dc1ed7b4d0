"""Starts `reckless` over and over without importing it each time: a process that forks one child a command.

Reads one JSON object a line: {"argv", "env", "out", "err", "sabotage": [under, log, at, how] or null}; answers with the
child's exit status, negative where a signal ended it. Each child is a process of its own, as if started by a shell.
"""

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
    print("ready", flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            _become(order, sabotage)
        print(json.dumps(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])), flush=True)


def _become(order, sabotage):
    os.environ.clear()
    os.environ.update(order["env"])
    for number, path in ((0, os.devnull), (1, order["out"]), (2, order["err"])):
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(handle, number)
        os.close(handle)
    sys.argv = ["reckless", *order["argv"]]
    if order["sabotage"]:
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
