"""lightningd: boots from its config as the real one does, runs plugins, answers on its socket, and stops them all."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import fcntl
import hashlib
import json
import os
import secrets
import signal
import sys
from pathlib import Path

import configfile
import options
import server
from plugins import UNCONFIGURED, CoreDumpedError, FatalError, Plugins
from process import die_with_parent

VERSION = os.environ.get("STANDIN_VERSION") or "v26.06.6"
FACTS = Path(__file__).parent / "facts"
BUILTINS = Path(__file__).parent.parent / "plugins"  # what lightningd would call its own plugins' folder
OWN_FLAGS = {"--standin-plugin-timeout": 120.0, "--standin-stop-wait": 30.0}


class Node:
    """Everything that the daemon knows while it runs."""

    def __init__(self, place, lines, limits):
        self.place, self.version = place, VERSION
        self.old = _is_old(VERSION)
        facts = json.loads((FACTS / ("v0.11.2.json" if self.old else "v26.06.6.json")).read_text())
        self.facts, self.core = facts, facts["commands"]
        self.options = options.Options(facts, lines)
        for flag in OWN_FLAGS:  # they stand on its command line, and so does what lightningd knows
            name = flag.removeprefix("--")
            self.options.known[name] = options.Option(name, "string")
        self.stop_wait = limits["--standin-stop-wait"]
        self.plugins = Plugins(self, timeout=limits["--standin-plugin-timeout"])
        for fact in facts["plugins"]:
            self.plugins.add_builtin(fact, str(BUILTINS))
        self.setconfig_file = next((x.file for x in lines if x.file.endswith(".setconfig")), None)
        self.ended = asyncio.get_running_loop().create_future()
        self.exit_code = 0
        self._log = None

    # Saying

    def log(self, level, who, text):
        if level in ("DEBUG", "TRACE", "IO"):
            return
        now = dt.datetime.now(dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
        line = f"{now}Z {level:<7} {who}: {text}\n"
        target = self._log or sys.stdout
        target.write(line)
        target.flush()

    def open_log(self):
        files = [x.value for x in self.options.lines if x.name == "log-file" and x.value not in (None, "-")]
        if files:
            self._log = open(files[-1], "a", encoding="utf-8")  # noqa: SIM115  # until the process ends

    def end(self, why):
        """End the daemon: None for an orderly stop, else the exception that says how."""
        if not self.ended.done():
            self.ended.set_result(why)

    def important_died(self):
        self.exit_code = 1
        self.end(FatalError(1, ""))

    # What it is

    def identity(self):
        """The node's id, from a secret made at its first boot."""
        secret = Path(self.place.netdir, "hsm_secret")
        if not secret.exists():
            secret.write_bytes(secrets.token_bytes(32))
            secret.chmod(0o400)
        return "02" + hashlib.sha256(secret.read_bytes()).hexdigest()

    def info(self):
        me, features = self.identity(), self.facts["features"]
        given = {x.name: x.value for x in self.options.lines if not x.overridden and x.name in ("alias", "rgb")}
        binding = [x.value.rpartition(":") for x in self.options.set("bind-addr")]
        return {
            "id": me,
            "alias": given.get("alias") or f"STANDIN-{me[2:8]}",
            "color": given.get("rgb") or me[:6],
            "num_peers": 0,
            "num_pending_channels": 0,
            "num_active_channels": 0,
            "num_inactive_channels": 0,
            "address": [],
            "binding": [{"type": "ipv4", "address": host, "port": int(port)} for host, _, port in binding],
            "version": self.version,
            "blockheight": 101,
            "network": self.place.network,
            "fees_collected_msat": 0,
            "lightning-dir": self.place.netdir,
            "our_features": {k: features[k] for k in ("init", "node", "channel", "invoice")},
        }

    def init_configuration(self, *, startup):
        return {
            "lightning-dir": self.place.netdir,
            "rpc-file": self.place.rpc_file,
            "startup": startup,
            "network": self.place.network,
            "feature_set": self.facts["features"],
        }

    # Booting

    def early(self):
        """Take the options that name plugins, in order, before any plugin is asked. Raises ConfigRefusedError."""
        for line in list(self.options.lines):
            if line.name in ("plugin", "important-plugin"):
                if self.plugins.is_disabled(line.value or ""):
                    self.log("INFO", "lightningd", f"{line.value}: disabled via disable-plugin")
                    continue
                try:
                    self.plugins.register(line.value or "", important=line.name == "important-plugin")
                except OSError as e:
                    why = e.strerror or str(e)
                    raise line.refuse(f"Failed to register {line.value}: {why}") from e
            elif line.name == "plugin-dir":
                with contextlib.suppress(FileNotFoundError):
                    self.plugins.register_dir(line.value)
            elif line.name == "disable-plugin":
                self.plugins.disable(line.value)
            elif line.name == "clear-plugins":
                for plugin in list(self.plugins.all):
                    self.plugins.kill(plugin, "clear-plugins", "DEBUG")

    def add_default_dirs(self):
        """<lightning-dir>/plugins, and one level below it."""
        base = Path(self.place.base, "plugins")
        if base.is_dir():
            for folder in [base, *(f for f in base.iterdir() if f.is_dir())]:
                with contextlib.suppress(OSError):
                    self.plugins.register_dir(str(folder))

    async def boot(self):
        """Come up. Raises ConfigRefusedError, FatalError or CoreDumpedError."""
        self.early()
        self.add_default_dirs()
        new = [p for p in self.plugins.all if p.state == UNCONFIGURED]
        await self._all(self._ask_manifest(p) for p in new)
        if self.exit_code:
            raise FatalError(1, "Could not initialize the plugins, see above for details.")
        self.options.check_all()
        self._lock_pid_file()
        self._compute_options()
        await server.listen(self)
        await self._all(self.plugins.ask_init(p) for p in new if not p.gone.done())
        if self.exit_code:
            raise FatalError(1, "")
        self.plugins.startup = False
        me = self.info()
        self.log(
            "INFO",
            "lightningd",
            f"Server started with public key {me['id']}, alias {me['alias']} (color #{me['color']})"
            f" and lightningd {self.version}",
        )

    async def _ask_manifest(self, plugin):
        try:
            await self.plugins.ask_manifest(plugin)
        except OSError as e:
            raise FatalError(1, f"error starting plugin '{plugin.path}': opening pipe: {e.strerror}") from e

    async def _all(self, work):
        """Wait for all of it, or for what ends the daemon first."""
        tasks = [asyncio.ensure_future(w) for w in work]
        together = asyncio.gather(*tasks)
        await asyncio.wait([together, self.ended], return_when=asyncio.FIRST_COMPLETED)
        if together.done():
            together.result()
        else:
            together.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await together
            why = self.ended.result()
            if not self.exit_code:
                raise why or FatalError(0, "")

    def _lock_pid_file(self):
        path = Path(self.place.base, f"lightningd-{self.place.network}.pid")
        self._pid_file = open(path, "a+", encoding="utf-8")  # noqa: SIM115  # held, locked, until the process ends
        try:
            fcntl.lockf(self._pid_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as e:
            text = f"lightningd: lightningd already running? Error locking PID file: {e.strerror}"
            raise FatalError(e.errno, text) from e
        self._pid_file.truncate(0)
        self._pid_file.write(f"{os.getpid()}\n")
        self._pid_file.flush()

    def _compute_options(self):
        me = self.info()
        self.options.computed = {
            "network": self.place.network,
            "lightning-dir": self.place.base,
            "alias": me["alias"],
            "rgb": me["color"],
            "pid-file": self._pid_file.name,
        }


def main(argv):
    """Run as `lightningd` would; return its exit code."""
    parent = os.environ.pop("STANDIN_PARENT", "")
    if parent:
        die_with_parent()
        if os.getppid() != int(parent):
            return 1
    sys.stdout.reconfigure(line_buffering=True)
    limits, rest = _own_flags(argv[1:])
    if "--version" in rest or "-V" in rest:
        print(VERSION)
        return 0
    ready = _daemonize() if "--daemon" in rest else None
    try:
        return asyncio.run(_run(rest, limits, ready))
    except configfile.ConfigRefusedError as e:
        sys.stderr.write(f"lightningd: {e}\n")
        return 1
    except FatalError as e:
        code, text = e.args
        sys.stderr.write(f"{text}\n" if text else "")
        return code
    except CoreDumpedError:
        sys.stderr.write(f"lightningd: FATAL SIGNAL 11 (version {VERSION})\n")
        sys.stderr.flush()
        _segfault()
    return 1


def _is_old(version):
    parts = version.lstrip("v").split(".")
    return int(parts[0]) == 0 and int(parts[1]) < 12


def _own_flags(argv):
    limits, rest, i = dict(OWN_FLAGS), [], 0
    while i < len(argv):
        name, _, value = argv[i].partition("=")
        if name in limits:
            if not value:
                i += 1
                value = argv[i]
            limits[name] = float(value)
        else:
            rest.append(argv[i])
        i += 1
    return limits, rest


async def _run(argv, limits, ready):
    core = json.loads((FACTS / "v26.06.6.json").read_text())["options"]
    takes = {name: fact["type"] != "flag" for name, fact in core.items()}
    cmdline, rest = configfile.cmdline_lines(argv, takes.get)
    place, lines = configfile.gather(cmdline)
    if rest:
        raise configfile.ConfigRefusedError("no arguments accepted")
    place.base = os.path.join(os.getcwd(), place.base)
    node = Node(place, lines, limits)
    created = not os.path.isdir(place.netdir)
    netdir = Path(place.netdir)
    netdir.parent.mkdir(mode=0o700, exist_ok=True)
    netdir.mkdir(mode=0o700, exist_ok=True)
    os.chdir(netdir)
    node.open_log()
    node.log("INFO", "lightningd", VERSION)
    if created:
        node.log("INFO", "lightningd", f"Creating configuration directory {netdir}")
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, node.end, None)
    try:
        await node.boot()
        if ready is not None:
            os.write(ready, b"1")
        why = await node.ended
        if why is not None:
            raise why
    finally:
        await _stop(node, isinstance(sys.exc_info()[1], CoreDumpedError))
    return node.exit_code


async def _stop(node, crashed):
    if crashed:
        for plugin in node.plugins.all:
            if plugin.process:
                plugin.process.kill()
        return
    await node.plugins.stop_all(node.stop_wait)
    with contextlib.suppress(AttributeError, FileNotFoundError):
        os.unlink(node._pid_file.name)


def _daemonize():
    """Go to the background; the parent exits 0 when the node is up, 1 when it will not come up."""
    read, write = os.pipe()
    if os.fork():
        os.close(write)
        up = os.read(read, 1) == b"1"
        os._exit(0 if up else 1)
    os.setsid()
    os.close(read)
    return write


def _segfault():
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGSEGV, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGSEGV)
