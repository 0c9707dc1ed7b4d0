"""Small manifests, and a web server on loopback that can serve them well or badly."""

from __future__ import annotations

import hashlib
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

REV = "0123456789abcdef0123456789abcdef01234567"


def manifest(
    name: str,
    *,
    version: str = "1.0.0",
    summary: str = "Does one thing",
    keywords: Sequence[str] = (),
    rpcmethods: Sequence[str] = (),
    depends: Sequence[str] = (),
    date: str = "2026-08-06",
    extra: str = "",
    more: str = "",
    source: str = f'{{ git = "https://example.com/plugins", rev = "{REV}" }}',
) -> str:
    """Return a manifest with one release; `extra` goes into [plugin], `more` to the end."""

    def items(values: Sequence[str]) -> str:
        return "[" + ", ".join(f'"{v}"' for v in values) + "]"

    return f"""schema = 1

[plugin]
name = "{name}"
summary = "{summary}"
repository = "https://example.com/plugins"
license = "MIT"
category = "other"
keywords = {items(keywords)}
{extra}

[build]
language = "python"
entrypoint = "{name}.py"

[runtime]
rpcmethods = {items(rpcmethods)}

[[release]]
version = "{version}"
date = {date}
cln = ">=23.08"
depends = {items(depends)}
source = {source}
{more}
"""


def write_manifests(folder: Path, *manifests: str, builtin: str = "") -> Path:
    """Write each manifest to the file of its plugin's name."""
    folder.mkdir(parents=True, exist_ok=True)
    for text in manifests:
        name = text.split('name = "', 1)[1].split('"', 1)[0]
        (folder / f"{name}.toml").write_text(text)
    if builtin:
        (folder / "builtin.toml").write_text(builtin)
    return folder


BUILTIN = 'schema = 1\n[builtin.commando]\nsince = "0.12.0"\nrpcmethods = ["commando"]\n'


class Site(ThreadingHTTPServer):
    """Serves a folder with ETags; `faults`: how a path misbehaves; `seen`: (path, status) of each answer."""

    daemon_threads = True

    def __init__(self, root: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.root = root
        self.faults: dict[str, str] = {}
        self.seen: list[tuple[str, int]] = []
        self.asked: list[dict[str, str]] = []
        self.connections = 0
        self.sockets: list[socket.socket] = []
        self.etags = True
        self.last_modified = ""
        self.released = threading.Event()
        self.elsewhere = ""
        self.together = threading.Barrier(1)

    @property
    def base(self) -> str:
        """The address of the index."""
        return f"http://127.0.0.1:{self.server_address[1]}/index"

    def stop(self) -> None:
        """Go away as a server does: nothing listens, and kept connections are cut."""
        self.released.set()
        self.shutdown()
        self.server_close()
        for each in self.sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def paths(self) -> list[str]:
        """Return the paths of all answers so far."""
        return [path for path, _ in self.seen]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Site

    def setup(self) -> None:
        self.server.connections += 1
        self.server.sockets.append(self.request)
        super().setup()

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        path = urlsplit(self.path).path.removeprefix("/index/")
        self.server.asked.append({k.lower(): v for k, v in self.headers.items()})
        fault = self.server.faults.get(path, "")
        file = self.server.root / path
        data = file.read_bytes() if file.is_file() else None
        if fault.isdigit():
            self._answer(path, int(fault), b"no")
        elif fault:
            self.server.seen.append((path, 200))
            getattr(self, f"_{fault}")(data or b"x" * 1000)
        elif data is None:
            self._answer(path, 404, b"no such file")
        else:
            if path.startswith("v1/manifests/"):
                self.server.together.wait(10)
            self._whole(path, data)

    def _whole(self, path: str, data: bytes) -> None:
        etag = f'"{hashlib.sha256(data).hexdigest()[:12]}"'
        headers = {"ETag": etag} if self.server.etags else {}
        if self.server.last_modified:
            headers["Last-Modified"] = self.server.last_modified
        same = self.headers.get("If-None-Match") == etag if self.server.etags else False
        since = self.headers.get("If-Modified-Since")
        same = same or (not self.server.etags and since is not None and since == self.server.last_modified)
        self._answer(path, 304 if same else 200, b"" if same else data, headers)

    def _answer(self, path: str, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.server.seen.append((path, status))
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _head(self, length: int) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def _truncate(self, data: bytes) -> None:
        self._head(len(data))
        self.wfile.write(data[: len(data) // 2])
        self.close_connection = True

    def _wrong(self, data: bytes) -> None:
        self._head(len(data))
        self.wfile.write(b"#" * len(data))

    def _longer(self, data: bytes) -> None:
        self._head(len(data) + 1)
        self.wfile.write(data + b"\n")

    def _html(self, _data: bytes) -> None:
        page = b"\n<!DOCTYPE html><html>Please sign in</html>"
        self._head(len(page))
        self.wfile.write(page)

    def _redirect(self, _data: bytes) -> None:
        self.send_response(302)
        self.send_header("Location", self.server.elsewhere)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _stall(self, _data: bytes) -> None:
        self.server.released.wait(30)
        self.close_connection = True

    def _drip(self, _data: bytes) -> None:
        self._head(1 << 20)
        self._forever(b" ", 0.05)

    def _endless(self, _data: bytes) -> None:
        self.send_response(200)
        self.end_headers()
        self._forever(b" " * (1 << 16), 0)
        self.close_connection = True

    def _forever(self, chunk: bytes, pause: float) -> None:
        try:
            while not self.server.released.is_set():
                self.wfile.write(chunk)
                self.wfile.flush()
                if pause:
                    time.sleep(pause)
        except OSError:  # the client has had enough
            self.close_connection = True


@contextmanager
def serving(root: Path) -> Iterator[Site]:
    """Serve a folder under /index until the end of the block."""
    site = Site(root)
    thread = threading.Thread(target=site.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        site.stop()
        thread.join()
