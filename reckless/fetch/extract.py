"""Unpack tar and zip archives whose every byte may be hostile. The digest was checked before this is called.

Refused, with nothing kept: absolute paths, `..`, links out of the tree, hard links to anything but an earlier file of
the same archive, devices, fifos, names that come twice, encrypted members, and bombs (bytes, ratio, members, depth).
Dropped: owners, times, setuid bits, `.git` folders (a checkout packed whole has one; its config could run commands).
"""

from __future__ import annotations

import bz2
import errno
import gzip
import lzma
import shutil
import stat
import struct
import tarfile
import zipfile
import zlib
from typing import IO, TYPE_CHECKING, cast

from reckless.errors import FetchError
from reckless.fetch.limits import MAX_LINK, MAX_RATIO, RATIO_GRACE, Deadline, Limits
from reckless.fetch.tree import TreeWriter, is_git_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_CHUNK = 1 << 18
_MAX_READ = 8 << 20  # no header of an honest archive is larger
_XZ_MEMORY = 128 << 20
_BROKEN = (tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, struct.error, UnicodeError)
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")


def extract(archive: Path, root: Path, *, deadline: Deadline, limits: Limits | None = None, strip: int = 0) -> None:
    """Unpack `archive`, told by its first bytes to be zip or tar (plain, gz, bz2, xz), into the new folder `root`.

    `strip` is how many folders all its members are in that are left out.
    Raises FetchError `archive-broken`, `archive-bomb`, `unsafe-member`, and as `TreeWriter`; OSError for this
    machine's own troubles. On any error `root` may be left half done: the caller removes it.
    """
    writer = TreeWriter(root, limits, strip=strip)
    budget = _Budget(archive.stat().st_size, limits or Limits(), deadline)
    try:
        with archive.open("rb") as f:
            head = f.read(6)
        if head.startswith(_ZIP):
            _extract_zip(archive, writer, budget)
        else:
            _extract_tar(_open_tar(archive, head), writer, budget)
    except (gzip.BadGzipFile, *_BROKEN) as e:
        raise _broken(str(e)) from e
    except (ValueError, KeyError, IndexError, OverflowError, NotImplementedError, RuntimeError) as e:
        # What tarfile and zipfile raise on headers that make no sense.
        raise _broken(str(e)) from e
    except OSError as e:
        if e.errno in {None, errno.EINVAL}:  # bz2's "Invalid data stream"; zipfile's seek to before the beginning
            raise _broken(str(e)) from e
        raise
    writer.finish()


def unpack(archive: Path, root: Path, name: str, *, deadline: Deadline, limits: Limits | None = None) -> None:
    """Make the new folder `root` of a file that holds a ready-made program: an archive, or the program itself.

    The program itself, which may be compressed (gz, bz2, xz), becomes `root/name`, executable. Raises as `extract`.
    """
    with archive.open("rb") as f:
        head = f.read(6)
    if head.startswith(_ZIP) or _is_tar(archive, head):
        extract(archive, root, deadline=deadline, limits=limits)
        return
    budget = _Budget(archive.stat().st_size, limits or Limits(), deadline)
    writer = TreeWriter(root, limits)
    try:
        with _open_tar(archive, head) as source, writer.file(name, executable=True) as target:
            while chunk := source.read(_CHUNK):
                budget.check(source.tell())
                writer.count(len(chunk))
                target.write(chunk)
    except (gzip.BadGzipFile, *_BROKEN) as e:
        raise _broken(str(e)) from e
    except OSError as e:
        if e.errno in {None, errno.EINVAL}:
            raise _broken(str(e)) from e
        raise
    writer.finish()


def _is_tar(archive: Path, head: bytes) -> bool:
    try:
        with _open_tar(archive, head) as stream:
            tarfile.TarInfo.frombuf(stream.read(tarfile.BLOCKSIZE), "utf-8", "surrogateescape")
    except (tarfile.TarError, OSError, *_BROKEN):
        return False
    return True


class _Budget:
    """How much an archive of `size` bytes may unfold to; the clock is looked at on the way."""

    def __init__(self, size: int, limits: Limits, deadline: Deadline) -> None:
        self._most = min(limits.bytes, size * MAX_RATIO + RATIO_GRACE)
        self._members = limits.files
        self._deadline = deadline

    def check(self, unfolded: int) -> None:
        """Raise FetchError where that many bytes are too many, or time is over."""
        self._deadline.left()
        if unfolded > self._most:
            raise FetchError(
                "archive-bomb", f"the archive unfolds to more than {self._most >> 20} MiB; nothing was kept", _HINT
            )

    def member(self) -> None:
        """Take note of one more member, of any kind."""
        self._members -= 1
        if self._members < 0:
            raise FetchError("archive-bomb", "the archive holds too many members; nothing was kept", _HINT)


