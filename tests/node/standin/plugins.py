"""The node's plugins: registered, started, spoken to, stopped, and missed when they die."""

from __future__ import annotations

import asyncio
import os
import zlib
from pathlib import Path

import manifest
import options
from process import PluginProcess, environment

UNCONFIGURED, AWAITING_MANIFEST, NEEDS_INIT, AWAITING_INIT, COMPLETE = range(5)
STATES = (
    "unconfigured",
    "before replying to getmanifest",
    "before we sent init",
    "before replying to init",
    "during normal operation",
)
NATIVE_TOPICS = ("shutdown",)


class FatalError(Exception):
    """lightningd ends here: (exit code, what it prints on stderr)."""


class CoreDumpedError(Exception):
    """lightningd v26.06.6 ends with signal 11.

    A plugin registered a method of its own; or one was started by name while a line of the config (or of setconfig)
    sets an option that nobody has any more (configvar_finalize_overrides takes it for one that somebody has).
    """


class Plugin:
    """One plugin; built-in ones have no process and are always complete."""

    def __init__(self, path, *, important=False):
        self.path, self.short, self.important = path, os.path.basename(path), important
        self.state, self.dynamic, self.builtin = UNCONFIGURED, False, False
        self.methods, self.options, self.subscriptions = {}, [], []
        self.checksum = None
        self.params = None  # the options of a `plugin start` whose parameters had names
        self.process = None
        self.pending = {}
        self.timer = None
        self.gone = asyncio.get_running_loop().create_future()  # its result: why

    def matches(self, name):
        if "/" not in name:
            return self.short == name
        return name == self.path or os.path.realpath(name) == os.path.realpath(self.path)

    def shown(self):
        return {"name": self.path, "active": self.state == COMPLETE, "dynamic": self.dynamic}


