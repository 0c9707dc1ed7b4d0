"""Timing two sides against each other, and what a figure needs beside it: runs, medians, the machine."""

from __future__ import annotations

import json
import os
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

Side = Callable[[], float]


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the table. Times are seconds, `unit` says so; memory is in MB and has no other side."""

    what: str
    against: str
    bound: float
    ours: tuple[float, ...]
    theirs: tuple[float, ...] = ()
    unit: str = "ms"
    note: str = ""
    judged: bool = True

    @property
    def figure(self) -> float:
        """What is held against the bound: the ratio of the medians, or ours where there is no other side."""
        return statistics.median(self.ours) / statistics.median(self.theirs) if self.theirs else max(self.ours)

    @property
    def within(self) -> bool:
        """Whether it is."""
        return self.figure <= self.bound

    def shown(self, times: Sequence[float]) -> str:
        """A side's median, with its fastest and slowest run."""
        if not times:
            return ""
        scale, digits = {"ms": (1000, 0), "s": (1, 1), "MB": (1, 0)}[self.unit]
        low, middle, high = (scale * f(times) for f in (min, statistics.median, max))
        return f"{middle:.{digits}f} {self.unit} ({low:.{digits}f} to {high:.{digits}f}; {len(times)} runs)"


def alternate(ours: Side, theirs: Side, runs: int, *, warm: int = 1) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Run both sides in turn, A B B A A B ..., so that neither has the quieter machine; `warm` rounds don't count."""
    kept: tuple[list[float], list[float]] = ([], [])
    for number in range(-warm, runs):
        pair = ((0, ours), (1, theirs))
        for index, side in pair if number % 2 == 0 else pair[::-1]:
            taken = side()
            if number >= 0:
                kept[index].append(taken)
    return tuple(kept[0]), tuple(kept[1])


def wall(argv: Sequence[str | Path], env: Mapping[str, str], cwd: Path | None = None) -> float:
    """Seconds that a whole process takes. Stops everything where it fails."""
    with tempfile.TemporaryFile() as said:
        began = time.perf_counter()
        code = subprocess.Popen(argv, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=said, stderr=said).wait()
        taken = time.perf_counter() - began
        if code:
            said.seek(0)
            sys.exit(f"{' '.join(map(str, argv))} failed (exit {code}):\n{said.read().decode(errors='replace')}")
    return taken


def probe(plugin: Path) -> float:
    """Seconds from a plugin's start to its answer to getmanifest, and its end."""
    request = {"jsonrpc": "2.0", "id": 1, "method": "getmanifest", "params": {"allow-deprecated-apis": True}}
    began = time.perf_counter()
    with subprocess.Popen([plugin], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd="/") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(request).encode() + b"\n\n")
        process.stdin.flush()
        json.loads(process.stdout.readline())
        process.terminate()
        process.wait()
    return time.perf_counter() - began


def peak(argv: Sequence[str | Path], env: Mapping[str, str]) -> float:
    """The peak of resident memory, in MB, of a process itself, without the programs that it runs (Linux)."""
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(argv, env=env, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        status, most = Path(f"/proc/{process.pid}/status"), 0
        while process.poll() is None:
            for line in status.read_text().splitlines():
                if line.startswith("VmHWM:"):  # a high-water mark: only what comes in the last 2 ms could be missed
                    most = max(most, int(line.split()[1]))
            time.sleep(0.002)
        if process.returncode:
            said.seek(0)
            sys.exit(f"{' '.join(map(str, argv))} failed:\n{said.read().decode(errors='replace')}")
    return most / 1000


class Absence:
    """Calls an RPC method over and over while the block runs; `longest` is the time between two answers, at most."""

    def __init__(self, rpc: Path, method: str) -> None:
        self.longest = 0.0
        self._rpc, self._method = rpc, method
        self._stop = threading.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Absence:  # noqa: PYI034 - Self comes with Python 3.11
        self._thread.start()
        if not self._ready.wait(30):
            sys.exit(f"{self._method} does not answer")
        return self

    def __exit__(self, *_: object) -> None:
        self._ready.clear()
        self._ready.wait(30)  # it answers again: the gap is over
        self._stop.set()
        self._thread.join(30)

    def _watch(self) -> None:
        request = json.dumps({"jsonrpc": "2.0", "id": "bench", "method": self._method, "params": []}).encode()
        last = 0.0
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as rpc:
            rpc.connect(str(self._rpc))
            while not self._stop.is_set():
                rpc.sendall(request)
                answer = b""
                while not answer.endswith(b"\n\n"):
                    part = rpc.recv(1 << 16)
                    if not part:
                        sys.exit("lightningd went away")
                    answer += part
                if b'"result"' in answer:
                    now = time.perf_counter()
                    self.longest = max(self.longest, now - last if last else 0.0)
                    last = now
                    self._ready.set()
                time.sleep(0.0005)


def machine() -> str:
    """The machine, in a sentence."""
    cpu = next((x.split(":")[1].strip() for x in _lines("/proc/cpuinfo") if x.startswith("model name")), "")
    memory = next((int(x.split()[1]) / 1e6 for x in _lines("/proc/meminfo") if x.startswith("MemTotal")), 0)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (
        f"{cores} cores ({cpu or platform.processor()}), {memory:.0f} GB, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}"
    )


def load() -> str:
    """How busy the machine is: the load average of the last minute."""
    return f"{os.getloadavg()[0]:.1f}"


def _lines(file: str) -> list[str]:
    try:
        return Path(file).read_text().splitlines()
    except OSError:
        return []
