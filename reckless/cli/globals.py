"""The options that every command has, which may stand before or after it: taken out of the argument list first."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
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
_GROUPS = ("source", "index")
_OTHER_NAMES = {
    "update": "upgrade", "source rem": "source remove", "source rm": "source remove",
    "listinstalled": "list", "listavailable": "search",
}  # fmt: skip

HELP = (
    ("-l, --lightning-dir DIR", "lightningd's folder (default: ask the node)"),
    ("-d, --reckless-dir DIR", "Where plugins are kept (default: reckless/ in it)"),
    ("-c, --conf FILE", "lightningd's config file, if started with --conf"),
    ("--network NET", "bitcoin, testnet, ... (default: ask the node)"),
    ("-r, --regtest", "The same as --network regtest"),
    ("-v, --verbose", "Say more of what is being done"),
    ("-j, --json", "Print one JSON object, for programs"),
)


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


class _Taking:
    """What was found so far."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.flags: set[str] = set()

    def value(self, name: str, value: str) -> None:
        if not value:
            raise UsageError("usage", f"{name} needs a value", "`reckless --help` shows the options")
        self.texts[_VALUED[name]] = value

    def next_value(self, name: str, items: Iterator[str]) -> None:
        value = next(items, "")
        self.value(name, "" if value.startswith("-") else value)

    def cluster(self, item: str, items: Iterator[str]) -> bool:
        """Take short options written together, as -vj, -vl DIR or -l/DIR; false where others are among them."""
        for at, letter in enumerate(item[1:], 1):
            name = f"-{letter}"
            if name in _VALUED:
                attached = item[at + 1 :]
                if attached and attached[0] not in "=/~.":
                    return False  # -dry-run is a slip for --dry-run, not -d ry-run
                if attached:
                    self.value(name, attached.removeprefix("="))
                else:
                    self.next_value(name, items)
                break
            if name not in _FLAGS:
                return False
        self.flags |= {_FLAGS[f"-{c}"] for c in item[1:at] + item[at] if f"-{c}" in _FLAGS}
        return True


def take_globals(argv: Sequence[str]) -> tuple[Globals, list[str]]:
    """Split `argv` into the options of every command and the rest, in order. Raises UsageError `usage`."""
    taking = _Taking()
    rest: list[str] = []
    items = iter(argv)
    for item in items:
        name, equals, value = item.partition("=")
        if item == "--":
            rest += [item, *items]
        elif item in _FLAGS:
            taking.flags.add(_FLAGS[item])
        elif item in _VALUED:
            taking.next_value(item, items)
        elif equals and name.startswith("--") and name in _VALUED:
            taking.value(name, value)
        elif not (len(item) > 2 and item[0] == "-" and item[1] != "-" and taking.cluster(item, items)):
            rest.append(item)
    return _globals(taking), rest


def _globals(taking: _Taking) -> Globals:
    texts, flags = taking.texts, taking.flags
    if "regtest" in flags and texts.setdefault("network", "regtest") != "regtest":
        raise UsageError("usage", f"-r means regtest, and --network says {texts['network']}", "give one of the two")
    return Globals(
        lightning_dir=texts.get("lightning_dir", ""),
        reckless_dir=texts.get("reckless_dir", ""),
        conf=texts.get("conf", ""),
        network=texts.get("network", ""),
        verbose="verbose" in flags,
        json="json" in flags,
    )


def wants_json(argv: Iterable[str]) -> bool:
    """Say whether an argument list that may be unreadable asks for JSON: the error must come as JSON, too."""
    for item in argv:
        if item == "--":
            return False
        if item == "--json" or (item[:1] == "-" and item[1:2] != "-" and set(item[1:]) <= set("vjr") and "j" in item):
            return True
    return False


def command_of(rest: Sequence[str]) -> str:
    """Return the command's name as it stands in the JSON envelope: `install`, `source add`; empty where none is."""
    words = [item for item in rest if not item.startswith("-")]
    name = " ".join(words[: 2 if words[:1] and words[0] in _GROUPS else 1])
    return _OTHER_NAMES.get(name, name)


def spread(rest: Sequence[str]) -> list[str]:
    """Return `rest` with every JSON array of texts replaced by them: `'["one", "two"]'` names two plugins.

    lightningd's own tool takes its targets so, and programs give them so.
    """
    out: list[str] = []
    for item in rest:
        if item.startswith("[") and item.endswith("]"):
            import json

            try:
                found = json.loads(item)
            except (ValueError, RecursionError):
                found = None
            if isinstance(found, list) and all(isinstance(text, str) and text for text in found):
                out += found
                continue
        out.append(item)
    return out


def without_secrets(argv: Sequence[str]) -> list[str]:
    """Return `argv` fit to be shown: the value of every KEY=VALUE whose key looks secret is masked."""
    return [text for text, _ in _with_secret(argv)]


def secrets_in(argv: Sequence[str]) -> list[str]:
    """Return the values in `argv` that nobody should see."""
    return [secret for _, secret in _with_secret(argv) if secret]


def _with_secret(argv: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield each argument as it may be shown, and the secret in it (empty: none)."""
    from reckless.model.secrets import MASK, looks_secret

    for item in argv:
        head = next((h for h in ("--option=", "-o=", "-o") if item.startswith(h)), "")
        key, equals, value = item[len(head) :].partition("=")
        # NAME==VERSION is no option, though the plugin may be called keysend.
        if equals and value and not value.startswith("=") and looks_secret(key):
            yield f"{head}{key}={MASK}", value
        else:
            yield item, ""
