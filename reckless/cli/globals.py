"""The options that every command has, which may stand before or after it: taken out of the argument list first."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from reckless.errors import UsageError

_VALUED = {
    "-l": "lightning_dir",
    "--lightning-dir": "lightning_dir",
    "--lightning": "lightning_dir",
    "-d": "reckless_dir",
    "--reckless-dir": "reckless_dir",
    "-c": "conf",
    "--conf": "conf",
    "--network": "network",
}
_FLAGS = {
    "-v": "verbose",
    "--verbose": "verbose",
    "-j": "json",
    "--json": "json",
    "-r": "regtest",
    "--regtest": "regtest",
}
_SHORT_FLAGS = "vjr"

HELP = """\b
Options for every command, before it or after it:
  -l, --lightning-dir DIR   lightningd's folder (default: what the node says, or ~/.lightning)
  -d, --reckless-dir DIR    where plugins are kept (default: <lightning-dir>/reckless)
  -c, --conf FILE           lightningd's config file, where it was started with --conf
      --network NET         bitcoin, testnet, testnet4, signet, regtest (default: what the node says)
  -r, --regtest             the same as --network regtest
  -v, --verbose             say more of what is being done
  -j, --json                print one JSON object, for programs"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Globals:
    """The options of every command, as given."""

    lightning_dir: str = ""
    reckless_dir: str = ""
    conf: str = ""
    network: str = ""
    verbose: bool = False
    json: bool = False

    def path(self, text: str) -> Path | None:
        """Return an absolute path, or None where nothing was given."""
        return Path(os.path.abspath(Path(text).expanduser())) if text else None  # noqa: PTH100 - symlinks stay


def take_globals(argv: Sequence[str]) -> tuple[Globals, list[str]]:
    """Split `argv` into the options of every command and the rest, in order. Raises UsageError `usage`."""
    texts: dict[str, str] = {}
    flags: dict[str, bool] = {}
    rest: list[str] = []
    items = iter(argv)
    for item in items:
        if item == "--":
            rest += [item, *items]
        name, equals, value = item.partition("=")
        if name in _VALUED and (equals == "" or name.startswith("--")):
            if not equals:
                value = next(items, "")
            if not value:
                raise UsageError("usage", f"{name} needs a value", "reckless --help shows the options")
            texts[_VALUED[name]] = value
        elif item in _FLAGS:
            flags[_FLAGS[item]] = True
        elif len(item) > 2 and item[0] == "-" and all(c in _SHORT_FLAGS for c in item[1:]):
            flags.update({_FLAGS[f"-{c}"]: True for c in item[1:]})
        else:
            rest.append(item)
    if "regtest" in flags and texts.setdefault("network", "regtest") != "regtest":
        raise UsageError("usage", f"-r means regtest, and --network says {texts['network']}", "give one of the two")
    given = Globals(
        lightning_dir=texts.get("lightning_dir", ""),
        reckless_dir=texts.get("reckless_dir", ""),
        conf=texts.get("conf", ""),
        network=texts.get("network", ""),
        verbose="verbose" in flags,
        json="json" in flags,
    )
    return given, rest
