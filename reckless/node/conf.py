"""Our config file, `<network>-reckless.conf`: one block a plugin, its options under its `plugin=` line. Pure text.

    # reckless: summary
    plugin=/home/me/.lightning/reckless/summary/current/bin/summary.py
    summary-currency=EUR
    # reckless: end of summary

A plugin that is switched off keeps its block, each line behind `#off `, so that its options survive. Lines that are not
ours (written by a person, by lightningd's setconfig, by lightningd's own tool) stay where they are, byte for byte.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from reckless.errors import ConfigError
from reckless.node.lines import SETCONFIG_COMMENT, Line, parse_line, split_lines

HEADER = "# This configuration file is managed by reckless to activate and disable\n# reckless-installed plugins\n\n"
OFF = "#off "
Options = tuple[tuple[str, str | None], ...]

_BEGIN = re.compile(r"# reckless: ([a-z][a-z0-9-]*)( \(disabled\))?")
_END = re.compile(r"# reckless: end of [a-z][a-z0-9-]*")
_OPTION_NAME = re.compile(r"[0-9a-z_-]+")
_PLUGIN_KEYS = ("plugin", "important-plugin")
_RESERVED = frozenset({
    "plugin", "important-plugin", "disable-plugin", "plugin-dir", "clear-plugins", "include", "conf", "lightning-dir",
    "network", "testnet", "testnet4", "signet", "regtest", "mainnet",
})  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """One plugin's block: lines `start` up to, not including, `stop` of the file. `path` is empty where it has none.

    `disables` are the built-in plugins that must not run beside it.
    """

    name: str
    path: str
    options: Options
    disables: tuple[str, ...]
    enabled: bool
    start: int
    stop: int


@dataclass(frozen=True, kw_only=True, slots=True)
class LooseLine:
    """A `plugin=` or `disable-plugin=` line outside every block: lightningd's own tool writes them so."""

    key: str
    path: str


