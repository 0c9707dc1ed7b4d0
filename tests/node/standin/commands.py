"""The commands that the node answers itself, with lightningd's answers and complaints; the rest goes to plugins."""

from __future__ import annotations

import asyncio
import json
import os

import recklessrpc
import setconfig
from plugins import COMPLETE, UNCONFIGURED

INVALID_PARAMS, PLUGIN_ERROR, UNKNOWN_COMMAND, LIGHTNINGD = -32602, -3, -32601, -1
PLUGIN_TERMINATED = -4
SUBCOMMANDS = ("start", "stop", "startdir", "rescan", "list")


class FailedError(Exception):
    """The command failed: a JSON-RPC error."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code, self.message = code, message


async def run(node, request):
    """Return the answer's `result` or `error`. Raises FailedError."""
    method, params = request.get("method"), request.get("params", {})
    plugin = node.plugins.owner(method)
    if plugin and not plugin.builtin:
        answer = await node.plugins.request(plugin, method, params, prefix=f"{request.get('id')}/")
        return {k: answer[k] for k in ("result", "error") if k in answer}
    command = {
        "getinfo": getinfo, "help": help_, "plugin": plugin_, "listconfigs": listconfigs, "setconfig": setconfig_,
        "stop": stop, "reckless": reckless,
    }.get(method)  # fmt: skip
    if method not in node.core and plugin is None:
        raise FailedError(UNKNOWN_COMMAND, f"Unknown command '{method}'")
    if command is None:
        raise FailedError(LIGHTNINGD, f"the stand-in node does not do {method}")
    return {"result": await command(node, params)}


def take(params, required=(), optional=()):
    """Return the parameters by name, given in order or by name. Raises FailedError."""
    names = [*required, *optional]
    if isinstance(params, list):
        if len(params) > len(names):
            raise FailedError(INVALID_PARAMS, f"too many parameters: got {len(params)}, expected {len(names)}")
        params = dict(zip(names, params))  # noqa: B905  # fewer are given than there are
    for name in params:
        if name not in names:
            raise FailedError(
                INVALID_PARAMS,
                f"unknown parameter: {name}, this may be caused by a failure to autodetect key=value-formatted"
                " parameters. Please try using the -k flag and explicit key=value pairs of parameters.",
            )
    for name in required:
        if name not in params:
            raise FailedError(INVALID_PARAMS, f"missing required parameter: {name}")
    return params


async def getinfo(node, params):
    take(params)
    return node.info()


async def help_(node, params):
    wanted = take(params, optional=["command"]).get("command")
    usages = dict(node.core)
    for plugin in node.plugins.all:
        usages.update(plugin.methods)
    if wanted is not None and wanted not in usages:
        raise FailedError(UNKNOWN_COMMAND, f"Unknown command {wanted}")
    names = sorted(usages) if wanted is None else [wanted]
    return {"help": [{"command": f"{name} {usages[name]}"} for name in names], "format-hint": "simple"}


async def reckless(node, params):
    given = take(params, ["command", "target/subcommand"], ["target"])
    try:
        return await recklessrpc.run(node, [given[k] for k in ("command", "target/subcommand", "target") if k in given])
    except recklessrpc.RefusedError as e:
        raise FailedError(e.code, e.message) from e
    except recklessrpc.DiedError as e:
        node.important_died()
        raise FailedError(PLUGIN_TERMINATED, "Plugin terminated before replying to RPC call.") from e


async def stop(node, params):
    take(params)
    await node.plugins.stop_all(node.stop_wait)
    return {"result": "Shutdown complete"} if not node.old else "Shutdown complete"


async def plugin_(node, params):
    subcommand = params[0] if isinstance(params, list) and params else None
    if isinstance(params, dict):
        subcommand = params.get("subcommand")
    if subcommand is None:
        raise FailedError(INVALID_PARAMS, "missing required parameter: subcommand")
    if subcommand not in SUBCOMMANDS:
        raise FailedError(INVALID_PARAMS, f"Unknown subcommand '{subcommand}'")
    if subcommand == "stop":
        return {"command": "stop", "result": f"Successfully stopped {await _stop(node, params)}."}
    await {"start": _start, "startdir": _startdir, "rescan": _rescan, "list": _list}[subcommand](node, params)
    return {"command": subcommand, "plugins": [p.shown() for p in node.plugins.all]}


async def _list(node, params):
    take(params, ["subcommand"])


