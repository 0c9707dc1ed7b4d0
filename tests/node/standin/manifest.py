"""Reads a plugin's answer to getmanifest, in lightningd's order and with its complaints."""

from __future__ import annotations

import json
import re

import options


class RefusedError(Exception):
    """Why lightningd does not take the plugin."""


class Disabled(Exception):  # noqa: N818  # not an error: the plugin says so itself
    """The plugin disabled itself, and why."""


def read(message):
    """Return the answer's result. Raises RefusedError, or Disabled where the plugin says so."""
    result = message.get("result")
    if not isinstance(result, dict):
        raise RefusedError(f"Invalid/missing result tok in '{json.dumps(message)}'")
    if "disable" in result:
        raise Disabled(result["disable"])
    if not isinstance(result.get("dynamic", False), bool):
        raise RefusedError(f'getmanifest: invalid "dynamic" field {result["dynamic"]}')
    if result.get("nonnumericids") is False:
        raise RefusedError("Plugin does not allow nonnumericids")
    return result


def read_options(result, plugin):
    """Yield the plugin's options. Raises RefusedError."""
    if "options" not in result:
        raise RefusedError('"result.options" was not found in the manifest')
    if not isinstance(result["options"], list):
        raise RefusedError('"result.options" is not an array')
    for entry in result["options"]:
        yield _option(entry, plugin)


def _option(entry, plugin):
    if not {"name", "type", "description"} <= entry.keys():
        raise RefusedError('An option is missing either "name", "description" or "type"')
    if not re.fullmatch(r"[0-9a-z_-]*", entry["name"]):
        raise RefusedError('Option "name" must be lowercase alphanumeric, plus _ or -\'')
    if entry["type"] == "flag":
        if entry.get("default", False) is not False and str(entry["default"]) != "false":
            raise RefusedError(
                f"--{entry['name']} type flag default must be 'false' not {json.dumps(entry['default'])}"
            )
        entry = {k: v for k, v in entry.items() if k != "default"}
    elif entry["type"] not in ("string", "string-conceal", "int", "bool"):
        raise RefusedError('Only "string", "int", "bool", and "flag" options are supported')
    if entry["type"] in ("flag", "bool") and entry.get("multi"):
        raise RefusedError(f"{entry['type']} type cannot be multi")
    option = options.option_of(entry, plugin)
    if option.default is not None:
        default = option.default if isinstance(option.default, str) else json.dumps(option.default)
        problem = option.problem(default)
        if problem:
            raise RefusedError(f"Invalid default '{default}': {problem}")
        option.default = default
    return option


def read_methods(result):
    """Yield (name, usage) of the plugin's RPC methods. Raises RefusedError."""
    if "rpcmethods" not in result:
        raise RefusedError('"result.rpcmethods" missing')
    if not isinstance(result["rpcmethods"], list):
        raise RefusedError('"result.rpcmethods" is not an array')
    for entry in result["rpcmethods"]:
        if not isinstance(entry.get("name"), str):
            raise RefusedError(f'rpcmethod does not have a string "name": {json.dumps(entry)}')
        if "usage" not in entry:
            raise RefusedError('"usage" not provided by plugin')
        if not isinstance(entry["usage"], str):
            raise RefusedError(f'"usage" is not a string: {json.dumps(entry)}')
        yield entry["name"], entry["usage"]


def read_subscriptions(result):
    """Return the topics that the plugin subscribes to. Raises RefusedError."""
    topics = result.get("subscriptions") or []
    if not isinstance(topics, list):
        raise RefusedError('"result.subscriptions" is not an array')
    return topics
