"""How each language's client is asked for one package's file, and what it says when it has none to give."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reckless.errors import FetchError, ProcessError
from reckless.fetch.archive import file_sha256
from reckless.fetch.limits import MAX_BYTES
from reckless.system.complaints import says_disk_full, says_no_network
from reckless.system.process import Command, Completed, run

if TYPE_CHECKING:
    from reckless.fetch.limits import Deadline
    from reckless.model.manifest import Registry, RegistrySource

_MOST_DETAIL = 25  # lines
_ABSENT = re.compile(
    r"could not find `|no matching package|ETARGET|E404|No matching distribution found"
    r"|: (404|410|403) |unknown revision|invalid version|not found in registry"
)
_OTHER_BYTES = re.compile(r"DO NOT MATCH THE HASHES|EINTEGRITY|checksum mismatch|failed to verify the checksum")
_PIP = """
import runpy, sys
sys.path.insert(0, sys.argv[1])
sys.argv[:2] = ["pip"]
runpy.run_module("pip", run_name="__main__", alter_sys=True)
"""
CLIENTS: dict[Registry, str] = {"crates": "cargo", "npm": "npm", "go": "go"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Errand:
    """One package to bring into `folder`, which is empty and the client's working directory."""

    source: RegistrySource
    folder: Path
    env: Mapping[str, str] | None
    deadline: Deadline

    def run(self, *argv: str | Path, **env: str) -> Completed:
        """Run a client to its end, whatever its exit status. Raises FetchError `client-missing`, `fetch-timeout`."""
        base = os.environ if self.env is None else self.env
        command = Command(
            argv=argv, cwd=self.folder, env={**base, **env}, timeout=self.deadline.left(), file_limit=MAX_BYTES
        )
        try:
            return run(command, check=False)
        except ProcessError as e:
            if e.code == "command-timeout":
                raise self.deadline.error() from e
            raise FetchError(
                "client-missing", f"{self.source.where}: {e.message}", "install it, then run it again"
            ) from e

    def client(self) -> str:
        """Return the path of this registry's client. Raises FetchError `client-missing`."""
        name = CLIENTS[self.source.registry]
        path = (os.environ if self.env is None else self.env).get("PATH")
        found = shutil.which(name, path=path)
        if not found:
            message = f"{self.source.where} is fetched by {name}, and there is no {name} on PATH"
            raise FetchError("client-missing", message, f"install {name}, then run it again")
        return found

    def one(self, pattern: str, said: Completed) -> Path:
        """Return the one file that the client left. Raises FetchError, by what the client said, where there is none."""
        found = [f for f in sorted(self.folder.glob(pattern)) if f.is_file()]
        if said.status != 0 or len(found) != 1:
            raise self.failure(said)
        return found[0]

    def failure(self, said: Completed) -> FetchError:
        """Return the error for a client that brought nothing: `no-such-package`, `network-down` and so on."""
        where, words = self.source.where, f"{said.stdout}\n{said.stderr}"
        detail = "\n".join([line for line in words.splitlines() if line.strip()][-_MOST_DETAIL:])
        if says_disk_full(words):
            return FetchError("disk-full", f"the disk is full; {where} was not fetched", "make room, then run it again")
        if _OTHER_BYTES.search(words):
            message = f"{where} is not what the manifest says, or not what its registry says; nothing was kept"
            return FetchError(
                "digest-mismatch", message, "do not install it; tell the manifest's maintainer", detail=detail
            )
        if says_no_network(words) or ("Retrying (Retry" in words and "from versions: none" in words):
            message, hint = f"cannot reach the registry for {where}", "check the network, then run it again"
            return FetchError("network-down", message, hint, detail=detail)
        if _ABSENT.search(words):
            message = f"the registry has no {where}, or does not give it"
            hint = "it may have been withdrawn, or your mirror lacks it: tell whoever maintains the manifest"
            return FetchError("no-such-package", message, hint, detail=detail)
        message = f"{where} could not be fetched (exit {said.status})"
        return FetchError("fetch-failed", message, "the detail has the client's own words", detail=detail)


def bring(errand: Errand) -> Path:
    """Have the client of its registry bring a package; return the file, in the errand's folder or the client's cache.

    The caller verifies it. Raises FetchError: see `Errand`.
    """
    return _BRING[errand.source.registry](errand)