@dataclass(frozen=True, slots=True)
class RecklessConf:
    """The file, as its lines; every edit returns a new one."""

    lines: tuple[str, ...] = ()

    def render(self) -> str:
        """Return the text: what `parse` was given, but for what was edited."""
        return "".join(self.lines)

    @property
    def blocks(self) -> tuple[Block, ...]:
        """Every block, in the file's order."""
        return _blocks(self.lines)

    @property
    def loose(self) -> tuple[LooseLine, ...]:
        """Plugin lines that are in no block."""
        keys = (*_PLUGIN_KEYS, "disable-plugin")
        return tuple(LooseLine(key=x.key, path=x.value) for _, x in self._outside() if x.key in keys and x.value)

    def loose_options(self, names: Collection[str]) -> Options:
        """Return those of these options that are set in no block: a person put them below such a line."""
        return tuple((x.key, x.value) for _, x in self._outside() if x.kind == "option" and x.key in names)

    def without_loose_options(self, names: Collection[str]) -> RecklessConf:
        """Return the file without what `loose_options` returns."""
        gone = {n for n, line in self._outside() if line.kind == "option" and line.key in names}
        return RecklessConf(tuple(raw for n, raw in enumerate(self.lines) if n not in gone))

    def find(self, name: str) -> Block | None:
        """Return the block of a plugin, or None."""
        return next((b for b in self.blocks if b.name == name), None)

    def options(self, name: str) -> Options:
        """Return a plugin's options in order, also while it is disabled. None as a value: a flag."""
        found = self.find(name)
        return found.options if found else ()

    def block(self, name: str) -> str:
        """Return a plugin's block as text, to be put back by `with_block`; empty where it has none."""
        found = self.find(name)
        return "".join(self.lines[found.start : found.stop]) if found else ""

    def with_block(self, name: str, text: str) -> RecklessConf:
        """Return the file with this text as the plugin's block; an empty text takes the block out."""
        return self._replaced(name, split_lines(text)) if text else self.without(name)

    def with_plugin(
        self,
        name: str,
        path: PurePath | str,
        options: Sequence[tuple[str, str | None]] = (),
        *,
        disables: Sequence[str] = (),
        instead_of: Collection[str] = (),
    ) -> RecklessConf:
        """Return the file with this plugin switched on, with exactly these options, and what it disables switched off.

        Loose plugin lines with a path in `instead_of` leave in the same edit. Raises ConfigError `invalid-option-name`,
        `invalid-option-value`, `invalid-plugin-path`.
        """
        written = [_option_line(key, value) for key, value in options]
        kept = [raw for raw in self._block_lines(name) if _is_kept(raw)]
        body = [f"plugin={_checked_path(path)}\n", *(f"disable-plugin={d}\n" for d in disables), *written, *kept]
        found = self.find(name)
        meant = (str(path), tuple(options), tuple(disables))
        if found and found.enabled and (found.path, found.options, found.disables) == meant and not instead_of:
            return self
        edited = RecklessConf(self._without_loose(instead_of))
        return edited._replaced(name, (f"# reckless: {name}\n", *body, f"# reckless: end of {name}\n"))

    def without(self, name: str) -> RecklessConf:
        """Return the file without this plugin: all that stands between its marks leaves with it."""
        lines = self.lines
        for found in reversed([b for b in self.blocks if b.name == name]):
            lines = lines[: found.start] + lines[found.stop :]
        return RecklessConf(lines)

    def enabled(self, name: str) -> RecklessConf:
        """Return the file with this plugin switched on."""
        return self._switched(name, on=True)

    def disabled(self, name: str) -> RecklessConf:
        """Return the file with this plugin switched off, its options kept."""
        return self._switched(name, on=False)

    def set_option(self, name: str, key: str, *values: str | None) -> RecklessConf:
        """Return the file with this option of an installed plugin; several values where it takes several.

        Raises ConfigError as `with_plugin`, and `not-in-config` where the plugin has no block.
        """
        found = self.find(name)
        if found is None:
            raise ConfigError(
                "not-in-config", f"{name} has no place in the config", f"`reckless enable {name}` gives it one"
            )
        place = next((n for n, (k, _) in enumerate(found.options) if k == key), len(found.options))
        rest = [(k, v) for k, v in found.options if k != key]
        options = (*rest[:place], *((key, value) for value in values), *rest[place:])
        if options == found.options:
            return self
        edited = self.with_plugin(name, found.path, options, disables=found.disables)
        return edited if found.enabled else edited.disabled(name)

    def unset_option(self, name: str, key: str) -> RecklessConf:
        """Return the file without this option of a plugin."""
        return self.set_option(name, key) if self.find(name) else self

    def _outside(self) -> tuple[tuple[int, Line], ...]:
        inside = {n for b in self.blocks for n in range(b.start, b.stop)}
        return tuple((n, parse_line(raw)) for n, raw in enumerate(self.lines) if n not in inside)

    def _block_lines(self, name: str) -> tuple[str, ...]:
        return tuple(raw for b in self.blocks if b.name == name for raw in self.lines[b.start : b.stop])

    def _without_loose(self, paths: Collection[str]) -> tuple[str, ...]:
        keys = (*_PLUGIN_KEYS, "disable-plugin")
        gone = {n for n, line in self._outside() if line.key in keys and line.value in paths}
        return tuple(raw for n, raw in enumerate(self.lines) if n not in gone)

    def _replaced(self, name: str, block: tuple[str, ...]) -> RecklessConf:
        mine = [b for b in self.blocks if b.name == name]
        if not mine:
            lines = self.lines
            if lines and not lines[-1].endswith(("\r", "\n")):
                lines = (*lines[:-1], lines[-1] + "\n")
            return RecklessConf(lines + block)
        lines = self.lines
        for extra in reversed(mine[1:]):
            lines = lines[: extra.start] + lines[extra.stop :]
        first = mine[0]
        return RecklessConf(lines[: first.start] + block + lines[first.stop :])

    def _switched(self, name: str, *, on: bool) -> RecklessConf:
        found = self.find(name)
        if found is None:
            return self
        switch = _switched_on if on else _switched_off
        inner = tuple(switch(raw) for raw in self.lines[found.start + 1 : found.stop])
        begin = f"# reckless: {name}\n" if on else f"# reckless: {name} (disabled)\n"
        if found.enabled == on:
            begin = self.lines[found.start]
        return RecklessConf((*self.lines[: found.start], begin, *inner, *self.lines[found.stop :]))


