"""`reckless index build`: a folder of manifests in, a folder of static files out.

The same manifests give the same bytes: nothing here looks at a clock, and everything is sorted. What is written is
written beside and swapped in, so that a reader sees the old index or the new one.
"""

from __future__ import annotations

import contextlib
import filecmp
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from reckless.errors import IndexSourceError, ManifestError, RecklessError
from reckless.model.finding import Finding
from reckless.model.reader import catalog_bytes, parse_catalog
from reckless.publish.check import Checked, check_manifests
from reckless.system.files import put_in_place, remove_tree
from reckless.system.swap import exchange

MAX_CATALOG = 32 << 20
_STAGING = ".v1-"


@dataclass(frozen=True, kw_only=True, slots=True)
class BuiltIndex:
    """What was built. `findings` are remarks that did not stop it; `changed` is false where it was there already."""

    plugins: int
    releases: int
    builtins: int
    locks: int
    findings: tuple[Finding, ...] = ()
    changed: bool = True


def build_index(manifests: Path, out: Path, *, local: bool = False) -> BuiltIndex:
    """Check every manifest strictly and write the index to `out`; plugins no longer in `manifests` go.

    `local` allows sources on this machine, for trying things out. Raises ManifestError `invalid-manifests`, whose
    detail has all findings of all manifests, and IndexSourceError `source-missing`, `not-an-index` where `out` holds
    anything that is not an index (then nothing in it is touched), `cannot-write`.
    """
    checked = check_manifests(manifests, local=local)
    if checked.findings:
        raise _refused(checked.findings)
    catalog = catalog_bytes(checked.catalog)
    parse_catalog(catalog, file="v1/catalog.json")  # what clients would refuse must not get out
    files = {"catalog.json": catalog, **checked.files}
    try:
        changed = _write(out, files)
    except OSError as e:
        raise IndexSourceError(
            "cannot-write",
            f"cannot write the index to {out}: {e.strerror or e}",
            "check its permissions and free space",
        ) from e
    return _built(checked, changed=changed)


def _built(checked: Checked, *, changed: bool) -> BuiltIndex:
    return BuiltIndex(
        plugins=len(checked.catalog.plugins),
        releases=checked.releases,
        builtins=checked.builtins,
        locks=sum(1 for path in checked.files if path.startswith("locks/")),
        findings=checked.remarks,
        changed=changed,
    )


def _refused(findings: tuple[Finding, ...]) -> ManifestError:
    files = len({finding.file for finding in findings})
    return ManifestError(
        "invalid-manifests",
        f"the index was not built: {len(findings)} finding(s) in {files} file(s); the first: {findings[0]}",
        "mend them all and build again",
        detail="\n".join(str(finding) for finding in findings),
    )


def _write(out: Path, files: dict[str, bytes]) -> bool:
    """Put the files in place of `out/v1`; false where exactly these were there already. Raises OSError."""
    _refuse_foreign(out)
    out.mkdir(parents=True, exist_ok=True)
    _clear_staging(out)
    staging = Path(tempfile.mkdtemp(dir=out, prefix=_STAGING))
    new, old, v1 = staging / "new", staging / "old", out / "v1"
    try:
        for path, data in files.items():
            (new / path).parent.mkdir(parents=True, exist_ok=True)
            (new / path).write_bytes(data)
        if v1.is_dir() and _same(new, v1):
            return False
        _swap_in(new, old, v1)
    finally:
        with contextlib.suppress(OSError):
            remove_tree(staging)
    return True


def _swap_in(new: Path, old: Path, v1: Path) -> None:
    """Make `new` the index; only where the system can't exchange two names, there is none for an instant."""
    if not v1.is_dir():
        put_in_place(new, v1)
        return
    if exchange(new, v1):
        return
    put_in_place(v1, old)
    try:
        put_in_place(new, v1)
    except BaseException:
        put_in_place(old, v1)
        raise


def _clear_staging(out: Path) -> None:
    """Clean up after a build that was killed; between its two renames the old index was in its staging folder."""
    for staging in sorted(out.glob(f"{_STAGING}*")):
        if (staging / "old").is_dir() and not (out / "v1").exists():
            put_in_place(staging / "old", out / "v1")
        remove_tree(staging)


def _same(left: Path, right: Path) -> bool:
    names = list(_files(left))
    if names != list(_files(right)):
        return False
    return not any(filecmp.cmpfiles(left, right, names, shallow=False)[1:])


def _files(root: Path) -> Iterator[str]:
    yield from sorted(str(f.relative_to(root)) for f in root.rglob("*") if not f.is_dir())


def _refuse_foreign(out: Path) -> None:
    """See that writing to `out` can destroy nothing but an index. Raises IndexSourceError `not-an-index`."""
    if not os.path.lexists(out):
        return
    if not out.is_dir():
        raise _foreign(out, "it is not a folder")
    names = {entry.name for entry in out.iterdir()}
    leftovers = {name for name in names if name.startswith(_STAGING)}
    if names == leftovers:  # empty, or a first build was killed
        return
    if "v1" not in names and not leftovers:
        raise _foreign(out, "it is not empty, and no index is in it")
    _refuse_foreign_files(out, out / "v1")


def _refuse_foreign_files(out: Path, v1: Path) -> None:
    if v1.is_symlink() or (v1.exists() and not v1.is_dir()):
        raise _foreign(out, "its v1 is not a folder")
    if not v1.exists():
        return
    try:
        parse_catalog((v1 / "catalog.json").read_bytes(), file=str(v1 / "catalog.json"))
    except (OSError, RecklessError) as e:
        raise _foreign(out, "its v1/catalog.json is not one that this reckless can read") from e
    for name in _files(v1):
        folder, _, file = name.partition("/")
        known = name in {"catalog.json", "builtin.toml", "schema.json"}
        if not known and not (folder == "manifests" and file.endswith(".toml")) and not (folder == "locks" and file):
            raise _foreign(out, f"its v1/{name} is no part of an index")


def _foreign(out: Path, why: str) -> IndexSourceError:
    return IndexSourceError(
        "not-an-index",
        f"nothing was written to {out}: {why}",
        "name a new or empty folder, or one that `reckless index build` made; it replaces what is in there",
    )
