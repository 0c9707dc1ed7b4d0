"""Colour and columns without a library: what `reckless list` needs, and all that it can afford to load."""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Sequence
from typing import TextIO

_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}


def coloured(stream: TextIO) -> bool:
    """Say whether `stream` is to have colours: a terminal, and NO_COLOR unset (no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def paint(text: str, colour: str, stream: TextIO = sys.stdout) -> str:
    """Return `text` in a colour where `stream` has them."""
    return f"\x1b[{_CODES[colour]}m{text}\x1b[0m" if coloured(stream) else text


def dim(text: str, stream: TextIO = sys.stdout) -> str:
    """Return `text` paler."""
    return paint(text, "dim", stream)


def clean(text: str) -> str:
    """Return `text` without control characters: what plugins, manifests and servers say cannot move the cursor."""
    return "".join(
        c if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cf") else "\N{REPLACEMENT CHARACTER}" for c in text
    )


def columns(rows: Sequence[Sequence[str]], heads: Sequence[str]) -> str:
    """Return rows as aligned columns under pale heads; the last column is not padded."""
    table = [list(heads), *([clean(cell) for cell in row] for row in rows)]
    widths = [max(len(row[i]) for row in table) for i in range(len(heads))]
    lines = [
        "  ".join([*(c.ljust(w) for c, w in zip(row[:-1], widths, strict=False)), row[-1]]).rstrip() for row in table
    ]
    return "\n".join([dim(lines[0]), *lines[1:]])
