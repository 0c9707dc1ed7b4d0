"""The lines of lightningd's config files, as lightningd itself reads them (common/configdir.c). Pure text.

Lines end at CR or LF. `#` in the first column makes a comment, `include PATH` another file, all else is `name` or
`name=value`: nothing is trimmed but spaces at the end of a value. Files need not be UTF-8; bytes that are not survive
as surrogates (PEP 383).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

SETCONFIG_COMMENT = "# setconfig commented out"
DROPPED_COMMENT = "# commented out by reckless: "
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_NAME = re.compile(r"[0-9A-Za-z_-]+")

Kind = Literal["blank", "comment", "include", "option"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One line without its ending. `key` is an option's name or `include`; `value` is None where there is no `=`."""

    kind: Kind
    text: str
    key: str = ""
    value: str | None = None

    @property
    def is_sound(self) -> bool:
        """Whether it can be an option at all: an option's name has letters, digits, `-` and `_` only."""
        return self.kind != "option" or _NAME.fullmatch(self.key) is not None


def decode(data: bytes) -> str:
    """Turn a file's bytes into text, losing nothing."""
    return data.decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    """Turn it back into the same bytes."""
    return text.encode("utf-8", "surrogateescape")


def split_lines(text: str) -> tuple[str, ...]:
    """Split into lines, each with its ending: joined again they are `text`."""
    return tuple(_LINE.findall(text))


def parse_line(raw: str) -> Line:
    """Read one line, with or without its ending."""
    text = raw.rstrip("\r\n")
    if not text:
        return Line(kind="blank", text=text)
    if text.startswith("#"):
        return Line(kind="comment", text=text)
    if text.startswith("include "):
        return Line(kind="include", text=text, key="include", value=text.removeprefix("include "))
    key, equals, value = text.partition("=")
    return Line(kind="option", text=text, key=key, value=value.rstrip(" \t\v\f") if equals else None)


def append_line(text: str, line: str) -> str:
    """Return `text` with one more line at its end, in the line endings that it has; what stood there stays."""
    ending = "\r\n" if "\r\n" in text else "\n"
    if text and not text.endswith(("\r", "\n")):
        text += ending
    return f"{text}{line}{ending}"


def comment_out(text: str, numbers: set[int]) -> str:
    """Return `text` with the lines of these numbers (from 1) made comments.

    Taken out, they would shift the lines below, and lightningd refuses `setconfig` of an option whose line has moved.
    """
    lines = split_lines(text)
    return "".join(DROPPED_COMMENT + line if n in numbers else line for n, line in enumerate(lines, 1))
