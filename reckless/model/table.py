"""One table of a TOML file, read with types: wrong values become findings, and reading goes on with a stand-in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from reckless.model import hostile
from reckless.model.finding import Complaint, Findings, key_path, shown
from reckless.model.hostile import Check

MAX_ITEMS = 500
MAX_TEXT = 200

T = TypeVar("T", bound=str)


class Table:
    """The keys of one table, where it stands, and where findings go. `strict` reports keys that nothing reads."""

    def __init__(self, data: Mapping[str, object], path: str, findings: Findings, *, strict: bool) -> None:
        self.data = data
        self.path = path
        self.findings = findings
        self.strict = strict

    def __contains__(self, key: str) -> bool:
        """Say whether the file gives this key here."""
        return key in self.data

    def at(self, key: str) -> str:
        """Return the path of one of its keys."""
        return key_path(self.path, key)

    def complain(self, key: str, complaint: Complaint | None) -> bool:
        """Report what is wrong with a key (empty: with the table); say whether anything was."""
        if complaint is not None:
            self.findings.add(self.at(key) if key else self.path, complaint)
        return complaint is not None

    def known(self, *keys: str) -> None:
        """In strict mode, report every key but these, with the one that was probably meant."""
        if not self.strict:
            return
        for key in self.data:
            if key not in keys and not self.findings.full:
                self.complain(
                    key, Complaint("unknown-key", f"{shown(key)} is not a key of the format", _meant(key, keys))
                )

    def require(self, key: str, example: str) -> bool:
        """Report a key that must be there; say whether it is."""
        if key in self.data:
            return True
        self.complain(key, Complaint("missing-key", f"`{key}` is missing", f"add it, such as: {example}"))
        return False

    def text(self, key: str, check: Check | None = None, *, limit: int = MAX_TEXT, several_lines: bool = False) -> str:
        """Return a string, or empty where it is absent or wrong."""
        if key not in self.data:
            return ""
        value = self.data[key]
        return self._checked(key, value, check, limit=limit, several_lines=several_lines)

    def choice(self, key: str, choices: Sequence[T], default: T) -> T:
        """Return one of a fixed list of words."""
        value = self.text(key)
        for choice in choices:
            if choice == value:
                return choice
        if value:
            close = _meant(value, choices) or f"one of: {', '.join(choices)}"
            self.complain(key, Complaint("invalid-choice", f"{shown(value)} is not a known {key}", close))
        return default

    def texts(self, key: str, check: Check | None = None, *, most: int = MAX_ITEMS) -> tuple[str, ...]:
        """Return a list of strings, each checked, none twice; empty where it is absent or wrong."""
        items = self._list(key, "an array of strings", most)
        good = [self._checked(f"{key}[{i}]", item, check, limit=MAX_TEXT) for i, item in enumerate(items)]
        for i, item in enumerate(items):
            if isinstance(item, str) and item in items[:i]:
                self._item(key, i, Complaint("duplicate-item", f"{shown(item)} is there twice", "remove one of them"))
        return tuple(item for item in good if item)

    def flag(self, key: str) -> bool | None:
        """Return true or false, or None where it is absent or wrong."""
        value = self.data.get(key)
        if value is None or isinstance(value, bool):
            return value
        self._wrong_type(key, "true or false")
        return None

    def whole(self, key: str) -> int | None:
        """Return a whole number, or None where it is absent or wrong."""
        value = self.data.get(key)
        if value is None or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        self._wrong_type(key, "a whole number")
        return None

    def date(self, key: str) -> dt.date | None:
        """Return a date, or None where it is absent or wrong."""
        value = self.data.get(key)
        if value is None or (isinstance(value, dt.date) and not isinstance(value, dt.datetime)):
            return value
        self._wrong_type(key, "a date", "write it without quotes and without a time: 2026-08-06")
        return None

    def table(self, key: str) -> Table | None:
        """Return the table under a key, or None where it is absent or wrong."""
        value = self.data.get(key)
        if value is None:
            return None
        if isinstance(value, dict):
            return Table(value, self.at(key), self.findings, strict=self.strict)
        self._wrong_type(key, "a table")
        return None

    def tables(self, key: str, *, most: int) -> list[Table]:
        """Return the tables of an array, those that are none left out."""
        found = []
        for i, item in enumerate(self._list(key, "an array of tables", most)):
            if isinstance(item, dict):
                found.append(Table(item, f"{self.at(key)}[{i}]", self.findings, strict=self.strict))
            else:
                self._item(key, i, Complaint("wrong-type", f"this is {_type(item)}, not a table"))
        return found

    def _list(self, key: str, what: str, most: int) -> list[object]:
        value = self.data.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            self._wrong_type(key, what, "put it in brackets: [ ... ]")
            return []
        if len(value) > most:
            self.complain(key, Complaint("too-many", f"{len(value)} items; at most {most} are allowed"))
            return []
        return value

    def _checked(self, key: str, value: object, check: Check | None, *, limit: int, several_lines: bool = False) -> str:
        """Return the string if nothing is wrong with it; `key` may be `name[3]` for an item."""
        complaint = _text_problem(value, limit, several_lines=several_lines)
        if isinstance(value, str) and complaint is None:
            complaint = check(value) if check else None
            if complaint is None:
                return value
        if complaint is not None:
            self.findings.add(f"{self.path}.{key}" if self.path else key, complaint)
        return ""

    def _item(self, key: str, index: int, complaint: Complaint) -> None:
        self.findings.add(f"{self.at(key)}[{index}]", complaint)

    def _wrong_type(self, key: str, wanted: str, hint: str = "") -> None:
        self.complain(key, Complaint("wrong-type", f"this is {_type(self.data[key])}, not {wanted}", hint))


def _text_problem(value: object, limit: int, *, several_lines: bool) -> Complaint | None:
    """Say what is wrong with a value that should be a plain string of at most `limit` characters."""
    if not isinstance(value, str):
        return Complaint("wrong-type", f"this is {_type(value)}, not a string", "put it in quotes")
    if not value.strip():
        return Complaint("empty-text", "this is empty", "write something, or leave the key out")
    if len(value) > limit:
        return Complaint("too-long", f"{len(value)} characters; at most {limit} are allowed", "shorten it")
    return hostile.control(value, several_lines=several_lines)


def _meant(word: str, known: Iterable[str]) -> str:
    """Return the hint that names what was probably meant, or empty."""
    if len(word) > 40:
        return ""
    import difflib

    close = difflib.get_close_matches(word, known, n=1)
    return f"did you mean {close[0]!r}?" if close else ""


def _type(value: object) -> str:
    """Name a TOML value's type for a person."""
    names = {bool: "true or false", int: "a whole number", float: "a number", str: "a string", list: "an array"}
    return names.get(type(value), "a table" if isinstance(value, dict) else "a date or time")
