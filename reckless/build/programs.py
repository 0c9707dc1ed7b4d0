"""Which path of a program outside of a plugin's tree a launcher should name, so that it is there tomorrow."""

from __future__ import annotations

import os
from pathlib import Path


def lasting(found: Path, real: Path) -> Path:
    """Return the path to name of a program that was `found` on PATH and says that it is `real`.

    That is the one found, which an upgrade of the system keeps (`/usr/bin/java`, Homebrew's links), unless what lies
    there is something else: a version manager's shim, which would choose by the folder that lightningd runs in.
    """
    return found if os.path.realpath(found) == os.path.realpath(real) else real
