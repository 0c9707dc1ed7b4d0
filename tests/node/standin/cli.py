"""lightning-cli: one JSON-RPC request over the node's socket, its answer on stdout. Imports little, to start fast."""

from __future__ import annotations

import _socket
import json
import os
import sys

import configfile

FAILED, NO_CONTACT, USAGE = 1, 2, 3
VERSION = os.environ.get("STANDIN_VERSION") or "v26.06.6"
SHORT = {"h": "help", "V": "version", "H": "human", "F": "flat", "J": "json", "R": "raw", "k": "keywords", "o": "order"}
LONG = {"human-readable": "human"} | {name: name for name in SHORT.values() if name != "human"}
FLAGS = {f"-{k}": v for k, v in SHORT.items()} | {f"--{k}": v for k, v in LONG.items()}
VALUES = ("-N", "--notifications", "-l", "--filter", "-c", "--commando")


class StoppedError(Exception):
    """The exit code, and what to print on stderr after the program's name."""


def main(argv):
    """Run as `lightning-cli` would with argv[0] naming it; return its exit code."""
    try:
        return run(argv[0], argv[1:])
    except StoppedError as e:
        code, text = e.args
        prefix = argv[0] if code == USAGE else "lightning-cli"
        sys.stderr.write(f"{prefix}: {text}\n")
        return code
    except configfile.ConfigRefusedError as e:
        sys.stderr.write(f"lightning-cli: {e}\n")
        return USAGE if str(e).startswith("--") else FAILED


def run(name, argv):
    place, modes, rest = options(argv)
    if "version" in modes:
        print(VERSION)
        return 0
    if "help" in modes:
        print(f"Usage: {name} <command> [<params>...]")
        return 0
    method, args = (rest[0], rest[1:]) if rest else ("help", [])
    plain = not modes & {"json", "raw", "human", "flat"}
    if method == "help" and args and plain:
        no_manual(args[0], os.path.dirname(name))
    answer = ask(place, method, request_params(args, modes))
    if "error" in answer:
        print(dumps(answer["error"], modes))
        return FAILED
    result = answer["result"]
    if method == "help" and plain:
        print_help(result, one=bool(args))
    elif "human" in modes:
        human(result)
    elif "flat" in modes:
        flat("", result)
    else:
        print(dumps(result, modes))
    return 0


def options(argv):
    known = dict.fromkeys(configfile.ALIASES, False) | dict.fromkeys(configfile.WITH_VALUE, True)
    settings, modes, rest, i = [], set(), [], 0
    while i < len(argv):
        arg = argv[i]
        i += 1
        if arg == "--":
            rest += argv[i:]
            break
        name = arg[2:].partition("=")[0]
        if arg in FLAGS:
            modes.add(FLAGS[arg])
        elif arg in VALUES:
            i += 1
        elif arg.startswith(VALUES) and "=" in arg:
            pass
        elif arg.startswith("--") and name in known:
            settings.append(arg)
            if known[name] and "=" not in arg:
                settings += argv[i : i + 1]
                i += 1
        elif arg.startswith("-") and len(arg) > 1:
            raise StoppedError(USAGE, f"{arg}: unrecognized option")
        else:
            rest.append(arg)
    lines, _ = configfile.cmdline_lines(settings, known.get)
    place, _ = configfile.gather(lines)
    return place, modes, rest


def request_params(args, modes):
    keywords = "keywords" in modes or ("order" not in modes and bool(args) and "=" in args[0])
    try:
        if not keywords:
            return f"[{', '.join(literal(a) for a in args)}]"
        pairs = []  # the same key twice goes out twice, as with the real one: several values of one option
        for arg in args:
            key, equals, value = arg.partition("=")
            if not equals:
                raise StoppedError(USAGE, f"Expected key=value in '{arg}': Success")
            pairs.append(f"{json.dumps(key)}: {literal(value)}")
    except ValueError as e:
        raise StoppedError(USAGE, "Some parameters are malformed, cannot create a valid JSON-RPC request") from e
    return "{" + ", ".join(pairs) + "}"


def literal(text):
    digits = text.isascii() and text.isdigit()
    if text and not (digits and len(text) > 1 and text[0] == "0"):
        numeric = all(c in "0123456789." for c in text)
        if numeric or text in ("true", "false", "null") or text[0] + text[-1] in ("{}", "[]", '""'):
            return json.dumps(json.loads(text), ensure_ascii=False)
    return json.dumps(text, ensure_ascii=False)


def ask(place, method, params):
    netdir, rpc_file = place.netdir, place.rpc_file
    if os.path.isabs(rpc_file):
        netdir, rpc_file = os.path.split(rpc_file)
    try:
        os.chdir(netdir)
    except OSError as e:
        raise StoppedError(NO_CONTACT, f"Moving into '{netdir}': {e.strerror}") from e
    sock = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        sock.connect(rpc_file)
    except OSError as e:
        raise StoppedError(NO_CONTACT, f"Connecting to '{rpc_file}': {e.strerror}") from e
    about = json.dumps({"jsonrpc": "2.0", "method": method, "id": f"cli:{method}#{os.getpid()}"}, ensure_ascii=False)
    request = f'{about[:-1]}, "params": {params}}}'
    received = b""
    try:
        sock.sendall(request.encode(errors="surrogateescape"))
        while not received.endswith(b"\n\n"):
            chunk = sock.recv(1 << 20)
            if not chunk:
                raise StoppedError(NO_CONTACT, "reading response: socket closed")
            received += chunk
    except OSError as e:
        text = "socket closed" if isinstance(e, (BrokenPipeError, ConnectionResetError)) else e.strerror
        raise StoppedError(NO_CONTACT, f"reading response: {text}") from e
    return json.loads(received)


def dumps(value, modes):
    if "raw" in modes:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return json.dumps(value, ensure_ascii=False, indent=3)


def no_manual(command, folder):
    sys.stderr.write(f"No manual entry for lightning-{command}\n")
    for manuals in ("../doc", "../share/man/man7"):
        sys.stderr.write(f"man: {folder}/{manuals}/lightning-{command}.7: No such file or directory\n")


def print_help(result, *, one):
    commands = [entry["command"] for entry in result["help"]]
    if one:
        print("\n".join(commands))
        return
    print("\n\n".join(commands))
    print("\n---\nrun `lightning-cli help <command>` for more information on a specific command")


def human(value):
    for key, item in value.items() if isinstance(value, dict) else (("", v) for v in value):
        prefix = f"{key}=" if key else ""
        if isinstance(item, (dict, list)):
            sys.stdout.write(prefix)
            human(item)
        else:
            print(prefix + (item if isinstance(item, str) else json.dumps(item)))


def flat(path, value):
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in items:
        name = (f"{path}.{key}" if path else key) if isinstance(value, dict) else f"{path}[{key}]"
        if isinstance(item, (dict, list)):
            flat(name, item)
        else:
            print(f"{name}={item if isinstance(item, str) else json.dumps(item)}")