class Plugins:
    """All of them, in order. `node` gives options, log, version, core commands, and what init says."""

    def __init__(self, node, *, timeout):
        self.node, self.timeout = node, timeout
        self.all, self.disabled = [], []
        self.startup, self.stopping = True, False
        self._counter = 0
        self._manifests = asyncio.Condition()

    # What there is

    def add_builtin(self, fact, folder):
        plugin = Plugin(os.path.join(folder, fact["name"]), important=True)
        plugin.builtin, plugin.dynamic, plugin.state = True, fact["dynamic"], COMPLETE
        plugin.methods = dict(fact["commands"])
        for entry in fact["options"]:
            plugin.options.append(options.option_of(entry, plugin))
            self.node.options.known[entry["name"]] = plugin.options[-1]
        self.all.append(plugin)

    def owner(self, method):
        return next((p for p in self.all if method in p.methods), None)

    def find(self, name):
        return next((p for p in self.all if p.matches(name)), None)

    def is_disabled(self, path):
        return any(Plugin(path).matches(name) for name in self.disabled)

    def disable(self, name):
        """disable-plugin: drop what is there already, and remember the name for what comes later."""
        for plugin in [p for p in self.all if p.matches(name)]:
            self.node.log("INFO", "plugin-manager", f"{plugin.path}: disabled via disable-plugin")
            self._forget(plugin)
        self.disabled.append(name)

    def register(self, path, *, important=False):
        """Add a plugin that is not started yet. Raises OSError; EINVAL where it is there already and unchanged."""
        os.stat(path)
        canonical = os.path.realpath(path)
        there = next((p for p in self.all if p.path == canonical), None)
        if there:
            there.important = there.important or important
            if there.important or there.checksum == _checksum(canonical):
                raise OSError("Invalid argument")
            self.kill(there, "Plugin changed, needs restart.", "INFO")
        plugin = Plugin(canonical, important=important)
        plugin.checksum = _checksum(canonical)
        self.all.append(plugin)
        return plugin

    def register_dir(self, folder):
        """Add every executable file of a folder. Raises OSError."""
        for name in os.listdir(folder):
            path = os.path.join(folder, name)
            if not os.path.isfile(path) or not os.stat(path).st_mode & 0o111 or name == "README.md":
                continue
            if self.is_disabled(path):
                self.node.log("INFO", "plugin-manager", f"{path}: disabled via disable-plugin")
            else:
                self.register(path)

    # Starting

    async def bring_up(self, plugins):
        """getmanifest to all at once, then init to all: what a start while running does."""
        await asyncio.gather(*(self.ask_manifest(p) for p in plugins))
        await asyncio.gather(*(self.ask_init(p) for p in plugins if not p.gone.done()))

    async def ask_manifest(self, plugin):
        """Start its process and take its manifest. Raises OSError where it cannot be run."""
        process = PluginProcess(
            plugin.path,
            on_message=lambda m: self._received(plugin, m),
            on_error=lambda text: self.kill(plugin, text),
            on_exit=lambda: self.kill(plugin, f"exited {STATES[plugin.state]}", "INFO"),
        )
        plugin.process = process
        await process.start(environment(self.node.version))
        plugin.state = AWAITING_MANIFEST
        self._set_timer(plugin)
        answer = await self.request(plugin, "getmanifest", {"allow-deprecated-apis": True})
        async with self._manifests:
            if (
                self.startup
            ):  # in config's order, so that tests can tell which of two wins; the real one: whoever is first
                plugin.timer.cancel()
                await self._manifests.wait_for(lambda: not self._asked_before(plugin))
            if not plugin.gone.done():
                self._take_manifest(plugin, answer)
            self._manifests.notify_all()  # init is sent when nobody's manifest is awaited any more
            await self._manifests.wait_for(lambda: not any(p.state == AWAITING_MANIFEST for p in self.all))

    def _asked_before(self, plugin):
        earlier = self.all[: self.all.index(plugin)] if plugin in self.all else []
        return any(p.state in (UNCONFIGURED, AWAITING_MANIFEST) for p in earlier)

    def _take_manifest(self, plugin, answer):
        try:
            self._add_manifest(plugin, manifest.read(answer))
        except manifest.Disabled as e:
            plugin.important = False
            self.kill(plugin, f"disabled itself: {e}", "INFO")
        except manifest.RefusedError as e:
            self.kill(plugin, str(e))
        else:
            plugin.timer.cancel()
            plugin.state = NEEDS_INIT
            if not self.startup and not plugin.dynamic:
                self.kill(plugin, "Not a dynamic plugin", "INFO")

    def _add_manifest(self, plugin, result):
        plugin.dynamic = result.get("dynamic", False)
        for option in manifest.read_options(result, plugin):
            if option.name in self.node.options.known:
                if self.startup:
                    raise FatalError(
                        1, f"error starting plugin '{plugin.path}': option name '{option.name}' is already taken"
                    )
                raise manifest.RefusedError(f'Option "{option.name}" already registered')
            self.node.options.known[option.name] = option
            plugin.options.append(option)
        for name, usage in manifest.read_methods(result):
            if name in self.node.core:
                raise CoreDumpedError
            other = self.owner(name)
            if other:
                raise manifest.RefusedError(
                    f'Could not register method "{name}", a method with that name is already registered'
                    f" by plugin {other.path}"
                )
            plugin.methods[name] = usage
        plugin.subscriptions = manifest.read_subscriptions(result)
        if plugin.params is not None:
            self._add_params(plugin)

    def _add_params(self, plugin):
        for name, value in plugin.params:
            option = next((o for o in plugin.options if o.name == name), None)
            if option is None:
                raise manifest.RefusedError(f"unknown parameter {name}")
            problem = self.node.options.add_started(option, value)
            if problem:
                raise manifest.RefusedError(problem)
        if not self.node.old and self.node.options.orphaned():
            raise CoreDumpedError

    async def ask_init(self, plugin):
        plugin.state = AWAITING_INIT
        self._set_timer(plugin)
        configuration = self.node.init_configuration(startup=self.startup)
        values = self.node.options.init_values(plugin)
        answer = await self.request(plugin, "init", {"options": values, "configuration": configuration})
        if plugin.gone.done():
            return
        plugin.timer.cancel()
        result = answer.get("result")
        if isinstance(result, dict) and "disable" in result:
            plugin.important = False
            self.kill(plugin, f"disabled itself at init: {result['disable']}", "DEBUG")
        else:
            plugin.state = COMPLETE

    def _set_timer(self, plugin):
        plugin.timer = asyncio.get_running_loop().call_later(self.timeout, self._timed_out, plugin)

    def _timed_out(self, plugin):
        self.kill(plugin, f"timed out {STATES[plugin.state]}")
        if self.startup:
            self.node.end(FatalError(1, "Can't recover from plugin failure, terminating."))

    # Speaking

    async def request(self, plugin, method, params, prefix=""):
        """Send a request; return the answer, or the error that stands for a plugin that died."""
        self._counter += 1
        number = f"{prefix}cln:{method}#{self._counter}"
        answer = asyncio.get_running_loop().create_future()
        plugin.pending[number] = answer
        plugin.process.send({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        return await answer

    def notify(self, plugin, topic, params):
        """Send a notification; say whether the plugin wants it."""
        wanted = bool({topic, "*"} & set(plugin.subscriptions)) and plugin.process is not None
        if wanted:
            plugin.process.send({"jsonrpc": "2.0", "method": topic, "params": {topic: params}})
        return wanted

    def _received(self, plugin, message):
        if "id" in message:
            answer = plugin.pending.pop(message["id"], None)
            if answer and not answer.done():
                answer.set_result(message)
        elif message.get("method") == "log":
            params = message.get("params", {})
            level = {"warn": "UNUSUAL", "unusual": "UNUSUAL", "error": "**BROKEN**", "broken": "**BROKEN**"}
            asked = params.get("level", "info")
            self.node.log(level.get(asked, asked.upper()), f"plugin-{plugin.short}", params.get("message", ""))

    # Stopping

    async def stop(self, plugin, wait):
        """Stop one: at once, or within `wait` seconds where it wants to be told."""
        plugin.important = False
        if self.notify(plugin, "shutdown", {}):
            done, _ = await asyncio.wait([plugin.gone], timeout=wait)
            if not done:
                self.node.log("UNUSUAL", f"plugin-{plugin.short}", "Timeout on shutdown: killing anyway")
        if not plugin.gone.done():
            self.kill(plugin, "stopped by lightningd via RPC", "INFO")

    async def stop_all(self, wait):
        self.stopping = True
        told = [p for p in self.all if p.state == COMPLETE and self.notify(p, "shutdown", {})]
        for plugin in [p for p in self.all if p not in told]:
            self._forget(plugin)
        if told:
            await asyncio.wait([p.gone for p in told], timeout=wait)
        for plugin in list(self.all):
            self._forget(plugin)

    def kill(self, plugin, reason, level="UNUSUAL"):
        if plugin.gone.done():
            return
        self.node.log("DEBUG" if self.stopping else level, f"plugin-{plugin.short}", f"Killing plugin: {reason}")
        self._forget(plugin, reason)
        if plugin.important and not self.stopping:
            self.node.log(
                "**BROKEN**", f"plugin-{plugin.short}", "Plugin marked as important, shutting down lightningd!"
            )
            self.node.important_died()

    def _forget(self, plugin, reason="stopped"):
        if plugin in self.all:
            self.all.remove(plugin)
        if plugin.timer:
            plugin.timer.cancel()
        if plugin.process:
            plugin.process.kill()
        for option in plugin.options:
            self.node.options.drop(option)
        if not plugin.gone.done():
            plugin.gone.set_result(reason)
        died = {"error": {"code": -4, "message": "Plugin terminated before replying to RPC call."}}
        for answer in plugin.pending.values():
            if not answer.done():
                answer.set_result(died)
        plugin.pending.clear()
        self._settling = asyncio.ensure_future(self._manifest_settled())

    async def _manifest_settled(self):
        async with self._manifests:
            self._manifests.notify_all()


def _checksum(path):
    try:
        return zlib.crc32(Path(path).read_bytes())
    except OSError:
        return 0
