"""The row of ready-made programs: what an install of one costs beside its download."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import subprocess
import tarfile
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from measure import Row, alternate, wall
from stage import ROOT, Stage

from reckless.build.machine import this_machine
from tests.servers import FileServer

NAME = "make-hello"
SIZE = 8_000_000  # bytes of the archive: what the Rust plugins that offer one come to
SPEED = 25e6 / 8  # bytes a second: an ordinary line
_PART = 1 << 16


class Line(FileServer):
    """Serves files as slowly as an ordinary line brings them."""

    def reply(self, handler: BaseHTTPRequestHandler, status: int, body: bytes, **headers: str) -> None:
        handler.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        began = time.perf_counter()
        for at in range(0, len(body), _PART):
            part = body[at : at + _PART]
            time.sleep(max(0.0, began + (at + len(part)) / SPEED - time.perf_counter()))
            handler.wfile.write(part)


def prebuilt(stage: Stage, scale: float) -> Iterator[Row]:
    """A ready-made program out of an archive, to active, against its download, its unpacking and plugin start."""
    if not shutil.which("curl") or not shutil.which("cc"):
        return
    served, by_hand_at = stage.folder / "line", stage.folder / "ready"
    served.mkdir()
    archive = _archive(stage.folder / "press", served / f"{NAME}.tar.gz")
    target, digest = this_machine(languages=()).target, hashlib.sha256(archive.read_bytes()).hexdigest()
    with Line(served) as line:
        url = line.url(archive.name)
        binary = {"target": target, "url": url, "sha256": digest, "path": NAME}
        stage.world.add_plugin(NAME, versions=())
        stage.world.add_release(NAME, "1.0.0", overrides={"binary": [binary]})

        def reckless() -> float:
            shutil.rmtree(stage.cache / "archives", ignore_errors=True)
            taken = wall([*stage.command, "install", NAME], stage.env)
            assert stage.answers(NAME)
            stage.reckless("uninstall", NAME)
            return taken

        def by_hand() -> float:
            by_hand_at.mkdir()
            file, program = by_hand_at / archive.name, by_hand_at / NAME
            taken = wall(["curl", "--silent", "--fail", "--output", str(file), url], stage.env)
            taken += wall(["tar", "-xzf", str(file), "-C", str(by_hand_at), NAME], stage.env)
            taken += wall([*stage.cli, "plugin", "start", str(program)], stage.env)
            assert stage.answers(NAME)
            stage.node.cli("plugin", "stop", str(program))
            shutil.rmtree(by_hand_at)
            return taken

        a, b = alternate(reckless, by_hand, max(2, round(6 * scale)), warm=1)
    yield Row(
        what="`reckless install` of a ready-made program, 8 MB at 25 Mbit/s, to active",
        against="curl + tar + plugin start", bound=1.2, ours=a, theirs=b,
        note="by hand nothing is verified, probed or written into the config",
    )  # fmt: skip


def _archive(press: Path, file: Path) -> Path:
    """Compile the plugin and pack it, with what fills an archive up to its size and cannot be compressed."""
    shutil.copytree(ROOT / "tests" / "plugins" / NAME, press)
    subprocess.run(["make", "-s", "plugin"], cwd=press, check=True)
    program = (press / "out" / NAME).read_bytes()
    with tarfile.open(file, "w:gz") as tar:
        for name, data, mode in ((NAME, program, 0o755), ("data", os.urandom(SIZE - len(program)), 0o644)):
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(data), mode
            tar.addfile(info, io.BytesIO(data))
    return file
