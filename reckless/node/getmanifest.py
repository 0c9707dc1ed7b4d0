"""What a plugin answers to getmanifest, read as strictly as lightningd v26.06 reads it (lightningd/plugin.c)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from reckless.errors import ProbeError
from reckless.node.answers import first_part

OptionType = Literal["string", "string-conceal", "int", "bool", "flag"]
_TYPES: tuple[OptionType, ...] = ("string", "string-conceal", "int", "bool", "flag")
_OPTION_NAME = re.compile(r"[0-9a-z_-]+")
_HEX = re.compile(r"([0-9a-fA-F]{2})*")
_FEATURE_PLACES = (
    "init",
    "node",
    "channel",
    "invoice",
    "bolt12_offer",
    "bolt12_invreq",
    "bolt12_invoice",
    "channel_type",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class PluginOption:
    """One option. `default` is its text as it would stand in the config, None where it has none."""

    name: str
    type: OptionType
    description: str = ""
    default: str | None = None
    multi: bool = False
    dynamic: bool = False
    deprecated: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class PluginMethod:
    """One RPC method, with its parameters as `help` shows them."""

    name: str
    usage: str = ""
    deprecated: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Getmanifest:
    """A plugin's manifest, as it told it. `notifications` are topics of its own; `custommessages` BOLT 1 types."""

    dynamic: bool = False
    rpcmethods: tuple[PluginMethod, ...] = ()
    options: tuple[PluginOption, ...] = ()
    hooks: tuple[str, ...] = ()
    subscriptions: tuple[str, ...] = ()
    notifications: tuple[str, ...] = ()
    featurebits: Mapping[str, str] = field(default_factory=dict)
    custommessages: tuple[int, ...] = ()
    nonnumericids: bool = True
    cancheck: bool = False


_T = TypeVar("_T", PluginMethod, PluginOption)


def parse_getmanifest(result: object, *, text_ids: bool = True) -> Getmanifest:
    """Read the `result` of getmanifest.

    `text_ids`: this lightningd numbers requests with texts (since v25.05) and refuses plugins that cannot take them.
    Raises ProbeError `probe-disabled` and, in the words of lightningd, `probe-invalid`.
    """
    if not isinstance(result, dict):
        raise _invalid("its answer has no result")
    fields: Mapping[str, object] = result
    if "disable" in fields:
        reason = fields["disable"]
        raise ProbeError(
            "probe-disabled",
            f"the plugin disabled itself: {first_part(reason if isinstance(reason, str) else str(reason))}",
            "what it says is missing must be there before lightningd can run it",
        )
    dynamic = _flag(fields, "dynamic", "getmanifest")
    numeric_only = "nonnumericids" in fields and not _flag(fields, "nonnumericids", "getmanifest")
    if numeric_only and text_ids:
        raise _invalid("Plugin does not allow nonnumericids")
    if "options" not in fields:
        raise _invalid('"result.options" was not found in the manifest')
    if "rpcmethods" not in fields:
        raise _invalid('"result.rpcmethods" missing')
    featurebits = _featurebits(fields.get("featurebits"))
    if dynamic and any(featurebits.values()):
        raise _invalid("Custom featurebits only allows for non-dynamic plugins")
    return Getmanifest(
        dynamic=dynamic,
        rpcmethods=_unique([_method(item) for item in _array(fields["rpcmethods"], "result.rpcmethods")], "method"),
        options=_unique([_option(item) for item in _array(fields["options"], "result.options")], "option"),
        hooks=tuple(_hook(item) for item in _array(fields.get("hooks", []), "result.hooks")),
        subscriptions=_texts(fields.get("subscriptions", []), "result.subscriptions"),
        notifications=tuple(_notification(item) for item in _array(fields.get("notifications", []), "notifications")),
        featurebits=featurebits,
        custommessages=_numbers(fields.get("custommessages", [])),
        nonnumericids=not numeric_only,
        cancheck=_flag(fields, "cancheck", "getmanifest"),
    )


def _invalid(why: str) -> ProbeError:
    return ProbeError(
        "probe-invalid",
        f"lightningd would refuse the plugin's answer to getmanifest: {why}",
        "this is the plugin's fault: report it to its author",
    )


def _array(value: object, key: str) -> Sequence[object]:
    if not isinstance(value, list):
        raise _invalid(f'"{key}" is not an array')
    return value