class _Bounded:
    """A decompressed stream that tarfile may read and seek forward in, no further than the budget goes."""

    def __init__(self, stream: IO[bytes], budget: _Budget) -> None:
        self._stream = stream
        self._budget = budget

    def read(self, size: int = -1) -> bytes:
        """Read at most `size` bytes; no one reads all there is."""
        if not 0 <= size <= _MAX_READ:
            raise FetchError("archive-bomb", "the archive has a header of more than 8 MiB; nothing was kept", _HINT)
        self._budget.check(self._stream.tell() + size - 1)
        return self._stream.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to `offset`, which reads all that is between."""
        if whence == 0 and offset > self._stream.tell() + 1:
            return self._skip_to(offset)
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        """Return how many bytes were read."""
        return self._stream.tell()

    def _skip_to(self, offset: int) -> int:
        self._budget.check(offset)
        while (left := offset - self._stream.tell()) > 0:
            if not self._stream.read(min(left, _CHUNK)):
                break
            self._budget.check(self._stream.tell())
        return self._stream.tell()


def _extract_tar(stream: IO[bytes], writer: TreeWriter, budget: _Budget) -> None:
    # tarfile asks its file for read, seek and tell only.
    with stream, tarfile.open(fileobj=_Bounded(stream, budget), mode="r:") as tar:  # type: ignore[call-overload]
        for member in _members(tar):
            budget.member()
            if not _is_dropped(member.name):
                _write_tar_member(tar, member, writer, budget)


def _members(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    while (member := tar.next()) is not None:
        tar.members.clear()  # type: ignore[attr-defined]  # it would keep them all: memory that a hostile archive decides on
        yield member


def _write_tar_member(tar: tarfile.TarFile, member: tarfile.TarInfo, writer: TreeWriter, budget: _Budget) -> None:
    name = member.name
    if member.isdir():
        writer.folder(name)
    elif member.issym():
        writer.link(name, member.linkname)
    elif member.islnk():
        _copy_hard_link(name, member.linkname, writer)
    elif member.isreg():
        if member.issparse():
            budget.check(member.size)
        source = tar.extractfile(member)
        if source is None:
            raise _broken(f"{name!r} has no content")
        with source, writer.file(name, executable=bool(member.mode & 0o100)) as target:
            _copy(source, target, member.size, writer)
    else:
        raise FetchError(
            "unsafe-member", f"the archive holds {name!r}, a device, pipe or other thing that is not a file", _HINT
        )


def _copy_hard_link(name: str, target: str, writer: TreeWriter) -> None:
    """A hard link becomes a copy of the file that it names, which must have come before (ustar typeflag 1)."""
    original = writer.has_file(target)
    if original is None:
        raise FetchError(
            "unsafe-link", f"the archive's hard link {name!r} points to {target!r}, not a file of it", _HINT
        )
    writer.count(original.stat().st_size)
    with original.open("rb") as source, writer.file(name, executable=bool(original.stat().st_mode & 0o100)) as copy:
        shutil.copyfileobj(source, copy, _CHUNK)


def _extract_zip(archive: Path, writer: TreeWriter, budget: _Budget) -> None:
    unfolded = 0
    with zipfile.ZipFile(archive) as pack:
        for member in pack.infolist():
            budget.member()
            if _is_dropped(member.filename):
                continue
            unfolded += member.file_size
            budget.check(unfolded)
            _write_zip_member(pack, member, writer)


def _write_zip_member(pack: zipfile.ZipFile, member: zipfile.ZipInfo, writer: TreeWriter) -> None:
    name = member.orig_filename
    mode = member.external_attr >> 16  # the Unix mode, where a Unix made it (APPNOTE 4.4.15; Info-ZIP)
    kind = stat.S_IFMT(mode) if member.create_system == 3 else 0
    if "\\" in name or member.flag_bits & 1:
        raise FetchError(
            "unsafe-member", f"the archive holds {name!r}, encrypted or with a backslash in its name", _HINT
        )
    if member.is_dir():
        writer.folder(name)
    elif kind == stat.S_IFLNK:
        with pack.open(member) as source:
            writer.link(name, source.read(MAX_LINK + 1).decode())
    elif kind in {0, stat.S_IFREG}:
        with pack.open(member) as source, writer.file(name, executable=bool(mode & 0o100)) as target:
            _copy(source, target, member.file_size, writer)
    else:
        raise FetchError("unsafe-member", f"the archive holds {name!r}, which is not a file, folder or link", _HINT)


def _copy(source: IO[bytes], target: IO[bytes], size: int, writer: TreeWriter) -> None:
    """Copy exactly `size` bytes, what the header promised; zipfile checks the CRC when it has read them."""
    left = size
    while chunk := source.read(_CHUNK):
        left -= len(chunk)
        writer.count(len(chunk))
        target.write(chunk)
    if left != 0:
        raise _broken(f"a member is {left} bytes shorter than it says")


def _open_tar(archive: Path, head: bytes) -> IO[bytes]:
    if head.startswith(b"\x1f\x8b"):
        return cast("IO[bytes]", gzip.open(archive))
    if head.startswith(b"BZh"):
        return bz2.open(archive)
    if head.startswith(b"\xfd7zXZ\0"):
        return _open_xz(archive)
    return archive.open("rb")


def _open_xz(archive: Path) -> IO[bytes]:
    # lzma.open has no memory limit, and a header may ask for 4 GiB; so the first block is tried with one.
    with archive.open("rb") as f:
        lzma.LZMADecompressor(memlimit=_XZ_MEMORY).decompress(f.read(4096), max_length=1)
    return lzma.open(archive)


def _is_dropped(name: str) -> bool:
    parts = [part for part in name.split("/") if part not in {"", "."}]
    return (not parts and not name.startswith("/")) or any(is_git_folder(part) for part in parts)


def _broken(why: str) -> FetchError:
    return FetchError(
        "archive-broken",
        f"the archive cannot be unpacked ({why or 'it ends too early'}); nothing was kept",
        "it is not a tar or zip archive, or was made wrongly; tell whoever maintains the plugin's manifest",
    )


_HINT = "do not install it; tell whoever maintains the plugin's manifest"
