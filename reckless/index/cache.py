"""What was fetched from indexes, kept in a folder: always safe to delete, and never believed without its digest.

```
<folder>/<16 hex digits of sha256(base URL)>/catalog     a line of JSON (sha256, validators), then the catalog's bytes
<folder>/blobs/<sha256>                                   manifests, lists of built-ins and locks of all indexes
```

Each file is replaced by one rename, so several processes at once are harmless. Nothing here raises for a folder that
cannot be read or written: then there is simply no cache.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reckless.index.trust import MAX_CATALOG
from reckless.system.files import atomic_write

if TYPE_CHECKING:
    from pathlib import Path

_MAX_HEADER = 1 << 14


@dataclass(frozen=True, kw_only=True, slots=True)
class KeptCatalog:
    """A catalog as it was fetched: its bytes, validators (RFC 9110, 8.8), and when it was last the newest."""

    data: bytes
    etag: str = ""
    last_modified: str = ""
    fetched_at: float = 0.0


class IndexCache:
    """The part of the cache that belongs to one index, and the blobs that all share."""

    def __init__(self, folder: Path, location: str) -> None:
        self._catalog = folder / hashlib.sha256(location.encode()).hexdigest()[:16] / "catalog"
        self._blobs = folder / "blobs"

    def catalog(self) -> KeptCatalog | None:
        """Return the catalog that is kept, or None where there is none or it is damaged."""
        try:
            with self._catalog.open("rb") as f:
                header, data = f.readline(_MAX_HEADER), f.read(MAX_CATALOG + 1)
                fetched_at = os.fstat(f.fileno()).st_mtime
            said = json.loads(header)
            if not isinstance(said, dict) or said.get("sha256") != hashlib.sha256(data).hexdigest():
                return None
            etag, last_modified = str(said.get("etag", "")), str(said.get("last-modified", ""))
        except (OSError, ValueError, RecursionError):
            return None
        return KeptCatalog(data=data, etag=etag, last_modified=last_modified, fetched_at=fetched_at)

    def keep_catalog(self, kept: KeptCatalog) -> None:
        """Keep a catalog that was verified; it counts as the newest from now on."""
        header = {
            "sha256": hashlib.sha256(kept.data).hexdigest(),
            "etag": kept.etag,
            "last-modified": kept.last_modified,
        }
        line = json.dumps(header, sort_keys=True).encode()
        if len(line) < _MAX_HEADER:
            self._write(self._catalog, line + b"\n" + kept.data)

    def still_newest(self) -> None:
        """Note that the server said just now that the kept catalog is the newest."""
        with contextlib.suppress(OSError):
            os.utime(self._catalog)

    def blob(self, sha256: str, limit: int) -> bytes | None:
        """Return the bytes with this digest, or None where they are not kept or are damaged."""
        try:
            with (self._blobs / sha256).open("rb") as f:
                data = f.read(limit + 1)
        except OSError:
            return None
        return data if hashlib.sha256(data).hexdigest() == sha256 else None

    def keep_blob(self, data: bytes) -> None:
        """Keep bytes by their digest."""
        self._write(self._blobs / hashlib.sha256(data).hexdigest(), data)

    @staticmethod
    def _write(file: Path, data: bytes) -> None:
        with contextlib.suppress(OSError):
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            atomic_write(file, data, durable=False)