def parse(text: str) -> RecklessConf:
    """Read our file; any text can be read, and renders as it was."""
    return RecklessConf(split_lines(text))


def check_option(key: str, value: str | None) -> None:
    """Refuse what lightningd would not read back as it was given.

    Raises ConfigError `invalid-option-name` and `invalid-option-value` (whose text does not hold the value).
    """
    if not _OPTION_NAME.fullmatch(key) or key in _RESERVED:
        raise ConfigError(
            "invalid-option-name", f"{key!r} is not an option of a plugin", "names have small letters, digits, - and _"
        )
    if value is None:
        return
    if any(c < " " or c == "\x7f" for c in value):
        raise ConfigError(
            "invalid-option-value", f"the value of {key} has a line break or a control character", "give it on one line"
        )
    if value != value.rstrip():
        raise ConfigError(
            "invalid-option-value", f"the value of {key} ends in a space, which lightningd drops", "leave the space out"
        )


def _checked_path(path: PurePath | str) -> str:
    text = str(path)
    if not text.startswith("/") or any(c < " " or c == "\x7f" for c in text) or text != text.rstrip():
        raise ConfigError(
            "invalid-plugin-path",
            f"{text!r} cannot stand in lightningd's config",
            "it takes a full path without line breaks or spaces at its end: -d names another folder for plugins",
        )
    return text


def _option_line(key: str, value: str | None) -> str:
    check_option(key, value)
    return f"{key}\n" if value is None else f"{key}={value}\n"


def _blocks(lines: tuple[str, ...]) -> tuple[Block, ...]:
    found = []
    n = 0
    while n < len(lines):
        begin = _BEGIN.fullmatch(lines[n].rstrip("\r\n"))
        if begin is None:
            n += 1
            continue
        stop = _stop(lines, n + 1)
        found.append(_read_block(lines, begin, n, stop))
        n = stop
    return tuple(found)


def _stop(lines: tuple[str, ...], n: int) -> int:
    """Return where a block ends: after its end mark.

    Where a person took that out: at an empty line, the next block or the next plugin, whichever comes first.
    """
    start = n
    while n < len(lines):
        text = lines[n].rstrip("\r\n")
        if _END.fullmatch(text):
            return n + 1
        if _BEGIN.fullmatch(text):
            break
        n += 1
    return next((m for m in range(start, n) if not lines[m].strip() or (m > start and _names_plugin(lines[m]))), n)


def _names_plugin(raw: str) -> bool:
    return parse_line(raw).key in (*_PLUGIN_KEYS, "disable-plugin")


def _read_block(lines: tuple[str, ...], begin: re.Match[str], start: int, stop: int) -> Block:
    path = ""
    options: list[tuple[str, str | None]] = []
    disables: list[str] = []
    off = begin[2] is not None
    for raw in lines[start + 1 : stop]:
        line = parse_line(_switched_on(raw) if off else raw)
        if line.kind != "option" or not _OPTION_NAME.fullmatch(line.key):
            continue
        if line.key in _PLUGIN_KEYS:
            path = line.value or ""
        elif line.key == "disable-plugin" and line.value:
            disables.append(line.value)
        elif line.key not in _RESERVED:
            options.append((line.key, line.value))
    return Block(
        name=begin[1],
        path=path,
        options=tuple(options),
        disables=tuple(disables),
        enabled=not off,
        start=start,
        stop=stop,
    )


def _is_ours(raw: str) -> bool:
    """Say whether a line within a block is written anew when its plugin changes; a person's comments are not."""
    text = raw.rstrip("\r\n")
    if _BEGIN.fullmatch(text) or _END.fullmatch(text) or text.startswith((OFF, SETCONFIG_COMMENT)):
        return True
    line = parse_line(raw)
    return line.key in (*_PLUGIN_KEYS, "disable-plugin") or (
        line.kind == "option" and _OPTION_NAME.fullmatch(line.key) is not None and line.key not in _RESERVED
    )


def _is_kept(raw: str) -> bool:
    return not _is_ours(raw)


def _switched_off(raw: str) -> str:
    return OFF + raw if parse_line(raw).kind == "option" else raw


def _switched_on(raw: str) -> str:
    return raw.removeprefix(OFF)
