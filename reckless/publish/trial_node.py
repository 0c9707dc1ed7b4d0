"""A lightningd to try plugins on: a real one, in a folder of its own, on regtest and a chain that is made up."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from reckless.errors import NodeError, RecklessError
from reckless.node.answers import NodeInfo
from reckless.node.rpc import Lightning
from reckless.system.process import Command, kill, start

NETWORK = "regtest"
_BOOT = 90.0
_END = 60.0
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"  # as a service has it


class TrialNode:
    """A node with an empty wallet and no peers, that nobody else can reach; gone when it is closed.

    `lightning_dir` is its folder, `lightning` talks to it. It may die at any time, by a plugin: `up` says so.
    """

    def __init__(self, lightning_dir: Path, lightningd: Path) -> None:
        self.lightning_dir = lightning_dir
        self._lightningd = lightningd
        self._process: subprocess.Popen[bytes] | None = None
        self.lightning = Lightning(
            lightning_dir=lightning_dir, network=NETWORK, argv=[str(lightningd.with_name("lightning-cli"))]
        )

    @property
    def log(self) -> Path:
        """Where it logs."""
        return self.lightning_dir / "lightningd.log"

    @property
    def up(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> NodeInfo:
        """Start it, and return what it says that it is. Raises NodeError `trial-node-failed`, with the log's tail."""
        self.close()
        (self.lightning_dir / NETWORK).mkdir(parents=True, exist_ok=True)
        argv: list[str | Path] = [
            self._lightningd,
            f"--lightning-dir={self.lightning_dir}",
            f"--network={NETWORK}",
            "--disable-plugin=bcli",
            f"--plugin={self._chain()}",
            "--autolisten=false",
        ]
        env = {**os.environ, "HOME": str(self.lightning_dir), "PATH": _PATH}
        with self.log.open("ab") as log:
            began = log.tell()
            self._process = start(Command(argv=argv, cwd=self.lightning_dir, env=env), stdout=log, stderr=log)
        until = time.monotonic() + _BOOT
        while self.up and time.monotonic() < until:
            with contextlib.suppress(NodeError):
                return self.lightning.info()
            time.sleep(0.1)
        self.close()
        raise NodeError(
            "trial-node-failed", f"{self._lightningd} did not come up", "see its log", detail=_tail(self.log, began)
        )

    def stop(self) -> None:
        """Stop it as an operator would."""
        if self._process is not None and self.up:
            with contextlib.suppress(RecklessError):
                self.lightning.call("stop", timeout=_END)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_END)
        self.close()

    def close(self) -> None:
        """Kill it, and all that it started, where it is still there."""
        if self._process is not None:
            kill(self._process)
            self._process = None

    def _chain(self) -> Path:
        """Put the chain into its folder, run by our own Python: its PATH may have none."""
        chain = self.lightning_dir / "chain.py"
        if not chain.exists():
            text = Path(__file__).with_name("stub_chain.py").read_text(encoding="utf-8")
            chain.write_text(f"#!{sys.executable}\n{text.partition(chr(10))[2]}", encoding="utf-8")
            chain.chmod(0o755)
        return chain


def find_lightningd() -> Path | None:
    """Return the lightningd on PATH that has its lightning-cli beside it."""
    found = shutil.which("lightningd")
    if not found:
        return None
    real = Path(found).resolve()
    return real if os.access(real.with_name("lightning-cli"), os.X_OK) else None


def _tail(log: Path, began: int) -> str:
    with log.open("rb") as f:
        f.seek(began)
        return "\n".join(f.read().decode(errors="replace").splitlines()[-15:])
