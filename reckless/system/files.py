"""Files written so that a crash at any instant leaves the old or the new, never half of either."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
from pathlib import Path

_ADDED = len(".") + len(".12345678.new")  # what mkstemp adds to a name in `atomic_write`


def atomic_write(path: Path, data: bytes, *, mode: int = 0o644, durable: bool = True) -> None:
    """Replace `path` by `data`: temporary file beside it, fsync, rename, fsync of the folder.

    A symlink is followed and stays a symlink; an existing file's mode and (where we may) owner stay. The temporary
    file is removed on failure. Without `durable` nothing is synced: for what is checked on reading and can be made
    again, since after a power cut it may be empty. Raises OSError.
    """
    path = Path(os.path.realpath(path))
    old = path.stat() if path.exists() else None
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".new")
    try:
        with os.fdopen(handle, "wb") as f:
            f.write(data)
            f.flush()
            os.fchmod(f.fileno(), stat.S_IMODE(old.st_mode) if old else mode)
            if old and (old.st_uid, old.st_gid) != (os.geteuid(), os.getegid()):
                with contextlib.suppress(PermissionError):
                    os.fchown(f.fileno(), old.st_uid, old.st_gid)
            if durable:
                os.fsync(f.fileno())
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            Path(temporary).unlink()
        raise
    if durable:
        sync_folder(path.parent)


def remove_leftovers(path: Path) -> None:
    """Remove temporary files that `atomic_write` of `path` left when it was killed. Raises OSError."""
    path = Path(os.path.realpath(path))
    if path.parent.is_dir():
        for found in path.parent.iterdir():
            name = found.name
            if name.startswith(f".{path.name}.") and name.endswith(".new") and len(name) == len(path.name) + _ADDED:
                found.unlink(missing_ok=True)


def swap_symlink(link: Path, target: str) -> None:
    """Make `link` point at `target` by one rename; `link` may or may not exist. Raises OSError."""
    temporary = link.with_name(f".{link.name}.new")
    with contextlib.suppress(FileNotFoundError):
        temporary.unlink()
    try:
        temporary.symlink_to(target)
        temporary.replace(link)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()
        raise
    sync_folder(link.parent)


def put_in_place(temporary: Path, path: Path) -> None:
    """Rename `temporary`, a finished file or folder on the same file system, to `path`, durably.

    A file at `path` is replaced; of a folder only an empty one is. A file's bytes are synced first; a folder's files
    are not (their writer knows whether they are worth it). Raises OSError.
    """
    if temporary.is_file():
        with temporary.open("rb") as f:
            os.fsync(f.fileno())
    temporary.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make renames within `folder` durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove_tree(path: Path) -> None:
    """Remove `path` and all below it, read-only folders included (Go's module cache has them); absent is fine."""
    if path.is_symlink() or path.is_file():
        path.unlink()
        return
    if path.exists():
        _rmtree(path)


def _rmtree(path: Path) -> None:
    try:
        shutil.rmtree(path)
    except PermissionError:
        path.chmod(0o700)
        for folder, names, _ in os.walk(path):  # top down, so each is readable before it is read
            for name in names:
                below = Path(folder, name)
                if not below.is_symlink():
                    below.chmod(0o700)
        shutil.rmtree(path)
