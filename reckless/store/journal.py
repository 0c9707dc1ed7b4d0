"""The changes under way, so that whoever comes after a crash can undo them.

A record a plugin whose activation is being changed: what was before, and what is to be. Records are written before the
first effect and removed after state.json holds the result, so: one whose `after` is in state.json is done, any other
is undone. Most often there is one; plugins that have nothing to do with each other are switched several at once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from reckless.errors import StoreError
from reckless.model.state import Entry, entry_from_json, entry_to_json, remedy
from reckless.store.layout import Layout
from reckless.store.store import load_json
from reckless.system.files import atomic_write

JOURNAL_SCHEMA = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """One plugin's change on one network.

    `before` and `after` are its entries in state.json (None: not installed). `running` says whether the old one ran
    when we began; `block` is its block in our config file as it was (empty: none). `booted` are the options in it that
    lightningd holds since its start, and gives the plugin at every start.
    """

    verb: str
    name: str
    network: str
    before: Entry | None
    after: Entry | None
    running: bool = False
    block: str = ""
    booted: tuple[str, ...] = ()


def begin(layout: Layout, records: Iterable[Record]) -> None:
    """Write the records durably, before the first effect, in place of any that are there. Raises OSError."""
    data = {"schema": JOURNAL_SCHEMA, "changes": [_to_json(record) for record in records]}
    atomic_write(layout.journal, json.dumps(data, indent=1).encode() + b"\n", mode=0o600)


def _to_json(record: Record) -> dict[str, object]:
    return {
        "verb": record.verb,
        "name": record.name,
        "network": record.network,
        "before": entry_to_json(record.before) if record.before else None,
        "after": entry_to_json(record.after) if record.after else None,
        "running": record.running,
        "block": record.block,
        "booted": list(record.booted),
    }


def end(layout: Layout) -> None:
    """Remove the records: each change is done, or undone."""
    layout.journal.unlink(missing_ok=True)


def pending(layout: Layout) -> tuple[Record, ...]:
    """Return the records that an interrupted command left, none where nothing was.

    Raises StoreError `state-damaged`, `state-too-new`.
    """
    try:
        data = load_json(layout.journal, "a journal of reckless")
    except FileNotFoundError:
        return ()
    file = str(layout.journal)
    damaged = StoreError(
        "state-damaged",
        f"{file} is damaged; nothing was changed",
        remedy(file),
    )
    if not isinstance(data, dict) or not isinstance(data.get("schema"), int):
        raise damaged
    if data["schema"] > JOURNAL_SCHEMA:
        raise StoreError(
            "state-too-new", f"{file} was written by a newer reckless; nothing was changed", "use that one"
        )
    changes = data.get("changes")
    if not isinstance(changes, list) or not changes:
        raise damaged
    return tuple(_from_json(change, damaged, file) for change in changes)


def _from_json(data: object, damaged: StoreError, file: str) -> Record:
    if not isinstance(data, dict):
        raise damaged
    texts = [data.get(key) for key in ("verb", "name", "network", "block")]
    if not all(isinstance(t, str) for t in texts) or not isinstance(data.get("running"), bool):
        raise damaged
    booted = data.get("booted")
    if not isinstance(booted, list) or not all(isinstance(name, str) for name in booted):
        raise damaged
    before, after = data.get("before"), data.get("after")
    return Record(
        verb=data["verb"],
        name=data["name"],
        network=data["network"],
        before=entry_from_json(before, file=file) if before is not None else None,
        after=entry_from_json(after, file=file) if after is not None else None,
        running=data["running"],
        block=data["block"],
        booted=tuple(booted),
    )
