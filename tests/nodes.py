"""A lightningd to test against: the stand-in, or a real one, driven the same way."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent / "node"
STUB_CHAIN = Path(__file__).parents[1] / "reckless" / "publish" / "stub_chain.py"
READY = "Server started with public key"
BOOT_TIMEOUT = 60.0


class RpcError(Exception):
    """lightning-cli exited 1 and printed an error object."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


@dataclass(frozen=True, kw_only=True)
class Software:
    """Which lightningd: its programs, the folder of its built-in plugins, and what each start of it needs."""

    bin: Path
    builtins: Path
    real: bool = False
    flags: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Boot:
    """What came of a start: is it up, else its exit code; what it printed on stderr; its log lines so far."""

    up: bool
    exit: int | None
    output: str
    log: tuple[str, ...]


def stand_in(*, version: str = "v26.06.6", timeout: float = 120.0, stop_wait: float = 30.0) -> Software:
    """The stand-in of that version; `timeout` is what a plugin has for getmanifest, and for init (120 s)."""
    python = str(Path(sys.executable).resolve())
    return Software(
        bin=HERE / "bin",
        builtins=HERE / "plugins",
        flags=(f"--standin-plugin-timeout={timeout}", f"--standin-stop-wait={stop_wait}"),
        env={"STANDIN_VERSION": version, "STANDIN_PYTHON": python},
    )


def real_lightningd(stub_chain: Path = STUB_CHAIN) -> Software | None:
    """The real lightningd on PATH, on a stub chain backend; None where there is none."""
    found = shutil.which("lightningd")
    if not found or Path(found).resolve().is_relative_to(HERE.resolve()):
        return None
    folder = Path(found).resolve().parent
    return Software(
        bin=folder,
        builtins=folder.parent / "libexec" / "c-lightning" / "plugins",
        real=True,
        flags=("--disable-plugin=bcli", f"--plugin={stub_chain}", f"--bind-addr=127.0.0.1:{_free_port()}"),
    )


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


class Node:
    """One node in one lightning-dir. Start it with `boot`, talk to it with `cli`; `close` ends it whatever it does."""

    def __init__(
        self, folder: Path, software: Software, *, network: str = "regtest", flags: tuple[str, ...] = ()
    ) -> None:
        self.dir = folder
        self.network = network
        self.netdir = folder / network
        self.config = folder / "config"
        self.software = software
        self.flags = flags
        self.lightning_cli = software.bin / "lightning-cli"
        self.env = os.environ | software.env | {"LIGHTNING_CLI": str(self.lightning_cli)}
        self.env["PATH"] = f"{software.bin}{os.pathsep}{os.environ['PATH']}"
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self._lines: list[str] = []

    # Coming and going

    def boot(self, config: str | None = None) -> Boot:
        """Start it, with `config` written to its config file first; wait until it is up or has refused."""
        self.close()
        self.netdir.mkdir(parents=True, exist_ok=True)
        if config is not None:
            self.config.write_text(config)
        errors = self.netdir / "stderr.txt"
        argv = [str(self.software.bin / "lightningd"), f"--lightning-dir={self.dir}", f"--network={self.network}"]
        argv += [*self.software.flags, *self.flags]
        if self.software.real and shutil.which("setpriv"):
            argv = ["setpriv", "--pdeathsig", "KILL", *argv]
        env = self.env | {"STANDIN_PARENT": str(os.getpid())}
        with errors.open("w") as stderr:
            self._process = subprocess.Popen(
                argv,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                start_new_session=True,
            )
        self._lines = []
        settled = threading.Event()
        self._reader = threading.Thread(target=self._read, args=(self._process, settled), daemon=True)
        self._reader.start()
        if not settled.wait(BOOT_TIMEOUT):
            self.close()
            raise AssertionError(f"lightningd neither came up nor refused within {BOOT_TIMEOUT:.0f} s: {self._lines}")
        up = any(READY in line for line in self._lines)
        code = None if up else self._process.wait(BOOT_TIMEOUT)
        return Boot(up=up, exit=code, output=errors.read_text(), log=tuple(self._lines))

    def _read(self, process: subprocess.Popen[str], settled: threading.Event) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self._lines.append(line.rstrip("\n"))
            if READY in line:
                settled.set()
        settled.set()

    def start(self, config: str | None = None) -> Boot:
        """Boot it and insist that it comes up."""
        boot = self.boot(config)
        assert boot.up, f"lightningd refused to start (exit {boot.exit}): {boot.output}{boot.log}"
        return boot

    def restart(self, config: str | None = None) -> Boot:
        """Stop it as an operator would, then boot it again."""
        self.stop()
        return self.boot(config)

    def stop(self) -> None:
        """Stop it as an operator would; nothing where it does not run."""
        if self.running:
            self.run_cli("stop")
            assert self._process is not None
            self._process.wait(BOOT_TIMEOUT)
        self.close()

    def close(self) -> None:
        """Kill it and everything that it started."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        if self._reader:
            self._reader.join(10)
        if self._process.stdout:
            self._process.stdout.close()
        self._process = None

    @property
    def running(self) -> bool:
        """Is its process there?"""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The process id of its lightningd."""
        assert self._process is not None
        return self._process.pid

    def wait_dead(self, timeout: float = 10.0) -> int:
        """Wait until it has ended by itself; return its exit code (negative: the signal)."""
        assert self._process is not None
        return self._process.wait(timeout)

    # Talking

    @property
    def log(self) -> tuple[str, ...]:
        """What it has logged since the last boot."""
        return tuple(self._lines)

    def run_cli(self, *args: str) -> subprocess.CompletedProcess[str]:
        """Run lightning-cli and return what it said."""
        argv = [str(self.lightning_cli), f"--lightning-dir={self.dir}", f"--network={self.network}", *args]
        return subprocess.run(argv, env=self.env, capture_output=True, text=True, timeout=300, check=False)

    def cli(self, *args: str) -> Any:
        """Run a command and return its answer. Raises RpcError, or AssertionError where there was no answer."""
        done = self.run_cli(*(("-J", *args) if args[:1] == ("help",) else args))
        if done.returncode == 1:
            error = json.loads(done.stdout)
            raise RpcError(error["code"], error["message"])
        assert done.returncode == 0, done
        return json.loads(done.stdout)

    def plugins(self) -> dict[str, bool]:
        """The plugins that are there, without built-in ones and the stub chain: path, and whether it is active."""
        listed = self.cli("plugin", "list")["plugins"]
        return {p["name"]: p["active"] for p in listed if not self.is_builtin(p["name"])}

    def is_builtin(self, path: str) -> bool:
        """Did lightningd, or this test bed, bring that plugin?"""
        chain = [f.partition("=")[2] for f in (*self.software.flags, *self.flags) if f.startswith("--plugin=")]
        return path.startswith(f"{self.software.builtins}{os.sep}") or path in chain
