"""Byte-compiles a plugin's tree; run as a program by the plugin's own interpreter (3.8 or newer), without reckless.

    python -I bytecode.py CACHE PART PARTS ROOT...

Each source below the roots gets its `__pycache__` entry, as `compileall` would make it, unless it has one. Compiling is
most of the work of installing a Python plugin on a small machine, and most plugins share most of their packages: so
code is kept in CACHE by its source's digest, and the next plugin's entry is a copy with its own source's time. Python
sets the file name in the code when it loads it. PART of PARTS is this process's share, so that several can run at once.
Files that do not compile (templates, tests of syntax errors, Python 2) are passed over: they are not what runs.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import marshal
import os
import struct
import sys
from pathlib import Path

_DIGEST = 32


def compile_file(source: Path, kept: Path) -> None:
    """Write the byte code of `source`, from what is kept in `kept` if it is there. Raises OSError, and as `compile`."""
    target = Path(importlib.util.cache_from_source(str(source)))
    if target.exists():
        return
    text, status = source.read_bytes(), source.stat()
    key = hashlib.sha256(text).hexdigest()
    code = _recall(kept / key[:2] / key)
    if code is None:
        code = marshal.dumps(compile(text, str(source), "exec", dont_inherit=True))
        _write(kept / key[:2] / key, hashlib.sha256(code).digest() + code)
    # PEP 552: flags 0 means that the source's time and size say whether this is its byte code.
    header = struct.pack("<LLL", 0, int(status.st_mtime) & 0xFFFFFFFF, status.st_size & 0xFFFFFFFF)
    _write(target, importlib.util.MAGIC_NUMBER + header + code)


def _recall(file: Path) -> bytes | None:
    """Return kept code; None where there is none, or where a crash left only half of it."""
    try:
        data = file.read_bytes()
    except OSError:
        return None
    return data[_DIGEST:] if hashlib.sha256(data[_DIGEST:]).digest() == data[:_DIGEST] else None


def _write(file: Path, data: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(f"{file.name}.{os.getpid()}.new")
    try:
        temporary.write_bytes(data)
        temporary.replace(file)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def sources(root: Path) -> list[Path]:
    """Return the Python files at or below `root`, links to folders not followed."""
    if root.is_file():
        return [root]
    found = []
    for folder, folders, files in os.walk(root):
        folders[:] = [f for f in folders if f != "__pycache__"]
        found += [Path(folder, f) for f in files if f.endswith(".py")]
    return sorted(found)


def main(arguments: list[str]) -> int:
    """Compile this process's share; exit 0, or 28 (ENOSPC) where the disk is full."""
    kept = Path(arguments[0]) / importlib.util.MAGIC_NUMBER.hex()
    part, parts = int(arguments[1]), int(arguments[2])
    every = dict.fromkeys(source for root in arguments[3:] for source in sources(Path(root)))
    sys.setrecursionlimit(10000)
    for source in list(every)[part::parts]:
        try:
            compile_file(source, kept)
        except OSError as e:
            sys.stderr.write(f"{source}: {e}\n")
            if e.errno == 28:
                return 28
        except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError) as e:
            sys.stderr.write(f"{source}: {type(e).__name__}: {e}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
