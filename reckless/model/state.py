"""What is installed: the small record in state.json, and the receipt that each built tree carries.

Both are plain JSON, read here without a library: `reckless list` does nothing else, and starts twice as fast for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace

from reckless.errors import StoreError
from reckless.model.followed import FOLLOW_KINDS, Followed

STATE_SCHEMA = 1
RECEIPT_SCHEMA = 1
OLD_TOOL = "lightningd's own reckless"  # the origin of what that tool installed, as long as it runs from its place


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One installed plugin.

    `tree` and `previous` (newest first) name folders below `<reckless-dir>/<name>/`; `entrypoint` is relative to them.
    `enabled` lists the networks in whose config it stands. `origin` is the source that its release came from; where
    that is no index, `followed` says what an upgrade goes by. `from_source`: it is built here, also where a ready-made
    program fits.
    What lightningd's own tool installed stays in that tool's folder: `tree` is `.`, or `../NAME` where it spells the
    name another way.
    """

    name: str
    version: str
    tree: str
    entrypoint: str
    origin: str
    dynamic: bool = True
    requested: bool = True
    pinned: bool = False
    enabled: tuple[str, ...] = ()
    previous: tuple[str, ...] = ()
    followed: Followed | None = None
    from_source: bool = False

    @property
    def is_old(self) -> bool:
        """Whether it runs from where lightningd's own tool installed it."""
        return self.origin == OLD_TOOL

    def on(self, network: str, *, enabled: bool) -> Entry:
        """Return the entry with this network switched on or off."""
        rest = tuple(n for n in self.enabled if n != network)
        return replace(self, enabled=tuple(sorted((*rest, network))) if enabled else rest)


@dataclass(frozen=True, kw_only=True, slots=True)
class State:
    """Everything installed below one reckless folder.

    `sources` are index URLs and directories in order of preference (empty: the default). `lightningd` maps a network to
    the version that its node last said it had, for resolving while it is down. `old_sources_read`: what lightningd's
    own tool had as sources was taken over, and is not looked at again.
    """

    plugins: Mapping[str, Entry] = field(default_factory=dict)
    sources: tuple[str, ...] = ()
    lightningd: Mapping[str, str] = field(default_factory=dict)
    left: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    old_sources_read: bool = False

    def with_entry(self, entry: Entry) -> State:
        """Return the state with this entry added or replaced."""
        return replace(self, plugins={**self.plugins, entry.name: entry})

    def with_left(self, network: str, left: tuple[str, ...]) -> State:
        """Return the state with the options left behind on a network replaced; an empty tuple forgets them."""
        rest = {n: names for n, names in self.left.items() if n != network}
        return replace(self, left={**rest, network: left} if left else rest)

    def without(self, name: str) -> State:
        """Return the state with `name` left out."""
        return replace(self, plugins={n: e for n, e in self.plugins.items() if n != name})


@dataclass(frozen=True, kw_only=True, slots=True)
class Receipt:
    """What a built tree is: written last, so a tree without one is debris.

    `depends` and `conflicts` are as in the manifest; `options` are the names that getmanifest gave, `required` those
    of them without which it cannot start, `disables` the built-ins that may not run beside it. `interpreter` is
    the absolute path outside the tree that it cannot start without (empty: none). `digest` is the release's.
    `followed` is as in the entry. `target` is the machine that a ready-made program is for (empty: it was built here).
    """

    name: str
    version: str
    digest: str
    origin: str
    source: str
    language: str
    entrypoint: str
    interpreter: str = ""
    dynamic: bool = True
    depends: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    cln: str = ""
    rpcmethods: tuple[str, ...] = ()
    hooks: tuple[str, ...] = ()
    subscriptions: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    disables: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    target: str = ""
    built: str = ""
    reckless: str = ""
    followed: Followed | None = None


def state_to_json(state: State) -> dict[str, object]:
    """Return what state.json holds."""
    return {
        "schema": STATE_SCHEMA,
        "plugins": {name: asdict(state.plugins[name]) for name in sorted(state.plugins)},
        "sources": list(state.sources),
        "lightningd": dict(sorted(state.lightningd.items())),
        "left": {network: list(names) for network, names in sorted(state.left.items())},
        "old_sources_read": state.old_sources_read,
    }


def state_from_json(data: object, *, file: str) -> State:
    """Read what `state_to_json` wrote. Raises StoreError `state-damaged` or `state-too-new`; never guesses."""
    reader = _Reader(file)
    table = reader.table(data, "")
    reader.schema(table, STATE_SCHEMA)
    plugins = reader.table(table.get("plugins"), "plugins")
    return State(
        plugins={name: _entry(reader, name, row) for name, row in plugins.items()},
        sources=reader.texts(table.get("sources", []), "sources"),
        lightningd={
            n: reader.text(v, f"lightningd.{n}") for n, v in reader.table(table.get("lightningd", {}), "").items()
        },
        left={n: reader.texts(v, f"left.{n}") for n, v in reader.table(table.get("left", {}), "left").items()},
        old_sources_read=reader.flag(table.get("old_sources_read", False), "old_sources_read"),
    )


def entry_to_json(entry: Entry) -> dict[str, object]:
    """Return one entry as state.json and the journal hold it."""
    return asdict(entry)


