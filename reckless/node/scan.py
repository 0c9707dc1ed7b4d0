"""Every config line that takes effect, in lightningd's order, with the file and line where it stands."""

from __future__ import annotations

import errno
import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from reckless.errors import ConfigError
from reckless.node.lines import Line, decode, parse_line, split_lines

MAX_DEPTH = 100
MAX_LINES = 200_000
MAX_FILE = 16 << 20

Role = Literal["top", "network", "conf"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfigLine:
    """One line that is in force. `line` counts from 1 as editors do (lightningd counts CR LF as two).

    `role` is the file that it belongs to, through includes or directly: the top config, the network's, or --conf.
    """

    file: Path
    line: int
    text: str
    key: str
    value: str | None
    role: Role
    is_sound: bool = True

    @property
    def is_setconfig(self) -> bool:
        """Whether it stands in the file that lightningd's `setconfig` writes."""
        return self.file.name.endswith(".setconfig")


@dataclass(frozen=True, kw_only=True, slots=True)
class BrokenInclude:
    """An include that lightningd cannot follow: `why` is `missing`, `unreadable` or `loop`. `line` 0: a root file."""

    file: Path
    line: int
    target: Path
    why: Literal["missing", "unreadable", "loop"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Scan:
    """What lightningd would read. `files` holds every file read, once for each time that it is read."""

    lines: tuple[ConfigLine, ...] = ()
    broken: tuple[BrokenInclude, ...] = ()
    files: tuple[Path, ...] = ()

    def includes(self, path: Path) -> bool:
        """Whether this file is read, by whatever name."""
        real = os.path.realpath(path)
        return any(os.path.realpath(f) == real for f in self.files)

    def setting(self, names: Collection[str]) -> tuple[ConfigLine, ...]:
        """Return every line that sets one of these options."""
        return tuple(line for line in self.lines if line.key in names)


def scan_files(roots: Sequence[tuple[Path, Role]], *, must_exist: bool = False) -> Scan:
    """Read these files and what they include. A root that is absent is fine unless `must_exist` (--conf).

    Raises ConfigError `config-too-large` where a file has more than 16 MiB, or all of them 200 000 lines.
    """
    reader = _Reader()
    for path, role in roots:
        if must_exist or os.path.lexists(path):
            reader.read(path, role, (), None)
    return Scan(lines=tuple(reader.lines), broken=tuple(reader.broken), files=tuple(reader.files))


def read_config(path: Path) -> bytes:
    """Read one file, bounded; a pipe or device is not waited for. Raises OSError, ConfigError `config-too-large`."""
    if not (path.is_file() or path.is_dir()) and path.exists():
        if str(path) == os.devnull:
            return b""
        raise OSError(errno.EINVAL, "it is a pipe or a device, not a file", str(path))
    with path.open("rb") as f:
        data = f.read(MAX_FILE + 1)
    if len(data) > MAX_FILE:
        raise ConfigError(
            "config-too-large", f"{path} is larger than {MAX_FILE >> 20} MiB", "is it really a config file?"
        )
    return data


class _Reader:
    def __init__(self) -> None:
        self.lines: list[ConfigLine] = []
        self.broken: list[BrokenInclude] = []
        self.files: list[Path] = []

    def read(self, path: Path, role: Role, above: tuple[str, ...], at: tuple[Path, int] | None) -> None:
        file, number = at or (path, 0)
        real = os.path.realpath(path)
        if real in above or len(above) > MAX_DEPTH:
            self.broken.append(BrokenInclude(file=file, line=number, target=path, why="loop"))
            return
        try:
            data = read_config(path)
        except (FileNotFoundError, NotADirectoryError, ValueError):
            self.broken.append(BrokenInclude(file=file, line=number, target=path, why="missing"))
            return
        except OSError:
            self.broken.append(BrokenInclude(file=file, line=number, target=path, why="unreadable"))
            return
        self.files.append(path)
        text = decode(data.partition(b"\0")[0])  # lightningd reads no further than a NUL
        for n, raw in enumerate(split_lines(text), 1):
            self._line(path, n, parse_line(raw), role, (*above, real))

    def _line(self, path: Path, number: int, line: Line, role: Role, above: tuple[str, ...]) -> None:
        if line.kind == "include":
            self.read(path.parent / (line.value or ""), role, above, (path, number))
        elif line.kind == "option":
            if len(self.lines) >= MAX_LINES:
                raise ConfigError("config-too-large", f"the config has more than {MAX_LINES} lines", f"look at {path}")
            self.lines.append(
                ConfigLine(
                    file=path,
                    line=number,
                    text=line.text,
                    key=line.key,
                    value=line.value,
                    role=role,
                    is_sound=line.is_sound,
                )
            )
