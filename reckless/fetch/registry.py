"""Packages of a language's registry: brought by that language's own client, verified here, unpacked here.

So a user's mirrors, proxies and credentials are honoured as they are by `cargo`, `pip`, `npm` and `go`; and what a
mirror gives counts only if it has the checksum that the manifest names. No client is let run what it has fetched, but
for one: pip asks a source distribution's own build for its name, once its bytes have been verified.
"""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from reckless.errors import FetchError
from reckless.fetch.archive import file_sha256
from reckless.fetch.clients import Errand, bring
from reckless.fetch.extract import extract
from reckless.system.files import put_in_place, remove_tree

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reckless.fetch.limits import Deadline
    from reckless.model.manifest import RegistrySource

_CHUNK = 1 << 20


def fetch_package(
    source: RegistrySource, root: Path, *, cache: Path, deadline: Deadline, env: Mapping[str, str] | None
) -> None:
    """Make `root` the source tree of a package, without the folder that it is packed in.

    `env` is what the client runs with (None: ours). A Python wheel is unpacked as it would be installed. Raises
    FetchError: `client-missing`, `no-such-package`, `digest-mismatch`, `network-down`, `fetch-timeout`, `fetch-failed`,
    and as `extract`; OSError for this machine's own troubles.
    """
    archive = _package(source, cache, deadline, env)
    depth = source.package.count("/") + 1 if source.registry == "go" else 1  # of the folder that it is packed in
    try:
        extract(archive, root, deadline=deadline, strip=0 if archive.suffix == ".whl" else depth)
        if source.registry == "go":
            _compare(source, hash_of_module(root, f"{source.package}@{source.version}"))
    except FetchError:
        remove_tree(archive.parent)  # what cannot be used is not kept for the next time
        raise


def _package(source: RegistrySource, cache: Path, deadline: Deadline, env: Mapping[str, str] | None) -> Path:
    """Return the package's file, from our cache or else from the client. Go's is verified once it is unpacked."""
    key = hashlib.sha256(f"{source.registry} {source.checksum}".encode()).hexdigest()
    folder = cache / "packages" / key
    kept = next(iter(sorted(folder.iterdir())), None) if folder.is_dir() else None
    if kept and _is_right(source, kept, deadline):
        return kept
    remove_tree(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".new-") as scratch:
        found = bring(Errand(source=source, folder=Path(scratch), env=env, deadline=deadline))
        if not _is_right(source, found, deadline):
            _compare(source, _digest(source, found, deadline))
        new = Path(scratch) / "kept"
        new.mkdir()
        shutil.copyfile(found, new / found.name)
        put_in_place(new, folder)
    return folder / found.name


def _is_right(source: RegistrySource, file: Path, deadline: Deadline) -> bool:
    return source.registry == "go" or _digest(source, file, deadline) == source.checksum


def _digest(source: RegistrySource, file: Path, deadline: Deadline) -> str:
    if source.registry != "npm":
        return file_sha256(file, deadline)
    with file.open("rb") as f:
        digest = hashlib.sha512()
        while chunk := f.read(_CHUNK):
            deadline.left()
            digest.update(chunk)
    return f"sha512-{base64.b64encode(digest.digest()).decode()}"


def hash_of_module(root: Path, prefix: str) -> str:
    """Return the h1 hash of an unpacked Go module (golang.org/x/mod/sumdb/dirhash, Hash1): of names and contents."""
    lines = []
    for folder, _, files in os.walk(root):
        for name in files:
            file = Path(folder, name)
            with file.open("rb") as f:
                digest = hashlib.sha256()
                while chunk := f.read(_CHUNK):
                    digest.update(chunk)
            lines.append((f"{prefix}/{file.relative_to(root).as_posix()}", digest.hexdigest()))
    text = "".join(f"{digest}  {name}\n" for name, digest in sorted(lines))
    return "h1:" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _compare(source: RegistrySource, got: str) -> None:
    if got == source.checksum:
        return
    raise FetchError(
        "digest-mismatch",
        f"{source.where} is not what the manifest says: expected {source.checksum}, got {got}; nothing was kept",
        "the package, or your mirror of the registry, has other bytes than were checked: do not install it; "
        "tell whoever maintains the manifest",
    )
