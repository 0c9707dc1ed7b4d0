"""Finding plugins by words, and guessing what a misspelt name meant. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from reckless.model.catalog import CatalogEntry

_STATUS_RANK = {"active": 0, "deprecated": 1, "archived": 2}


def search(entries: Iterable[CatalogEntry], words: Sequence[str]) -> tuple[CatalogEntry, ...]:
    """Return the entries in which every word is found, best first; with no words all of them, by name.

    Looked through are name, keywords, RPC methods and summary, without regard to case; `_` and `-` are one. The plugin
    of exactly that name comes first, then names before keywords before methods before summaries, whole words before
    parts of words, active plugins before deprecated and archived ones.
    """
    wanted = [_fold(part) for word in words for part in word.split()]
    exact = "-".join(wanted)
    ranked = []
    for entry in entries:
        scores = _scores(entry, wanted)
        if all(scores):
            status = _STATUS_RANK.get(entry.status, 2)
            ranked.append((entry.name != exact, status, -sum(scores), entry.name, entry))
    return tuple(row[-1] for row in sorted(ranked, key=lambda row: row[:-1]))


def suggestions(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """Return at most three of `known` that `name` may have meant, best first."""
    import difflib

    folded = {_fold(each): each for each in known}
    wanted = _fold(name)
    near = difflib.get_close_matches(wanted, folded, n=3, cutoff=0.6)
    if len(wanted) >= 3:  # shorter ones are within half of all names
        near += sorted(each for each in folded if wanted in each or (len(each) >= 3 and each in wanted))
    return tuple(folded[each] for each in dict.fromkeys(near))[:3]


def _scores(entry: CatalogEntry, words: Sequence[str]) -> list[int]:
    fields = (
        (16, entry.name, entry.name.split("-")),
        (6, " ".join(map(_fold, entry.keywords)), [_fold(k) for k in entry.keywords]),
        (4, " ".join(map(_fold, entry.rpcmethods)), [_fold(m) for m in entry.rpcmethods]),
        (2, _fold(entry.summary), re.findall(r"\w+", _fold(entry.summary))),
    )
    return [max(_score(weight, text, whole, word) for weight, text, whole in fields) for word in words]


def _score(weight: int, text: str, whole: Sequence[str], word: str) -> int:
    if word in whole:
        return 2 * weight + 1
    if any(each.startswith(word) for each in whole):
        return 2 * weight
    return weight if word in text else 0


def _fold(text: str) -> str:
    return text.casefold().replace("_", "-")
