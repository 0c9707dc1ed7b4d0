"""What is wrong with a file that people write: every finding at once, each with its place, code and hint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from reckless.errors import ManifestError

MAX_FINDINGS = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing that is wrong: in which file, at which key, and what to do.

    `path` is the key path such as `release[2].source.rev`, tables counted from 0 in the file's order, or empty for the
    file as a whole. `code` is stable and kebab-case (docs/reference/manifest.md). `line` counts from 1; 0: not known.
    """

    file: str
    path: str
    code: str
    message: str
    hint: str = ""
    line: int = 0

    def __str__(self) -> str:
        """Write it as compilers do: `file:line: path: message [code] (hint)`."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        text = ": ".join(part for part in (place, self.path, self.message) if part) + f" [{self.code}]"
        return f"{text} ({self.hint})" if self.hint else text


class Complaint(NamedTuple):
    """What a check of one value answers where the value is wrong; the place is added by who called it."""

    code: str
    message: str
    hint: str = ""


class Findings:
    """Collects findings on one file, at most MAX_FINDINGS; `lines` maps key paths to line numbers."""

    def __init__(self, file: str, lines: dict[str, int] | None = None) -> None:
        self.file = file
        self._lines = lines or {}
        self._found: list[Finding] = []

    def __bool__(self) -> bool:
        """Say whether anything is wrong."""
        return bool(self._found)

    @property
    def full(self) -> bool:
        """Whether further findings are dropped: a hostile file must not cost more than an honest one."""
        return len(self._found) >= MAX_FINDINGS

    def add(self, path: str, complaint: Complaint, *, line: int = 0) -> None:
        """Take one finding at a key path; its line is looked up unless given."""
        if not self.full:
            code, message, hint = complaint
            line = line or self._line(path)
            self._found.append(Finding(file=self.file, path=path, code=code, message=message, hint=hint, line=line))

    def sorted(self) -> tuple[Finding, ...]:
        """Return them in the file's order, those without a line first."""
        return tuple(sorted(self._found, key=lambda finding: finding.line))

    def _line(self, path: str) -> int:
        """Return the line of the key or, where it has none of its own, of the nearest table around it."""
        while path:
            if path in self._lines:
                return self._lines[path]
            cut = max(path.rfind("."), path.rfind("["))
            path = path[: max(cut, 0)]
        return 0


def unusable(what: str, findings: tuple[Finding, ...], code: str) -> ManifestError:
    """Return the error that carries all findings: the first in its message, each on a line of `detail`."""
    first = findings[0]
    place = f" at {first.path}" if first.path else ""
    more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
    return ManifestError(
        code,
        f"{what} cannot be used{place}: {first.message}{more}",
        first.hint or "each finding is listed with its place; mend them all and try again",
        detail="\n".join(str(finding) for finding in findings),
    )


def key_path(parent: str, key: str) -> str:
    """Join a key to its table's path; a key that is not bare is quoted and escaped."""
    bare = key.isascii() and key.replace("-", "").replace("_", "").isalnum()
    name = key if bare else shown(key)
    return f"{parent}.{name}" if parent else name


def shown(value: object) -> str:
    """Return a value as error texts show it: quoted, escaped, and cut short."""
    text = value if isinstance(value, str) else str(value)
    text = text if len(text) <= 60 else text[:57] + "..."
    return ascii(text) if not text.isprintable() else repr(text)
