"""Real servers on loopback: git over HTTP, smart and dumb, and plain files with every way of misbehaving.

with GitServer(folder_of_bare_repositories) as server:
    server.url("plugins.git")       # http://127.0.0.1:PORT/plugins.git
    server.sent                     # bytes of bodies that it has sent so far
"""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

Answer = Callable[[BaseHTTPRequestHandler], None]


class WebServer:
    """Answers every request by calling `answer` with its handler. A context manager; `base` is its URL."""

    def __init__(self, answer: Answer | None = None) -> None:
        self.sent = 0
        self.requests: list[str] = []
        self.lock = threading.Lock()
        if answer is not None:
            self.answer = answer  # type: ignore[method-assign]
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self) -> None:
                with outer.lock:
                    outer.requests.append(f"{self.command} {self.path}")
                with suppress(BrokenPipeError, ConnectionResetError):
                    outer.answer(self)

            do_GET = do_POST = do_HEAD = _serve  # noqa: N815  # http.server's names

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.base = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        self.reply(handler, 404, b"nothing here")

    def url(self, path: str = "") -> str:
        return f"{self.base}/{path}"

    def reply(self, handler: BaseHTTPRequestHandler, status: int, body: bytes, **headers: str) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)
        with self.lock:
            self.sent += len(body)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class FileServer(WebServer):
    """Serves the files below `root`."""

    def __init__(self, root: Path) -> None:
        super().__init__()
        self.root = root

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        path = self.root / unquote(urlsplit(handler.path).path).lstrip("/")
        if ".." in path.parts or not path.is_file():
            self.reply(handler, 404, b"")
        else:
            self.reply(handler, 200, path.read_bytes(), Content_Type="application/octet-stream")


class GitServer(FileServer):
    """Serves the git repositories below `root`, as `git http-backend` does.

    `allow_any_sha1=False`: speaks the old protocol and serves no commit but what a branch or tag points at.
    `filters=False`: knows no partial clones. `dumb=True`: plain files (`git update-server-info` is run for you).
    `status` and `realm` make every request fail so. `sent` counts the bytes of all bodies.
    """

    def __init__(
        self, root: Path, *, allow_any_sha1: bool = True, filters: bool = True, dumb: bool = False, status: int = 0
    ) -> None:
        super().__init__(root)
        self.dumb = dumb
        self.status = status
        self._modern = allow_any_sha1
        on = {True: "true", False: "false"}
        config = {
            "safe.directory": "*",
            "uploadpack.allowFilter": on[filters],
            "uploadpack.allowAnySHA1InWant": on[allow_any_sha1],
            "uploadpack.allowReachableSHA1InWant": on[allow_any_sha1],
        }
        self._env = {
            "PATH": os.environ["PATH"],
            "HOME": str(root),
            "GIT_PROJECT_ROOT": str(root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_COUNT": str(len(config)),
        }
        for n, (key, value) in enumerate(config.items()):
            self._env |= {f"GIT_CONFIG_KEY_{n}": key, f"GIT_CONFIG_VALUE_{n}": value}

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        body = _body(handler)
        if self.status:
            self.reply(handler, self.status, b"", **({"WWW_Authenticate": "Basic"} if self.status == 401 else {}))
        elif self.dumb:
            self._refresh(handler.path)
            super().answer(handler)
        else:
            self._backend(handler, body)

    def _refresh(self, path: str) -> None:
        if path.endswith("/info/refs") or "/info/refs?" in path:
            repository = self.root / path.split("/info/refs", maxsplit=1)[0].lstrip("/")
            if repository.is_dir():
                subprocess.run(["git", "update-server-info"], cwd=repository, env=self._env, check=True)

    def _backend(self, handler: BaseHTTPRequestHandler, body: bytes) -> None:
        parts = urlsplit(handler.path)
        env = self._env | {
            "REQUEST_METHOD": handler.command,
            "PATH_INFO": unquote(parts.path),
            "QUERY_STRING": parts.query,
            "CONTENT_TYPE": handler.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": handler.headers.get("Content-Encoding", ""),
            "REMOTE_ADDR": "127.0.0.1",
        }
        if self._modern:
            env["GIT_PROTOCOL"] = handler.headers.get("Git-Protocol", "")
        done = subprocess.run(["git", "http-backend"], input=body, env=env, capture_output=True, check=False)
        head, _, answer = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
        status = int(headers.pop("Status", "200").split()[0])
        self.reply(handler, status, answer, **headers)


def _body(handler: BaseHTTPRequestHandler) -> bytes:
    if handler.headers.get("Transfer-Encoding", "") != "chunked":
        return handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
    body = b""
    while size := int(handler.rfile.readline(), 16):
        body += handler.rfile.read(size)
        handler.rfile.readline()
    handler.rfile.readline()
    return body


def git(*arguments: str | Path, cwd: Path, stdin: str | None = None) -> str:
    """Run git in a test, with a person's name and a fixed date, and without the machine's own config."""
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(cwd),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_ALLOW_PROTOCOL": "file:http:https",
        **{f"GIT_{who}_{what}": f"a{at}b" if what == "EMAIL" else "A B" for who in ("AUTHOR", "COMMITTER")
           for what, at in (("NAME", ""), ("EMAIL", "@"))},
        "GIT_AUTHOR_DATE": "1700000000 +0000",
        "GIT_COMMITTER_DATE": "1700000000 +0000",
    }  # fmt: skip
    done = subprocess.run(
        ["git", "-c", "init.defaultBranch=main", "-c", "advice.addEmbeddedRepo=false", *map(str, arguments)],
        cwd=cwd, env=env, input=stdin, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"git {arguments}: {done.stderr}"
    return done.stdout.strip()


class GitRepository:
    """A bare repository at `path` to serve, and a work tree beside it to commit from."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.work = path.with_name(path.name + ".work")
        path.parent.mkdir(parents=True, exist_ok=True)
        git("init", "-q", "--bare", path, cwd=path.parent)
        git("init", "-q", self.work, cwd=path.parent)
        git("remote", "add", "origin", path, cwd=self.work)

    def write(self, files: dict[str, str | bytes]) -> None:
        """Write files into the work tree; one that begins with `#!` is executable."""
        for name, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            file = self.work / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
            file.chmod(0o755 if data.startswith(b"#!") else 0o644)

    def commit(
        self, files: dict[str, str | bytes] | None = None, *, message: str = "change", branch: str = "main"
    ) -> str:
        """Commit the work tree with these files written, push it to `branch`, and return the commit's hash."""
        self.write(files or {})
        git("add", "-A", cwd=self.work)
        git("commit", "-q", "--allow-empty", "-m", message, cwd=self.work)
        git("push", "-q", "-f", "origin", f"HEAD:refs/heads/{branch}", cwd=self.work)
        return git("rev-parse", "HEAD", cwd=self.work)

    def submodule(self, path: str, url: str, commit: str, *, name: str = "", extra: str = "") -> None:
        """Put a submodule into the index; `commit()` then commits it."""
        modules = self.work / ".gitmodules"
        old = modules.read_text() if modules.exists() else ""
        modules.write_text(f'{old}[submodule "{name or path}"]\n\tpath = {path}\n\turl = {url}\n{extra}')
        (self.work / path).mkdir(parents=True, exist_ok=True)
        git("update-index", "--add", "--cacheinfo", f"160000,{commit},{path}", cwd=self.work)
