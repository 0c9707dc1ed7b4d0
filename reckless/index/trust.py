"""What is believed, and why: the catalog through one gate, everything else by its digest.

The chain (docs/reference/index.md): catalog → the sha256 and size of each manifest → the sha256 of a shipped lock.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from reckless.errors import IndexSourceError
from reckless.model.catalog import Catalog
from reckless.model.reader import parse_catalog

CATALOG = "v1/catalog.json"
MAX_CATALOG = 32 << 20
MAX_MANIFEST = 1 << 20
MAX_LOCK = 8 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """One file of an index: `path` relative to its base, its sha256, its size (None: any up to `limit`) in bytes."""

    path: str
    sha256: str
    size: int | None = None
    limit: int = MAX_MANIFEST


def verified_catalog(data: bytes, *, location: str) -> bytes:
    """Return the bytes of a catalog that may be believed. The one gate: every catalog of every index passes here.

    Signatures are not checked yet: this is where they will be. Raises IndexSourceError `not-an-index` for a web page in
    the catalog's place (an address of something else, or the sign-in page of a network).
    """
    if data.lstrip()[:1] == b"<":
        raise IndexSourceError(
            "not-an-index",
            f"{location} answers with a web page where an index has its {CATALOG}",
            "check the address; a network that wants you to sign in first answers like this too",
        )
    return data


def read_catalog(data: bytes, *, location: str) -> Catalog:
    """Verify a catalog, then parse it. Raises IndexSourceError `not-an-index`, ManifestError."""
    return parse_catalog(verified_catalog(data, location=location), file=f"{location}/{CATALOG}")


def matches(data: bytes, wanted: Wanted) -> bool:
    """Say whether these are exactly the bytes that were promised."""
    fits = len(data) == wanted.size if wanted.size is not None else len(data) <= wanted.limit
    return fits and hashlib.sha256(data).hexdigest() == wanted.sha256


def mismatch(wanted: Wanted, location: str) -> IndexSourceError:
    """Return the error for bytes that are not those promised."""
    return IndexSourceError(
        "digest-mismatch",
        f"{location}/{wanted.path} is not the file that the index's catalog names; it was not used",
        "if the index was just being updated, a minute's wait mends it; if it stays so, tell who keeps the index",
    )
