"""Which option values are secrets, and how they are kept out of every text that a person or a log sees."""

from __future__ import annotations

import re
from collections.abc import Iterable

MASK = "***"
_SECRET = re.compile(
    r"pass(word|wd|phrase)?|secret|token|rune|key|macaroon|seed|mnemonic|credential|auth", re.IGNORECASE
)
_LONG = 4


def looks_secret(name: str) -> bool:
    """Say whether an option of this name holds what nobody but the plugin should see."""
    return _SECRET.search(name) is not None


def mask(text: str, secrets: Iterable[str]) -> str:
    """Return `text` with every secret in it replaced by `***`.

    A secret of fewer than four characters is replaced only where it stands by itself, so that the text stays readable.
    """
    for secret in sorted({s for s in secrets if s.strip()}, key=len, reverse=True):
        if len(secret) >= _LONG:
            text = text.replace(secret, MASK)
        else:
            text = re.sub(rf"(?<![\w]){re.escape(secret)}(?![\w])", MASK, text)
    return text