def _object(value: object, what: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise _invalid(f"{what} is not an object: {first_part(str(value))}")
    return value


def _texts(value: object, key: str) -> tuple[str, ...]:
    items = _array(value, key)
    texts = tuple(item for item in items if isinstance(item, str))
    if len(texts) != len(items):
        raise _invalid(f"{key} has an item that is not a string")
    return texts


def _numbers(value: object) -> tuple[int, ...]:
    items = _array(value, "custommessages")
    numbers = tuple(n for n in items if isinstance(n, int) and not isinstance(n, bool) and 0 <= n <= 0xFFFF)
    if len(numbers) != len(items):
        raise _invalid("custommessages has an item that is not a u16")
    return numbers


def _flag(fields: Mapping[str, object], key: str, what: str) -> bool:
    value = fields.get(key, False)
    if not isinstance(value, bool):
        raise _invalid(f'{what}: invalid "{key}" field {first_part(str(value))}')
    return value


def _deprecated(value: object) -> bool:
    if value is None or isinstance(value, bool):
        return value is True
    if not isinstance(value, list) or len(value) > 2:
        raise _invalid('"deprecated" must be an array of 1 or 2 elements')
    return True


def _featurebits(value: object) -> dict[str, str]:
    bits = {}
    for place, text in _object(value if value is not None else {}, "featurebits").items():
        if place not in _FEATURE_PLACES:
            continue
        if not isinstance(text, str) or not _HEX.fullmatch(text):
            raise _invalid("Featurebits returned by plugin is not a valid hexadecimal string")
        bits[place] = text
    return bits


def _method(item: object) -> PluginMethod:
    fields = _object(item, "an rpcmethod")
    name, usage = fields.get("name"), fields.get("usage")
    if not isinstance(name, str) or not name:
        raise _invalid('rpcmethod does not have a string "name"')
    if "usage" not in fields:
        raise _invalid(f'"usage" not provided by plugin for {first_part(name)}')
    if not isinstance(usage, str):
        raise _invalid(f'"usage" is not a string for {first_part(name)}')
    return PluginMethod(name=name, usage=usage, deprecated=_deprecated(fields.get("deprecated")))


def _hook(item: object) -> str:
    name = item.get("name") if isinstance(item, dict) else item
    if not isinstance(name, str):
        raise _invalid("no name in hook obj")
    return name


def _notification(item: object) -> str:
    name = _object(item, "a notification").get("method")
    if not isinstance(name, str):
        raise _invalid("a notification's method is missing or not a string")
    return name


def _option(item: object) -> PluginOption:
    fields = _object(item, "an option")
    name, kind, description = (fields.get(key) for key in ("name", "type", "description"))
    if name is None or kind is None or "description" not in fields:
        raise _invalid('An option is missing either "name", "description" or "type"')
    if not isinstance(name, str) or not _OPTION_NAME.fullmatch(name):
        raise _invalid('Option "name" must be lowercase alphanumeric, plus _ or -')
    known = next((t for t in _TYPES if t == kind), None)
    if known is None:
        raise _invalid('Only "string", "int", "bool", and "flag" options are supported')
    multi = _flag(fields, "multi", name)
    if multi and known in ("bool", "flag"):
        raise _invalid(f"{name}: {known} type cannot be multi")
    return PluginOption(
        name=name,
        type=known,
        description=description if isinstance(description, str) else "",
        default=_default(name, known, fields.get("default")),
        multi=multi,
        dynamic=_flag(fields, "dynamic", name),
        deprecated=_deprecated(fields.get("deprecated")),
    )


def _default(name: str, kind: OptionType, value: object) -> str | None:
    if kind == "flag":
        if value not in (None, False):
            raise _invalid(f"{name}: type flag default must be 'false'")
        return None
    if value is None:
        return None
    text = str(value).lower() if isinstance(value, bool) else str(value)
    why = wrong_value(kind, text)
    if why:
        raise _invalid(f"Invalid default of {name}: it {why}")
    return text


def wrong_value(kind: OptionType, value: str) -> str:
    """Return why a value does not fit an option's type, as half a sentence without the value; empty where it fits.

    Stricter than lightningd for int: that takes `0x10` and `010` too, hands them on as they stand, and so sends the
    plugin what is no JSON; it then waits its 120 s and, at start-up, ends.
    """
    if kind == "int":
        if not re.fullmatch(r"-?(0|[1-9][0-9]*)", value):
            return "is not a number"
        return "" if -(1 << 63) <= int(value[:24]) < 1 << 63 and len(value) < 24 else "is out of range"
    if kind == "bool" and value.lower() not in ("true", "false", "yes", "no"):
        return "is not true or false"
    return ""


def _unique(items: Sequence[_T], what: str) -> tuple[_T, ...]:
    seen: set[str] = set()
    for item in items:
        if item.name in seen:
            raise _invalid(f'the {what} "{item.name}" is there twice')
        seen.add(item.name)
    return tuple(items)
