"""Plugin names: as written in manifests, and as people type them."""

from __future__ import annotations

import re

from reckless.errors import RecklessError

MAX_NAME = 64
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_FORGIVEN_ENDINGS = (".py", ".sh", ".js", ".go", ".rs", ".jar")


def is_name(text: str) -> bool:
    """Say whether `text` is a plugin name exactly as manifests write it (at most 64 characters)."""
    return len(text) <= MAX_NAME and _NAME.fullmatch(text) is not None


def normalize_name(text: str) -> str:
    """Return the name that a person means: case-insensitive, `_` and `-` are one, a trailing `.py` is forgiven.

    Raises RecklessError `invalid-name` where nothing valid is left.
    """
    name = text.strip().lower()
    for ending in _FORGIVEN_ENDINGS:
        name = name.removesuffix(ending)
    name = re.sub(r"[-_]+", "-", name)
    if not is_name(name):
        raise RecklessError(
            "invalid-name",
            f"{text!r} is not a plugin name",
            "a name has lower-case letters, digits and single dashes, starts with a letter, and is at most 64 long",
        )
    return name