async def _start(node, params):
    by_name = not isinstance(params, list)
    if not by_name:
        if len(params) > 2:
            raise FailedError(INVALID_PARAMS, "Extra parameters must be in object")
        params = take(params, ["subcommand", "plugin"])
    if "plugin" not in params:
        raise FailedError(INVALID_PARAMS, "missing required parameter: plugin")
    path = str(params["plugin"])
    if not os.access(path, os.X_OK):
        path = os.path.join(node.place.base, "plugins", path)
    if not os.access(path, os.X_OK):
        why = "Permission denied" if os.path.exists(path) else "No such file or directory"
        raise FailedError(INVALID_PARAMS, f"{path} is not executable: {why}")
    try:
        plugin = node.plugins.register(path)
    except OSError as e:
        why = "already registered" if node.old else str(e)
        raise FailedError(INVALID_PARAMS, f"{path}: {why}") from e
    if by_name:
        plugin.params = [(k, _text(v)) for k, v in params.pairs if k not in ("subcommand", "plugin")]
    task = asyncio.ensure_future(node.plugins.bring_up([plugin]))
    await asyncio.wait([task, plugin.gone], return_when=asyncio.FIRST_COMPLETED)
    if plugin.gone.done():
        raise FailedError(PLUGIN_ERROR, f"{plugin.path}: {plugin.gone.result()}")
    if isinstance(task.exception(), OSError):
        node.plugins.all.remove(plugin)
        raise FailedError(PLUGIN_ERROR, f"{path}: opening pipe: {task.exception().strerror}")
    task.result()


async def _stop(node, params):
    name = str(take(params, ["subcommand", "plugin"])["plugin"])
    plugin = node.plugins.find(name)
    if plugin is None:
        raise FailedError(INVALID_PARAMS, f"Could not find plugin {name}")
    if not plugin.dynamic:
        raise FailedError(INVALID_PARAMS, f"{name} cannot be managed when lightningd is up")
    await node.plugins.stop(plugin, node.stop_wait)
    return plugin.short


async def _startdir(node, params):
    folder = str(take(params, ["subcommand", "directory"])["directory"])
    if not os.path.exists(folder):
        raise FailedError(INVALID_PARAMS, f"Could not open {folder}")
    try:
        node.plugins.register_dir(folder)
    except OSError as e:
        raise FailedError(INVALID_PARAMS, f"Failed to register {folder}: {e}") from e
    await _start_new(node)


async def _rescan(node, params):
    take(params, ["subcommand"])
    node.add_default_dirs()
    await _start_new(node)


async def _start_new(node):
    new = [p for p in node.plugins.all if p.state == UNCONFIGURED]
    results = await asyncio.gather(*(node.plugins.bring_up([p]) for p in new), return_exceptions=True)
    for plugin, result in zip(new, results):  # noqa: B905  # one result each
        if isinstance(result, OSError):
            node.plugins.all.remove(plugin)
        elif isinstance(result, Exception):
            raise result


def _text(value):
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


async def listconfigs(node, params):
    name = take(params, optional=["config"]).get("config")
    if node.old:
        return _old_listconfigs(node, name)
    if name is None:
        return {"configs": node.options.show_all()}
    if name not in node.options.known:
        raise FailedError(INVALID_PARAMS, "config: Unknown config option: invalid token (see logs for details)")
    shown = node.options.show(name)
    return {"configs": {} if shown is None else {name: shown}}


def _old_listconfigs(node, name):
    """The flat answer of lightningd before v23.08."""
    if name is not None and name not in node.options.known:
        raise FailedError(INVALID_PARAMS, f"Unknown config option '{name}'")
    shown = {} if name else {"# version": node.version}
    for option, value in node.options.show_all().items():
        wanted = option == name if name else node.options.known[option].owner is None
        if wanted and option not in ("plugin", "important-plugin"):
            shown[option] = next(v for k, v in value.items() if k.startswith(("value", "set")))
    for key, important in (("plugins", False), ("important-plugins", True)):
        if name in (None, key.rstrip("s")):
            listed = [p for p in node.plugins.all if p.important is important and p.state == COMPLETE]
            shown[key] = [{"path": p.path, "name": p.short, "options": node.options.init_values(p)} for p in listed]
    return shown


async def setconfig_(node, params):
    params = take(params, ["config"], ["val", "transient"])
    name, value = params["config"], params.get("val")
    option = node.options.known.get(name)
    if option is None or not option.dynamic:
        why = "Not a dynamic config option" if option else "Unknown config option"
        raise FailedError(INVALID_PARAMS, f"config: {why}: invalid token (see logs for details)")
    if value is None and option.type != "flag":
        raise FailedError(INVALID_PARAMS, f"{name} requires a value")
    for line in [x for x in node.options.set(name) if x.file]:
        changed = setconfig.changed(line)
        if changed:
            raise FailedError(INVALID_PARAMS, changed)
    if option.owner and option.owner.process:
        given = {"config": name} if value is None else {"config": name, "val": _text(value)}
        answer = await node.plugins.request(option.owner, "setconfig", given)
        if "error" in answer:
            raise FailedError(answer["error"]["code"], answer["error"]["message"])
    setconfig.save(node, name if value is None else f"{name}={_text(value)}")
    return {"config": {"config": name, **node.options.show(name)}}
