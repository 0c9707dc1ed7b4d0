"""Archives by the sha256 of their bytes: brought here once, checked before anything in them is looked at."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from pathlib import Path
from urllib.parse import unquote, urlsplit

from reckless.errors import FetchError, RecklessError
from reckless.fetch.limits import MAX_ARCHIVE, Deadline
from reckless.system import http
from reckless.system.files import put_in_place

_CHUNK = 1 << 20
_SHA256 = re.compile(r"[0-9a-f]{64}")


def cached_archive(url: str, sha256: str, *, cache: Path, deadline: Deadline, limit: int = MAX_ARCHIVE) -> Path:
    """Return a file that holds the bytes with this digest, from the cache or else from `url`.

    `url` is https (http on loopback), `file://` or an absolute path. What the cache holds is checked too, and thrown
    away where it has changed. Raises FetchError: `digest-mismatch`, `archive-not-found`, `insecure-url`, and what
    `reckless.system.http.download` says; OSError for this machine's own troubles.
    """
    if not _SHA256.fullmatch(sha256):
        raise FetchError("invalid-digest", f"{sha256!r} is not a sha256", "64 lower-case hex digits")
    folder = cache / "archives"
    kept = folder / sha256
    if kept.is_file():
        if file_sha256(kept, deadline) == sha256:
            return kept
        kept.unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=folder, prefix=".new-")
    os.close(handle)
    new = Path(name)
    try:
        got = _bring(url, new, deadline, limit)
        if got != sha256:
            raise FetchError(
                "digest-mismatch",
                f"{url} is not what the manifest says: expected sha256 {sha256}, got {got}; nothing was kept",
                "the file was changed after it was checked: do not install it; tell whoever maintains the manifest",
            )
        put_in_place(new, kept)
    finally:
        new.unlink(missing_ok=True)
    return kept


def local_path(url: str) -> Path | None:
    """Return the path that a `file://` URL or an absolute path names, or None where `url` is neither."""
    if url.startswith("/"):
        return Path(url)
    parts = urlsplit(url)
    if parts.scheme == "file" and parts.netloc in {"", "localhost"}:
        return Path(unquote(parts.path))
    return None


def _bring(url: str, to: Path, deadline: Deadline, limit: int) -> str:
    path = local_path(url)
    if path is not None:
        return _copy(path, to, deadline, limit)
    try:
        return http.download(url, to, limit=limit, timeout=deadline.left())
    except RecklessError as e:
        if e.code == "http-timeout":
            raise deadline.error() from e
        code = "archive-not-found" if e.code == "http-status" else e.code
        raise FetchError(code, e.message, e.hint, detail=e.detail) from e


def _copy(path: Path, to: Path, deadline: Deadline, limit: int) -> str:
    if not path.is_file():
        raise FetchError("archive-not-found", f"there is no file {path}", "check the path")
    if path.stat().st_size > limit:
        raise FetchError("http-too-large", f"{path} has more than {limit} bytes", "it cannot be installed")
    digest = hashlib.sha256()
    with path.open("rb") as source, to.open("wb") as target:
        while chunk := source.read(_CHUNK):
            deadline.left()
            digest.update(chunk)
            target.write(chunk)
    return digest.hexdigest()


def file_sha256(path: Path, deadline: Deadline) -> str:
    """Return the sha256 of a file's bytes (64 hex digits). Raises FetchError `fetch-timeout`, OSError."""
    digest = hashlib.sha256()
    with path.open("rb") as f:
        while chunk := f.read(_CHUNK):
            deadline.left()
            digest.update(chunk)
    return digest.hexdigest()
