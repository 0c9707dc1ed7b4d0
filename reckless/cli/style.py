"""Colour and columns without a library: what `reckless list` needs, and all that it can afford to load."""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Sequence
from typing import TextIO

_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}
_NARROWEST = 16  # columns that a text is still worth being cut or wrapped to
_LEAST = 8  # of a table's last column: names before it stay whole, for they are copied


def coloured(stream: TextIO) -> bool:
    """Say whether `stream` is to have colours: a terminal, and NO_COLOR unset (no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def paint(text: str, colour: str, stream: TextIO | None = None) -> str:
    """Return `text` in a colour where `stream` (stdout) has them."""
    return f"\x1b[{_CODES[colour]}m{text}\x1b[0m" if coloured(stream or sys.stdout) else text


def dim(text: str, stream: TextIO | None = None) -> str:
    """Return `text` paler."""
    return paint(text, "dim", stream)


def clean(text: str) -> str:
    """Return `text` without control characters: what plugins, manifests and servers say cannot move the cursor."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        c if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cf", "Zl", "Zp") else "\N{REPLACEMENT CHARACTER}"
        for c in text
    )


def one_line(text: str) -> str:
    """Return `text` clean and in one line."""
    return " ".join(clean(text).split())


def version_text(version: str) -> str:
    """Return a version as people read it: of what lightningd's own tool installed, the commit is all that is known."""
    return version.removeprefix("0+")


def terminal_width(stream: TextIO | None = None) -> int | None:
    """Return how many columns the terminal behind `stream` (stdout) has; None where it is none."""
    stream = stream or sys.stdout
    if not stream.isatty():
        return None
    try:
        return os.get_terminal_size(stream.fileno()).columns or None
    except (OSError, ValueError):
        return None


def columns(rows: Sequence[Sequence[str]], heads: Sequence[str]) -> str:
    """Return rows as aligned columns under pale heads.

    The last column is not padded; on a terminal it is cut to what fits, piped it stays whole. A column that is empty
    in all rows is left out.
    """
    cells = [[one_line(cell) for cell in row] for row in rows]
    shown = [i for i in range(len(heads)) if any(row[i] for row in cells)]
    table = [[row[i] for i in shown] for row in (list(heads), *cells)]
    widths = [max(len(row[i]) for row in table) for i in range(len(shown))]
    room = terminal_width()
    last = max(_LEAST, room - sum(w + 2 for w in widths[:-1])) if room else None
    lines = [
        "  ".join([*(c.ljust(w) for c, w in zip(row[:-1], widths, strict=False)), cut(row[-1], last)]).rstrip()
        for row in table
    ]
    return "\n".join([dim(lines[0]), *lines[1:]])


def cut(text: str, width: int | None) -> str:
    """Return `text` in at most `width` columns, with an ellipsis where something is missing."""
    return text if width is None or len(text) <= width else text[: width - 1].rstrip() + "…"


def hanging(head: str, text: str, *, width: int | None) -> str:
    """Return `head` and `text`, wrapped to `width` with further lines below the text's begin (None: not wrapped)."""
    if width is None or len(head) + len(text) <= width or width - len(head) < _NARROWEST:
        return head + text
    import textwrap

    lines = textwrap.wrap(text, width - len(head), break_long_words=False, break_on_hyphens=False)
    return head + f"\n{' ' * len(head)}".join(lines)
