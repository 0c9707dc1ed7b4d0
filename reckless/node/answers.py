"""What lightningd answers, read strictly: an answer may be a lie, and is refused before anything is done by it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reckless.errors import NodeError

SHOWN = 200
_MAX_TEXT = 65536


@dataclass(frozen=True, kw_only=True, slots=True)
class NodeInfo:
    """Who the node is. `network_dir` is what getinfo calls lightning-dir: `<lightning-dir>/<network>`."""

    version: str
    network: str
    network_dir: Path
    id: str = ""

    @property
    def lightning_dir(self) -> Path:
        """The folder above the network's own."""
        return self.network_dir.parent if self.network_dir.name == self.network else self.network_dir


@dataclass(frozen=True, kw_only=True, slots=True)
class RunningPlugin:
    """A plugin that lightningd lists. `name` is its canonical path, symlinks resolved."""

    name: str
    active: bool
    dynamic: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfiguredOption:
    """An option that lightningd knows.

    `plugin` is the path of the plugin that it belongs to, None for lightningd's own. `sources` are `default`,
    `cmdline`, or `FILE:LINE`, one for each value. Values are never kept: they may be secrets.
    """

    plugin: str | None = None
    sources: tuple[str, ...] = ()
    dynamic: bool = False


def first_part(text: str) -> str:
    """Return what an error quotes of an answer: its first 200 characters, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= SHOWN else line[:SHOWN] + "..."


def bad_answer(asked: str, why: str, said: str = "") -> NodeError:
    """Make the error for an answer that cannot be used; listconfigs is never quoted, for it holds option values."""
    if asked == "listconfigs":
        said = ""
    return NodeError(
        "node-answer",
        f"lightningd's answer to {asked} cannot be used: {why}",
        "check that LIGHTNING_CLI names the lightning-cli of the version that lightningd has",
        detail=f"it began: {first_part(said)}" if said else "",
    )


def parse_json(text: str, asked: str) -> object:
    """Read JSON; lines that lightning-cli itself puts before it (`# ...`: notifications) are dropped.

    Raises NodeError `node-answer`.
    """
    body = text.lstrip()
    while body.startswith("#"):
        body = body.partition("\n")[2].lstrip()
    if not body:
        raise bad_answer(asked, "it is empty", text)
    try:
        value: object = json.loads(body)
    except (ValueError, RecursionError) as e:
        raise bad_answer(asked, "it is not JSON", body) from e
    return value


def parse_info(answer: object) -> NodeInfo:
    """Read getinfo. Raises NodeError `node-answer`."""
    fields = _object(answer, "getinfo")
    folder = _text(fields, "lightning-dir", "getinfo")
    if not folder.startswith("/"):
        raise bad_answer("getinfo", f"lightning-dir is not a full path: {first_part(folder)}")
    network = _text(fields, "network", "getinfo")
    if not network or not network.replace("-", "").isalnum():
        raise bad_answer("getinfo", f"network is not a name: {first_part(network)}")
    return NodeInfo(
        version=_text(fields, "version", "getinfo"),
        network=network,
        network_dir=Path(folder),
        id=_text(fields, "id", "getinfo"),
    )


def parse_plugins(answer: object, asked: str = "plugin list") -> tuple[RunningPlugin, ...]:
    """Read what `plugin list` and `plugin start` answer. Raises NodeError `node-answer`.

    A lightningd that does not tell which are dynamic is taken to mean all: it refuses by itself to stop the others.
    """
    plugins = []
    for item in _array(_object(answer, asked).get("plugins"), "plugins", asked):
        fields = _object(item, asked)
        plugins.append(
            RunningPlugin(
                name=_text(fields, "name", asked),
                active=_flag(fields, "active", asked),
                dynamic=_flag(fields, "dynamic", asked, default=True),
            )
        )
    return tuple(plugins)


def parse_methods(answer: object) -> dict[str, str]:
    """Read `help`: method to the plugin that has it, or empty where lightningd does not say (26.06 does not)."""
    methods = {}
    for item in _array(_object(answer, "help").get("help"), "help", "help"):
        fields = _object(item, "help")
        words = _text(fields, "command", "help").split()
        if not words:
            raise bad_answer("help", "a command has no name")
        owner = fields.get("plugin", "")
        methods[words[0]] = owner if isinstance(owner, str) else ""
    return methods


def parse_options(answer: object) -> dict[str, ConfiguredOption]:
    """Read `listconfigs`, also as it was before v23.08 (flat, values beside the names)."""
    fields = _object(answer, "listconfigs")
    configs = fields.get("configs")
    if configs is None:
        return _flat_options(fields)
    options = {}
    for name, item in _object(configs, "listconfigs").items():
        about = _object(item, "listconfigs")
        sources = about.get("sources", [about["source"]] if "source" in about else [])
        plugin = about.get("plugin")
        if plugin is not None and not isinstance(plugin, str):
            raise bad_answer("listconfigs", f"the plugin of {first_part(name)} is not a text")
        options[name] = ConfiguredOption(
            plugin=plugin,
            sources=tuple(_texts(sources, f"sources of {first_part(name)}", "listconfigs")),
            dynamic=_flag(about, "dynamic", "listconfigs", default=False),
        )
    return options


def parse_conf(answer: object) -> Path | None:
    """Read `listconfigs conf`: the file given by --conf, or None."""
    fields = _object(answer, "listconfigs")
    configs = fields.get("configs", fields)
    conf = _object(configs, "listconfigs").get("conf")
    if isinstance(conf, Mapping):
        conf = conf.get("value_str")
    if conf is None:
        return None
    if not isinstance(conf, str) or not conf.startswith("/"):
        raise bad_answer("listconfigs", "conf is not a full path")
    return Path(conf)


def parse_error(answer: object) -> tuple[int, str] | None:
    """Read an error object: its code and message, or None where it is no such thing."""
    if not isinstance(answer, Mapping):
        return None
    code, message = answer.get("code"), answer.get("message")
    if isinstance(code, bool) or not isinstance(code, int) or not isinstance(message, str):
        return None
    return code, message


def _flat_options(fields: Mapping[str, object]) -> dict[str, ConfiguredOption]:
    options = {name: ConfiguredOption() for name in fields if not name.startswith("#")}
    for group in ("plugins", "important-plugins"):
        for item in _array(fields.get(group, []), group, "listconfigs"):
            about = _object(item, "listconfigs")
            path = about.get("path")
            theirs = about.get("options", {})
            for name in _object(theirs, "listconfigs"):
                options[name] = ConfiguredOption(plugin=path if isinstance(path, str) else None)
    return options


def _object(value: object, asked: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise bad_answer(asked, "an object is missing in it", json.dumps(value))
    return value


def _array(value: object, key: str, asked: str) -> Sequence[object]:
    if not isinstance(value, list):
        raise bad_answer(asked, f"{key} is not a list", json.dumps(value))
    return value


def _text(fields: Mapping[str, object], key: str, asked: str) -> str:
    value = fields.get(key)
    if not isinstance(value, str) or len(value) > _MAX_TEXT or "\0" in value:
        raise bad_answer(asked, f"{key} is not a text", json.dumps(fields))
    return value


def _texts(value: object, key: str, asked: str) -> list[str]:
    texts = [item for item in _array(value, key, asked) if isinstance(item, str)]
    if len(texts) != len(_array(value, key, asked)):
        raise bad_answer(asked, f"{key} are not texts")
    return texts


def _flag(fields: Mapping[str, object], key: str, asked: str, *, default: bool | None = None) -> bool:
    value = fields.get(key, default)
    if not isinstance(value, bool):
        raise bad_answer(asked, f"{key} is not true or false", json.dumps(fields))
    return value
