"""All four registries on loopback, each as its own client asks for it, with one package in each.

with Registries(tmp_path) as served:
    served.env                                      # what makes cargo, pip, npm and go ask here
    served.checksum["npm"]                          # of the package, in the form of its ecosystem
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import os
import subprocess
import tarfile
import zipfile
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from tests.servers import WebServer

NAMES = {"crates": "cln-tiny", "pypi": "cln-tiny", "npm": "@cln/tiny", "go": "example.org/cln/tiny"}
VERSIONS = {"crates": "1.2.0", "pypi": "1.2.0", "npm": "1.2.0", "go": "v1.2.0"}
CLIENTS = {"crates": "cargo", "npm": "npm", "go": "go"}
WRONG = {"crates": "0" * 64, "pypi": "0" * 64, "npm": f"sha512-{'A' * 86}==", "go": f"h1:{'A' * 43}="}
BACKEND = """
import pathlib
def prepare_metadata_for_build_wheel(folder, settings=None):
    place = pathlib.Path(folder, "cln_tiny-1.2.0.dist-info")
    place.mkdir()
    (place / "METADATA").write_text("Metadata-Version: 2.1\\nName: cln-tiny\\nVersion: 1.2.0\\n")
    return place.name
"""
FILES = {
    "crates": {
        "Cargo.toml": '[package]\nname = "cln-tiny"\nversion = "1.2.0"\nedition = "2018"\n',
        "src/main.rs": "fn main() {}\n",
    },
    "pypi": {
        "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "own"\nbackend-path = ["."]\n'
        '[project]\nname = "cln-tiny"\nversion = "1.2.0"\n',
        "own.py": BACKEND,
        "tiny.py": "print(1)\n",
    },
    "npm": {
        "package.json": '{"name": "@cln/tiny", "version": "1.2.0", "scripts": {"prepack": "touch ran"}}',
        "tiny.js": "1\n",
    },
    "go": {
        "go.mod": "module example.org/cln/tiny\n\ngo 1.18\n",
        "main.go": "package main\n\nfunc main() {}\n",
        "b/b.go": "package b\n",
    },
}
TOP = {"crates": "cln-tiny-1.2.0", "pypi": "cln_tiny-1.2.0", "npm": "package", "go": "example.org/cln/tiny@v1.2.0"}


def tgz(files: dict[str, str]) -> bytes:
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", mtime=0) as packed, tarfile.open(fileobj=packed, mode="w") as tar:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            tar.addfile(info, io.BytesIO(text.encode()))
    return out.getvalue()


def packed(files: dict[str, str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as pack:
        for name, text in files.items():
            pack.writestr(name, text)
    return out.getvalue()


def package(registry: str, files: dict[str, str] | None = None) -> bytes:
    """The file that a registry serves, `files` beside those that the package always has."""
    inside = {f"{TOP[registry]}/{name}": text for name, text in {**FILES[registry], **(files or {})}.items()}
    return (packed if registry == "go" else tgz)(inside)


WHEEL_METADATA = {
    "cln_tiny-1.2.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: cln-tiny\nVersion: 1.2.0\n",
    "cln_tiny-1.2.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    "cln_tiny-1.2.0.dist-info/RECORD": "",
}
WHEEL = packed({"tiny.py": "def main(): print(1)\n", **WHEEL_METADATA})


class Registries(WebServer):
    """Serves what `files` holds by path; `env` sends each client here, to caches of its own below `home`."""

    def __init__(self, home: Path) -> None:
        super().__init__()
        self.files: dict[str, bytes] = {}
        self.checksum: dict[str, str] = {}
        for registry in ("crates", "pypi", "npm", "go"):
            self.serve(registry, package(registry))
        cargo = home / "cargo"
        cargo.mkdir(parents=True)
        source = f'[source.crates-io]\nreplace-with = "here"\n[source.here]\nregistry = "sparse+{self.base}/crates/"\n'
        (cargo / "config.toml").write_text(source + "[net]\nretry = 0\n")
        kept = {name: os.environ[name] for name in ("PATH", "RUSTUP_HOME") if name in os.environ}
        self.env = {
            **kept,
            "HOME": str(home),
            "RUSTUP_HOME": os.environ.get("RUSTUP_HOME", str(Path.home() / ".rustup")),
            "CARGO_HOME": str(cargo),
            "PIP_INDEX_URL": f"{self.base}/pypi",
            "PIP_CONFIG_FILE": os.devnull,
            "NPM_CONFIG_REGISTRY": f"{self.base}/npm/",
            "NPM_CONFIG_FETCH_RETRIES": "0",
            "GOPROXY": f"{self.base}/go",
            "GOSUMDB": "off",
            "GOFLAGS": "-modcacherw",
        }

    def serve(self, registry: str, data: bytes, *, promised: bytes | None = None) -> None:
        """Serve `data` as the package; what the registry says of it, and the checksum, are of `promised`."""
        getattr(self, f"_{registry}")(data, data if promised is None else promised)

    def serve_wheel(self, wheel: bytes = WHEEL) -> str:
        """Serve a wheel beside the source distribution; return its sha256."""
        digest = hashlib.sha256(wheel).hexdigest()
        self.files["/pypi/cln_tiny-1.2.0-py3-none-any.whl"] = wheel
        link = f'<a href="../cln_tiny-1.2.0-py3-none-any.whl#sha256={digest}">cln_tiny-1.2.0-py3-none-any.whl</a>'
        self.files["/pypi/cln-tiny/"] += link.encode()
        return digest

    def _crates(self, data: bytes, promised: bytes) -> None:
        digest = hashlib.sha256(promised).hexdigest()
        line = {"name": "cln-tiny", "vers": "1.2.0", "deps": [], "cksum": digest, "features": {}, "yanked": False}
        self.files["/crates/config.json"] = json.dumps({"dl": f"{self.base}/crates/dl"}).encode()
        self.files["/crates/cl/n-/cln-tiny"] = json.dumps(line).encode()
        self.files["/crates/dl/cln-tiny/1.2.0/download"] = data
        self.checksum["crates"] = digest

    def _pypi(self, data: bytes, promised: bytes) -> None:
        digest = hashlib.sha256(promised).hexdigest()
        self.files["/pypi/cln-tiny/"] = (
            f'<a href="../cln_tiny-1.2.0.tar.gz#sha256={digest}">cln_tiny-1.2.0.tar.gz</a>'.encode()
        )
        self.files["/pypi/cln_tiny-1.2.0.tar.gz"] = data
        self.checksum["pypi"] = digest

    def _npm(self, data: bytes, promised: bytes) -> None:
        integrity = "sha512-" + base64.b64encode(hashlib.sha512(promised).digest()).decode()
        dist = {"integrity": integrity, "tarball": f"{self.base}/npm/tiny-1.2.0.tgz"}
        one = {"name": "@cln/tiny", "version": "1.2.0", "dist": dist}
        about = {"name": "@cln/tiny", "dist-tags": {"latest": "1.2.0"}, "versions": {"1.2.0": one}}
        self.files["/npm/@cln%2ftiny"] = json.dumps(about).encode()
        self.files["/npm/tiny-1.2.0.tgz"] = data
        self.checksum["npm"] = integrity

    def _go(self, data: bytes, promised: bytes) -> None:
        place = "/go/example.org/cln/tiny/@v/v1.2.0"
        self.files[f"{place}.info"] = b'{"Version": "v1.2.0", "Time": "2026-01-01T00:00:00Z"}'
        self.files[f"{place}.mod"] = FILES["go"]["go.mod"].encode()
        self.files[f"{place}.zip"] = data
        self.checksum["go"] = "h1:" + "A" * 43 + "="  # what go itself says of it: see `go_sum`

    def go_sum(self) -> str:
        """The h1 of the module as go computes it."""
        argv = ["go", "mod", "download", "-json", "example.org/cln/tiny@v1.2.0"]
        cwd = self.env["HOME"]
        done = subprocess.run(argv, env=self.env, cwd=cwd, capture_output=True, text=True, check=True)
        return json.loads(done.stdout)["Sum"]

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        body = self.files.get(handler.path)
        kind = (
            "text/html"
            if handler.path.startswith("/pypi") and handler.path.endswith("/")
            else "application/octet-stream"
        )
        self.reply(handler, 404 if body is None else 200, body or b"", Content_Type=kind)