def _bring_crate(errand: Errand) -> Path:
    """Have cargo put the crate into its cache, which is where it stays.

    cargo has no command to download a crate. `cargo info` (1.82) does it on the way and fetches nothing else; before,
    the crate as a dependency of an empty project does, at the price of all that it depends on itself.
    """
    source, cargo = errand.source, errand.client()
    base = os.environ if errand.env is None else errand.env
    home = Path(base.get("CARGO_HOME") or Path(base.get("HOME", "/")) / ".cargo")

    def is_wrong(file: Path) -> bool:
        return file_sha256(file, errand.deadline) != source.checksum

    def cached() -> Path | None:
        """Return the right file, where there are others of that name, too, from other registries."""
        return min(home.glob(f"registry/cache/*/{source.package}-{source.version}.crate"), key=is_wrong, default=None)

    file = cached()
    if file and not is_wrong(file):
        return file
    # Named, because it will not guess where the user's config has a mirror stand in for it; the mirror is then asked.
    named = ("--registry", "crates-io", f"{source.package}@{source.version}")
    said = errand.run(cargo, "info", "--quiet", *named)
    if "no such command" in said.stderr or "no such subcommand" in said.stderr:
        said = _as_dependency(errand, cargo)
    file = cached()
    if said.status != 0 or file is None:
        raise errand.failure(said)
    return file


def _as_dependency(errand: Errand, cargo: str) -> Completed:
    source = errand.source
    needs = f'it = {{ package = "{source.package}", version = "={source.version}" }}'
    text = f'[package]\nname = "empty"\nversion = "0.0.0"\n[lib]\npath = "lib.rs"\n[dependencies]\n{needs}\n'
    (errand.folder / "Cargo.toml").write_text(text)
    (errand.folder / "lib.rs").touch()
    return errand.run(cargo, "fetch")


def _bring_from_pypi(errand: Errand) -> Path:
    """Have pip choose the file that has this hash, be it a source distribution or a wheel.

    It is the pip that virtualenv carries, so there is always one; the user's settings are those of any pip.
    """
    from virtualenv.seed.wheels.embed import get_embed_wheel

    source = errand.source
    wheel = get_embed_wheel("pip", f"{sys.version_info.major}.{sys.version_info.minor}")
    if wheel is None:  # a Python newer than its virtualenv
        message = f"{source.where} is fetched by pip, and virtualenv carries none for this Python"
        raise FetchError("client-missing", message, "upgrade virtualenv, then run it again")
    wanted = errand.folder / "wanted.txt"
    wanted.write_text(f"{source.package}=={source.version} --hash=sha256:{source.checksum}\n")
    into = errand.folder / "got"
    how = ("--no-deps", "--ignore-requires-python", "--retries", "2", "--progress-bar", "off", "--no-input")
    pip = (sys.executable, "-I", "-c", _PIP, str(wheel.path), "download", *how)
    said = errand.run(*pip, "--require-hashes", "-d", into, "-r", wanted, PIP_DISABLE_PIP_VERSION_CHECK="1")
    return errand.one("got/*", said)


def _bring_from_npm(errand: Errand) -> Path:
    """Have npm download the package's tarball; nothing in it is run (npm pack, of what is not a folder)."""
    source = errand.source
    said = errand.run(errand.client(), "pack", "--ignore-scripts", f"{source.package}@{source.version}")
    return errand.one("*.tgz", said)


def _bring_module(errand: Errand) -> Path:
    """Have go put the module's zip into its cache (Go Modules Reference, `go mod download`), and say its hash."""
    source = errand.source
    settings = {"GOWORK": "off", "GO111MODULE": "on", "GOTOOLCHAIN": "local"}
    said = errand.run(errand.client(), "mod", "download", "-json", f"{source.package}@{source.version}", **settings)
    try:
        told = json.loads(said.stdout)
        file, error = Path(told.get("Zip", "")), str(told.get("Error", ""))
    except (ValueError, AttributeError, TypeError):
        file, error = Path(), ""
    if said.status != 0 or error or not file.is_file():
        raise errand.failure(Completed(status=said.status, stdout=error, stderr=said.stderr))
    return file


_BRING: dict[Registry, Callable[[Errand], Path]] = {
    "crates": _bring_crate,
    "pypi": _bring_from_pypi,
    "npm": _bring_from_npm,
    "go": _bring_module,
}
