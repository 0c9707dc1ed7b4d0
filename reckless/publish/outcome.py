"""What became of a release that was installed for trial, and the record of all: a JSON file and a table in Markdown."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import msgspec

from reckless.errors import IndexSourceError
from reckless.system.files import atomic_write

Reached = Literal["started", "probed", "built", "nothing"]
RECORD = "catalogue.json"
TABLE = "catalogue.md"
SCHEMA = 1
_BEGIN, _END = "<!-- reckless index check: the table -->", "<!-- reckless index check: end of the table -->"


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """How far one release came: `nothing`, `built`, `probed` (it answered getmanifest as its manifest says), `started`.

    `ok`: it came as far as it can on this machine and node; `why` says what kept it from going further. Times are in
    seconds, `start` with a restart of lightningd where it takes one; `size` is that of the built tree, in bytes.
    `digest` is the release's, `lightningd` the version that it was told when it was probed, `on` the machine.
    """

    name: str
    version: str
    language: str
    digest: str
    reached: Reached
    ok: bool
    why: str = ""
    code: str = ""
    fetch: float = 0.0
    build: float = 0.0
    probe: float = 0.0
    start: float = 0.0
    size: int = 0
    lightningd: str = ""
    on: str = ""
    notes: tuple[str, ...] = ()


class _Record(msgspec.Struct):
    schema: int
    trials: list[Trial]


class Record:
    """The record in a folder: `catalogue.json`, and its table in `catalogue.md`, whatever else stands there."""

    def __init__(self, folder: Path) -> None:
        """Nothing is read yet."""
        self._json, self._table = folder / RECORD, folder / TABLE

    def load(self) -> tuple[Trial, ...]:
        """Return what is recorded; nothing where there is no record. Raises IndexSourceError `unreadable`."""
        try:
            record = msgspec.json.decode(self._json.read_bytes(), type=_Record)
        except FileNotFoundError:
            return ()
        except (OSError, msgspec.DecodeError) as e:
            raise _unreadable(self._json, str(e)) from e
        if record.schema != SCHEMA:
            raise _unreadable(self._json, f"its schema is {record.schema}, this reckless writes {SCHEMA}")
        return tuple(record.trials)

    def update(self, trials: Iterable[Trial], listed: Sequence[tuple[str, str]]) -> None:
        """Put these in the place of what was recorded of the same releases; those that are not `listed` go.

        `listed` are names and versions, in the order of the table. Raises IndexSourceError, OSError.
        """
        known = {(t.name, t.version): t for t in (*self.load(), *trials)}
        rows = [known[key] for key in listed if key in known]
        data = {
            "schema": SCHEMA,
            "trials": [{k: v for k, v in asdict(t).items() if v or k == "ok"} for t in rows],
        }
        self._json.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(self._json, (json.dumps(data, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode())
        atomic_write(self._table, self._around(table(rows)).encode())

    def _around(self, text: str) -> str:
        """Return the page with the table in the place of the old one, else a page of its own."""
        block = f"{_BEGIN}\n\n{text}\n{_END}"
        try:
            page = self._table.read_text(encoding="utf-8")
        except FileNotFoundError:
            return f"# Releases, installed for trial\n\n{block}\n"
        before, begin, rest = page.partition(_BEGIN)
        _, end, after = rest.partition(_END)
        if not begin or not end:
            raise _unreadable(self._table, f"it has no place for the table: the lines {_BEGIN} and {_END}")
        return f"{before}{block}{after}"


def _unreadable(file: Path, why: str) -> IndexSourceError:
    return IndexSourceError(
        "unreadable", f"{file} cannot be used: {why}", "nothing was written to it; mend it or move it away"
    )


def table(trials: Sequence[Trial]) -> str:
    """Return a table in Markdown."""
    rows = [
        "| plugin | version | language | came to be | fetch | build | start | size | why no further |",
        "|---|---|---|---|--:|--:|--:|--:|---|",
    ]
    last = ""
    for t in trials:
        name, last = "" if t.name == last else t.name, t.name
        cells = [
            name,
            t.version,
            t.language,
            came(t),
            *map(_seconds, (t.fetch, t.build, t.start)),
            _size(t.size),
            t.why,
        ]
        rows.append(f"| {' | '.join(map(_cell, cells))} |")
    return "\n".join(rows) + "\n"


def came(trial: Trial) -> str:
    """Say how far it came, in a few words."""
    words = {"started": "started", "probed": "built, probed", "built": "built", "nothing": "not built"}
    return words[trial.reached] + ("" if trial.ok else " (fails)")


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").replace("<", "&lt;").split())


def _seconds(value: float) -> str:
    return f"{value:.1f} s" if value else ""


def _size(value: int) -> str:
    return f"{value / 1e6:.1f} MB" if value else ""
