"""Every manifest of a folder checked, alone and against the others; all findings at once."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from packaging.version import Version

from reckless.errors import IndexSourceError, ManifestError, RecklessError
from reckless.index.folder import BUILTIN, read_limited
from reckless.index.listing import catalog_of, entry_of
from reckless.index.trust import MAX_LOCK, MAX_MANIFEST
from reckless.model.catalog import Catalog
from reckless.model.finding import Complaint, Finding, Findings
from reckless.model.locate import locate, mask
from reckless.model.manifest import Builtin, Manifest, ShippedLock
from reckless.model.names import is_name
from reckless.model.reader import check_manifest, parse_builtins


@dataclass(frozen=True, kw_only=True, slots=True)
class Checked:
    """What a folder of manifests makes: `files` by their path below `v1/`, or the `findings` that stand against it."""

    catalog: Catalog
    files: dict[str, bytes]
    releases: int
    builtins: int
    findings: tuple[Finding, ...]
    remarks: tuple[Finding, ...]


@dataclass(kw_only=True)
class _Folder:
    """What is being gathered."""

    root: Path
    local: bool
    files: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[str, Manifest] = field(default_factory=dict)
    builtins: dict[str, Builtin] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    remarks: list[Finding] = field(default_factory=list)

    def add(self, file: str, complaint: Complaint, path: str = "") -> None:
        """Note a finding on a file as a whole."""
        code, message, hint = complaint
        self.findings.append(Finding(file=file, path=path, code=code, message=message, hint=hint))

    def read(self, name: str, limit: int) -> bytes | None:
        """Return what a file holds, or note why it cannot be had."""
        try:
            return read_limited(self.root / name, limit)
        except IndexSourceError as e:
            self.add(name, Complaint(e.code, e.message, e.hint))
            return None


def check_manifests(root: Path, *, local: bool = False) -> Checked:
    """Check all manifests, the list of built-ins and the shipped locks of a folder; findings stand in the answer.

    Raises IndexSourceError `source-missing` or `unreadable` where there is no such folder.
    """
    folder = _Folder(root=root, local=local)
    try:
        names = sorted(entry.name for entry in root.iterdir())
    except OSError as e:
        raise IndexSourceError(
            "source-missing", f"cannot read the folder {root}: {e.strerror}", "name the folder that holds the manifests"
        ) from e
    for name in names:
        _take(folder, name)
    known = {Path(name).stem for name in names} | folder.builtins.keys()  # an unusable manifest is there all the same
    for name in sorted(folder.manifests):
        _Releases(folder, name, known).check()
    _unused_locks(folder)
    entries = [entry_of(m, folder.files[f"manifests/{name}.toml"]) for name, m in folder.manifests.items()]
    return Checked(
        catalog=catalog_of(entries, folder.files.get(BUILTIN)),
        files=dict(sorted(folder.files.items())),
        releases=sum(len(m.releases) for m in folder.manifests.values()),
        builtins=len(folder.builtins),
        findings=tuple(folder.findings),
        remarks=tuple(folder.remarks),
    )


def _take(folder: _Folder, name: str) -> None:
    """Take one entry of the folder for what its name says that it is."""
    if name == BUILTIN:
        _take_builtins(folder)
    elif name.endswith(".toml"):
        _take_manifest(folder, name)
    elif name != "locks" and not name.startswith(".") and not name.lower().startswith("readme"):
        folder.remarks.append(
            Finding(file=name, path="", code="unknown-file", message="this is no manifest and was left out")
        )


def _take_builtins(folder: _Folder) -> None:
    data = folder.read(BUILTIN, MAX_MANIFEST)
    text = _text(folder, BUILTIN, data)
    if data is None or text is None:
        return
    try:
        folder.builtins = parse_builtins(text, file=BUILTIN, strict=True)
        folder.files[BUILTIN] = data
    except ManifestError as e:
        folder.add(BUILTIN, Complaint(e.code, e.detail or e.message, e.hint))


def _take_manifest(folder: _Folder, name: str) -> None:
    stem = name.removesuffix(".toml")
    if not is_name(stem):
        folder.add(name, Complaint("invalid-name", f"{stem!r} is not a plugin's name", "name it NAME.toml, lower case"))
        return
    data = folder.read(name, MAX_MANIFEST)
    text = _text(folder, name, data)
    if data is None or text is None:
        return
    manifest, findings = check_manifest(text, file=name, strict=True, local=folder.local)
    folder.findings.extend(findings)
    if manifest is None:
        return
    if manifest.name != stem:
        complaint = Complaint(
            "wrong-file-name", f"the manifest of {manifest.name} is in {name}", f"call the file {manifest.name}.toml"
        )
        folder.add(name, complaint, "plugin.name")
        return
    folder.manifests[stem] = manifest
    folder.files[f"manifests/{name}"] = data


def _text(folder: _Folder, name: str, data: bytes | None) -> str | None:
    if data is None:
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        folder.add(name, Complaint("not-utf8", "this is not UTF-8 text", "save it as UTF-8"))
        return None


class _Releases:
    """Checks what one manifest says of other files: plugins that it names, locks that it ships."""

    def __init__(self, folder: _Folder, name: str, known: set[str]) -> None:
        text = folder.files[f"manifests/{name}.toml"].decode()
        lines = locate(text, mask(text))
        self._folder, self._known, self._manifest = folder, known, folder.manifests[name]
        self._findings = Findings(f"{name}.toml", lines)
        self._places = _places(text)

    def check(self) -> None:
        """Add what is wrong to the folder's findings."""
        plugin = self._manifest.plugin
        self._named("plugin.replaced-by", plugin.replaced_by)
        for release in self._manifest.releases:
            place = f"release[{self._places.get(release.version, 0)}]"
            for key, others in (("depends", release.depends), ("conflicts", release.conflicts)):
                for other in others:
                    self._named(f"{place}.{key}", other.name)
            if isinstance(release.build.lock, ShippedLock):
                self._lock(f"{place}.build.lock", release.build.lock)
        self._folder.findings.extend(self._findings.sorted())

    def _named(self, path: str, name: str) -> None:
        if not name:
            return
        if name == self._manifest.name:
            self._findings.add(path, Complaint("names-itself", f"{name} names itself", "take it out"))
        elif name not in self._known:
            hint = "add its manifest, or correct the name; plugins that lightningd ships stand in builtin.toml"
            self._findings.add(path, Complaint("no-such-plugin", f"there is no plugin {name}", hint))

    def _lock(self, path: str, lock: ShippedLock) -> None:
        data = self._folder.files.get(lock.file)
        if data is None:
            try:
                data = read_limited(self._folder.root / lock.file, MAX_LOCK)
            except RecklessError as e:
                self._findings.add(path, Complaint("lock-missing", f"{lock.file}: {e.message}", "add it"))
                return
        digest = hashlib.sha256(data).hexdigest()
        if digest != lock.sha256:
            complaint = Complaint(
                "digest-mismatch", f"{lock.file} has another sha256", f'its sha256 is "{digest}"; is it the right file?'
            )
            self._findings.add(path, complaint)
        self._folder.files[lock.file] = data


def _places(text: str) -> dict[Version, int]:
    """Return each release's number in the file: readers sort them by version."""
    import sys

    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    releases = tomllib.loads(text.replace("\r\n", "\n").removeprefix("\ufeff")).get("release", [])
    return {Version(release["version"]): at for at, release in enumerate(releases)}


def _unused_locks(folder: _Folder) -> None:
    locks = folder.root / "locks"
    for file in sorted(locks.rglob("*")) if locks.is_dir() else ():
        name = file.relative_to(folder.root).as_posix()
        if not file.is_dir() and name not in folder.files:
            message = "no release names this lock, and it was left out"
            folder.remarks.append(Finding(file=name, path="", code="unused-lock", message=message))
