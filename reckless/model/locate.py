"""Where things stand in a TOML text, without parsing it: line numbers for findings, and depth before a parser recurses.

The parsers of the standard library keep no positions. A scan over headers and keys finds nearly all; what it misses is
reported at the table around it.
"""

from __future__ import annotations

import re

from reckless.model.finding import Complaint, key_path

MAX_DEPTH = 16
MAX_DOTS = 32

# Each alternative always matches once it has begun, so a text that ends inside a string costs no backtracking.
_OPAQUE = re.compile(
    r'"""(?:[^"\\]|\\[\s\S]|"(?!""))*(?:"{3,5})?'
    r"|'''(?:[^']|'(?!''))*(?:'{3,5})?"
    r'|"(?:[^"\\\n]|\\[^\n])*"?'
    r"|'[^'\n]*'?"
    r"|#[^\n]*"
)
_HEADER = re.compile(r"\s*(?P<open>\[\[?)(?P<key>[^\[\]]+)\]")
_KEY = re.compile(r"(?P<key>[^=\[\]{},]+)=")
_PART = re.compile(r"""\s*(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<bare>[A-Za-z0-9_-]+))\s*(?:\.|\Z)""")


def mask(text: str) -> str:
    """Return the text with strings and comments blanked out, every line where it was."""
    return _OPAQUE.sub(lambda found: re.sub(r"[^\n]", " " if found[0][0] == "#" else "x", found[0]), text)


def too_deep(masked: str) -> Complaint | None:
    """Refuse nesting that no manifest needs, before a recursive parser meets it."""
    depth = 0
    for bracket in re.findall(r"[\[\]{}]", masked):
        depth += 1 if bracket in "[{" else -1
        if depth > MAX_DEPTH:
            return Complaint("too-deep", f"brackets are nested more than {MAX_DEPTH} deep")
    if any(line.count(".") > MAX_DOTS for line in masked.split("\n")):
        return Complaint("too-deep", f"a line has more than {MAX_DOTS} dots outside strings")
    return None


def locate(text: str, masked: str) -> dict[str, int]:
    """Return the line (from 1) of every table header and key that a scan can see, by key path."""
    lines: dict[str, int] = {}
    counts: dict[str, int] = {}
    table, depth = "", 0
    for number, (line, seen) in enumerate(zip(text.split("\n"), masked.split("\n"), strict=True), start=1):
        if depth <= 0 and (header := _HEADER.match(seen)):
            table = _table(_parts(line[slice(*header.span("key"))]), counts, repeated=header["open"] == "[[")
            lines[table] = number
            lines.setdefault(re.sub(r"\[[0-9]+\]\Z", "", table), number)
            continue
        if depth <= 0 and (key := _KEY.match(seen)):
            path = table
            for part in _parts(line[slice(*key.span("key"))]):
                path = key_path(path, part)
                lines.setdefault(path, number)
        depth += sum(1 if bracket in "[{" else -1 for bracket in re.findall(r"[\[\]{}]", seen))
    return lines


def _parts(text: str) -> list[str]:
    """Split a dotted key; a part that this scan can't read ends it."""
    parts, at = [], 0
    while at < len(text) and (found := _PART.match(text, at)):
        parts.append(found["double"] or found["single"] or found["bare"] or "")
        at = found.end()
    return parts


def _table(parts: list[str], counts: dict[str, int], *, repeated: bool) -> str:
    """Return the path of a header: a repeated table by its number, one within it under the newest."""
    path = ""
    for place, part in enumerate(parts, start=1):
        path = key_path(path, part)
        if repeated and place == len(parts):
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = f"{path}[{counts[path]}]"
    return path