def entry_from_json(data: object, *, file: str) -> Entry:
    """Read one entry. Raises StoreError `state-damaged`."""
    reader = _Reader(file)
    name = reader.text(reader.table(data, "").get("name"), "name")
    return _entry(reader, name, data)


def receipt_to_json(receipt: Receipt) -> dict[str, object]:
    """Return what receipt.json holds."""
    return {"schema": RECEIPT_SCHEMA, **asdict(receipt)}


def receipt_from_json(data: object, *, file: str) -> Receipt:
    """Read what `receipt_to_json` wrote. Raises StoreError `state-damaged` or `state-too-new`."""
    reader = _Reader(file)
    table = reader.table(data, "")
    reader.schema(table, RECEIPT_SCHEMA)

    def text(key: str) -> str:
        return reader.text(table.get(key), key)

    def texts(key: str) -> tuple[str, ...]:
        return reader.texts(table.get(key), key)

    return Receipt(
        name=text("name"),
        version=text("version"),
        digest=text("digest"),
        origin=text("origin"),
        source=text("source"),
        language=text("language"),
        entrypoint=text("entrypoint"),
        interpreter=text("interpreter"),
        dynamic=reader.flag(table.get("dynamic"), "dynamic"),
        depends=texts("depends"),
        conflicts=texts("conflicts"),
        cln=text("cln"),
        rpcmethods=texts("rpcmethods"),
        hooks=texts("hooks"),
        subscriptions=texts("subscriptions"),
        options=texts("options"),
        required=texts("required"),
        disables=texts("disables"),
        notes=texts("notes"),
        target=reader.text(table.get("target", ""), "target"),
        built=text("built"),
        reckless=text("reckless"),
        followed=_followed(reader, table.get("followed"), "followed"),
    )


def _entry(reader: _Reader, name: str, row: object) -> Entry:
    where = f"plugins.{name}"
    table = reader.table(row, where)
    if table.get("name") != name:
        raise reader.damaged(where)

    def text(key: str) -> str:
        return reader.text(table.get(key), f"{where}.{key}")

    def flag(key: str) -> bool:
        return reader.flag(table.get(key), f"{where}.{key}")

    return Entry(
        name=name,
        version=text("version"),
        tree=text("tree"),
        entrypoint=text("entrypoint"),
        origin=text("origin"),
        dynamic=flag("dynamic"),
        requested=flag("requested"),
        pinned=flag("pinned"),
        enabled=reader.texts(table.get("enabled"), f"{where}.enabled"),
        previous=reader.texts(table.get("previous"), f"{where}.previous"),
        followed=_followed(reader, table.get("followed"), f"{where}.followed"),
        from_source=reader.flag(table.get("from_source", False), f"{where}.from_source"),
    )


def _followed(reader: _Reader, value: object, where: str) -> Followed | None:
    """Read what is followed; there is none where a release came from an index, or an older reckless wrote the file."""
    if value is None:
        return None
    table = reader.table(value, where)
    kind = next((k for k in FOLLOW_KINDS if k == table.get("kind")), None)
    if kind is None:
        raise reader.damaged(f"{where}.kind")

    def text(key: str) -> str:
        return reader.text(table.get(key), f"{where}.{key}")

    return Followed(
        kind=kind,
        place=text("place"),
        ref=text("ref"),
        path=text("path"),
        commit=text("commit"),
        content=text("content"),
    )


def remedy(file: str) -> str:
    """Return what to do about a file of ours that is damaged."""
    folder, _, name = file.rpartition("/")
    if name == "receipt.json":
        plugin = folder.rpartition("/")[0].rpartition("/")[2]
        return f"remove {file}; `reckless install {plugin}` then builds it again"
    if name == "journal.json":
        return "`reckless doctor` looks at the rest; where that is well, move this file away"
    return "`reckless doctor --fix` makes it again from the installed trees"


@dataclass(frozen=True, slots=True)
class _Reader:
    """Strict reading of our own JSON: whatever is not what we write is damage."""

    file: str

    def damaged(self, where: str) -> StoreError:
        return StoreError(
            "state-damaged",
            f"{self.file} is damaged{f' at {where}' if where else ''}; nothing was changed",
            remedy(self.file),
        )

    def schema(self, table: Mapping[str, object], known: int) -> None:
        found = table.get("schema")
        if isinstance(found, bool) or not isinstance(found, int):
            raise self.damaged("schema")
        if found > known:
            raise StoreError(
                "state-too-new",
                f"{self.file} is of a newer reckless (format {found}, this one reads {known}); nothing was changed",
                "use the newer reckless, or upgrade this one",
            )

    def table(self, value: object, where: str) -> dict[str, object]:
        if not isinstance(value, dict):
            raise self.damaged(where)
        return value

    def text(self, value: object, where: str) -> str:
        if not isinstance(value, str):
            raise self.damaged(where)
        return value

    def texts(self, value: object, where: str) -> tuple[str, ...]:
        if not isinstance(value, (list, tuple)):
            raise self.damaged(where)
        return tuple(self.text(item, where) for item in value)

    def flag(self, value: object, where: str) -> bool:
        if not isinstance(value, bool):
            raise self.damaged(where)
        return value
