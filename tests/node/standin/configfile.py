"""Config as lightningd and lightning-cli read it: command line and files into lines, and where the node lives.

Order is meaning: files first (base, then the network's), the command line last, and a later line wins.
"""

from __future__ import annotations

import os

NETWORKS = ("bitcoin", "testnet", "testnet4", "signet", "regtest")
ALIASES = {"mainnet": "bitcoin", "testnet": "testnet", "testnet4": "testnet4", "signet": "signet", "regtest": "regtest"}
WITH_VALUE = ("conf", "lightning-dir", "network", "rpc-file")
CMDLINE, BASE, NETWORK, EXPLICIT, PLUGIN_START, TRANSIENT = (
    "cmdline",
    "base",
    "network",
    "explicit",
    "pluginstart",
    "transient",
)


class ConfigRefusedError(Exception):
    """What lightningd prints, after its name, when it refuses a config."""


class Line:
    """One setting: `name` or `name=value`, and where it stands. `overridden` once a later one took its place."""

    def __init__(self, text, source, file="", number=0):
        self.text, self.source, self.file, self.number = text, source, file, number
        self.name, equals, value = text.partition("=")
        self.value = value if equals else None
        self.overridden = False

    @property
    def shown_source(self):
        if self.file:
            return f"{self.file}:{self.number}"
        return "setconfig transient" if self.source == TRANSIENT else self.source

    def refuse(self, problem):
        where = f"Config file {self.file} line {self.number}: " if self.file else "--"
        return ConfigRefusedError(f"{where}{self.text}: {problem}")


class Place:
    """Where the node lives."""

    def __init__(self):
        home = os.environ.get("HOME")
        self.base = os.path.join(home, ".lightning") if home else os.getcwd()
        self.conf = None
        self.network = "bitcoin"
        self.rpc_file = "lightning-rpc"

    @property
    def netdir(self):
        return os.path.join(os.getcwd(), self.base, self.network)

    def apply(self, lines):
        """Take from `lines` what says where the node lives. Raises ConfigRefusedError."""
        for line in lines:
            problem = self._take(line)
            if problem:
                raise line.refuse(problem)

    def _take(self, line):
        if line.name == "network" or (line.name in ALIASES and line.value is None):
            if line.source == NETWORK:
                return "not permitted in network-specific configuration files"
            network = line.value if line.name == "network" else ALIASES[line.name]
            if network not in NETWORKS:
                return f"Unknown network name '{network}'"
            self.network = network
        elif line.name == "lightning-dir":
            if line.source not in (CMDLINE, EXPLICIT):
                return "not permitted in implicit configuration files"
            self.base = os.path.join(os.getcwd(), line.value)
        elif line.name == "conf":
            if line.source != CMDLINE:
                return "not permitted in configuration files"
            self.conf = os.path.join(os.getcwd(), line.value)
        elif line.name == "rpc-file":
            self.rpc_file = line.value
        return ""


def cmdline_lines(argv, takes_value):
    """Return (lines, other arguments). `takes_value(name)`: True, False, or None for an option not (yet) known."""
    lines, rest, i = [], [], 0
    while i < len(argv):
        arg = argv[i]
        i += 1
        if arg == "--":
            rest += argv[i:]
            break
        if not arg.startswith("--"):
            rest.append(arg)
            continue
        text = arg[2:]
        if "=" not in text:
            takes = takes_value(text)
            if takes is None:
                takes = i < len(argv) and not argv[i].startswith("-")
            if takes and i < len(argv):
                text += "=" + argv[i]
                i += 1
        lines.append(Line(text, CMDLINE))
    return lines, rest


def file_lines(path, source, *, must_exist, depth=0):
    """Return the lines of a config file and of all that it includes. Raises ConfigRefusedError where one is missing."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape", newline="") as f:
            text = f.read()
    except OSError as e:
        if must_exist:
            raise ConfigRefusedError(f"Opening and reading {path}: {e.strerror}") from e
        return []
    lines = []
    for number, line in enumerate(text.replace("\r", "\n").split("\n") if "\r" in text else text.split("\n"), 1):
        if line.startswith("#") or not line:
            continue
        if line.startswith("include "):
            included = line[len("include ") :]
            if depth > 100:
                raise ConfigRefusedError(f"Include loop with {path} and {included}")
            included = os.path.join(os.path.dirname(path), included)
            lines += file_lines(included, source, must_exist=True, depth=depth + 1)
        else:
            lines.append(Line(line, source, path, number))
    return lines


def gather(cmdline):
    """Return (place, all lines in order). Raises ConfigRefusedError."""
    place = Place()
    place.apply(cmdline)
    if place.conf:
        files = file_lines(place.conf, EXPLICIT, must_exist=True)
    else:
        base = os.path.join(os.getcwd(), place.base)
        files = file_lines(os.path.join(base, "config"), BASE, must_exist=False)
        place.apply(files + cmdline)
        files += file_lines(os.path.join(base, place.network, "config"), NETWORK, must_exist=False)
    place.apply(files + cmdline)
    return place, files + cmdline
