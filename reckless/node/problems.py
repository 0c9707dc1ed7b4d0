"""What in its config would keep lightningd from starting, as far as files show it (node.md, "It refuses to start")."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from reckless.node.programs import cannot_run
from reckless.node.scan import BrokenInclude, ConfigLine, Scan

_PLUGIN_KEYS = ("plugin", "important-plugin")
_NETWORK_KEYS = frozenset({"network", "testnet", "testnet4", "signet", "regtest", "mainnet"})
_NEED_VALUE = frozenset({*_PLUGIN_KEYS, "disable-plugin", "plugin-dir", "network", "lightning-dir", "conf"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """One reason why lightningd would not start. `line` counts from 1; 0 where the whole file is meant."""

    code: str
    message: str
    hint: str
    file: Path
    line: int = 0


def find_problems(
    scan: Scan, plugins: Mapping[str, Collection[str]], known: Collection[str] | None
) -> tuple[Problem, ...]:
    """Return every problem, in the config's order. See `NodeFiles.problems`."""
    loading = _Loading()
    found = [*map(_broken, scan.broken)]
    for line in scan.lines:
        found += _misplaced(line)
        found += loading.take(line)
    found += _orphans(scan, plugins, known, loading.paths)
    order = {file: n for n, file in enumerate(scan.files)}
    return tuple(sorted(found, key=lambda p: (order.get(p.file, -1), p.line)))


def _problem(line: ConfigLine, code: str, message: str, hint: str) -> Problem:
    return Problem(code=code, message=message, hint=hint, file=line.file, line=line.line)


def _broken(include: BrokenInclude) -> Problem:
    messages = {
        "missing": (f"{include.target} is included, but is not there", "make the file, or take the include line out"),
        "unreadable": (f"{include.target} cannot be read", "let lightningd's user read it"),
        "loop": (f"{include.target} includes itself, by whatever way", "take one of the include lines out"),
    }
    message, hint = messages[include.why]
    return Problem(code=f"include-{include.why}", message=message, hint=hint, file=include.file, line=include.line)


def _misplaced(line: ConfigLine) -> Iterator[Problem]:
    if not line.is_sound:
        yield _problem(line, "config-garbage", "this is no option", "a comment starts with #, in the first column")
    elif line.key in _NEED_VALUE and not line.value:
        yield _problem(line, "value-missing", f"{line.key} needs a value", f"write {line.key}=VALUE, or take it out")
    elif line.key == "conf" or (line.key == "lightning-dir" and line.role != "conf"):
        yield _problem(line, "option-not-permitted", f"{line.key} may not stand in this file", "take it out")
    elif line.key in _NETWORK_KEYS and line.role == "network":
        yield _problem(line, "option-not-permitted", f"{line.key} may not stand in a network's own file", "take it out")


class _Loading:
    """Takes the plugin lines one after the other, as lightningd does (opt_add_plugin in lightningd/options.c)."""

    def __init__(self) -> None:
        self.paths: dict[str, ConfigLine] = {}
        self.disabled: list[str] = []

    def take(self, line: ConfigLine) -> Iterator[Problem]:
        value = line.value or ""
        if line.key == "disable-plugin" and value:
            self.disabled.append(value)
            for path in [p for p in self.paths if _is_named(p, value)]:
                del self.paths[path]
        elif line.key == "clear-plugins":
            self.paths.clear()
        elif line.key == "plugin-dir" and value:
            yield from self._folder(line, Path(value))
        elif line.key in _PLUGIN_KEYS and value and not self._is_disabled(value):
            yield from self._register(line, value)

    def _is_disabled(self, path: str) -> bool:
        return any(_is_named(path, name) for name in self.disabled)

    def _folder(self, line: ConfigLine, folder: Path) -> Iterator[Problem]:
        try:
            names = sorted(p for p in folder.iterdir() if p.is_file() and os.access(p, os.X_OK))
        except OSError:
            return
        for path in names:
            if not self._is_disabled(str(path)):
                yield from self._register(line, str(path))

    def _register(self, line: ConfigLine, path: str) -> Iterator[Problem]:
        if not path.startswith("/"):
            yield _problem(
                line,
                "plugin-relative",
                f"{path} is not a full path: it depends on where lightningd is started",
                "write the full path",
            )
            return
        bad = cannot_run(Path(path))
        if bad:
            hint = "install it again, or take the line out"
            yield _problem(line, f"plugin-{bad.code}", f"the plugin {path} {bad.why}", hint)
            if bad.code == "missing":
                return
        real = os.path.realpath(path)
        first = self.paths.get(real)
        if first:
            message = f"{path} is there already, at {first.file}:{first.line}"
            yield _problem(line, "plugin-twice", message, "take one of the lines out")
            return
        self.paths[real] = line


def _is_named(path: str, name: str) -> bool:
    """Say whether `name` of disable-plugin means `path` (plugin_paths_match in lightningd/plugin.c)."""
    if "/" in name:
        return path == name or os.path.realpath(path) == os.path.realpath(name)
    return Path(path).name == name


def _orphans(
    scan: Scan, plugins: Mapping[str, Collection[str]], known: Collection[str] | None, loaded: Collection[str]
) -> Iterator[Problem]:
    here: set[str] = set()
    gone: dict[str, str] = {}
    for path, names in plugins.items():
        if os.path.realpath(path) in loaded:
            here.update(names)
        else:
            gone.update(dict.fromkeys(names, path))
    for line in scan.lines:
        if not line.is_sound or line.key in here or line.key in _NEED_VALUE:
            continue
        if line.key in gone:
            yield _problem(
                line,
                "option-orphaned",
                f"{line.key} is an option of {gone[line.key]}, which the config does not load",
                "take the line out, or bring the plugin back",
            )
        elif known is not None and line.key not in known:
            yield _problem(
                line, "option-unknown", f"no plugin of the config has an option {line.key}", "take the line out"
            )
