"""lightningd's own plugin recklessrpc, as plugins/recklessrpc.c of v26.06.6 does it: it runs `reckless` from PATH."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess

from process import environment

BUFFER = 4096  # what it clears; past that stands what happens to stand there
MAX_TOKENS = 5000
PLUGIN_ERROR, PLUGIN_TERMINATED = -3, -4
_decoder = json.JSONDecoder()


class RefusedError(Exception):
    """The call failed: a JSON-RPC error."""

    def __init__(self, message, code=PLUGIN_ERROR):
        super().__init__(message)
        self.code, self.message = code, message


class DiedError(Exception):
    """recklessrpc died; it is important, and lightningd ends with it."""


async def run(node, words):
    """Run `reckless` with these words; return the answer. Raises RefusedError, DiedError."""
    argv = ["reckless", "-v", "--json", "-l", node.place.base, "--network", node.place.network]
    argv += ["--conf", node.place.conf] if node.place.conf else []
    argv += [_as_it_stands(json.dumps(word, ensure_ascii=False)) for word in words]
    said = await asyncio.get_running_loop().run_in_executor(None, _talk, argv, node)
    return _answer(said)


def _talk(argv, node):
    """Return all that it printed, once its output has ended and it is found to have ended well."""
    pipe = subprocess.PIPE
    try:
        process = subprocess.Popen(
            argv, stdin=pipe, stdout=pipe, stderr=pipe, env=environment(node.version), cwd=node.place.netdir
        )
    except OSError as e:
        raise RefusedError(f"reckless failed: {e.strerror}", -1) from e
    with process:
        said = process.stdout.read()
        pid, status = os.waitpid(process.pid, os.WNOHANG)  # it looks once
        if not pid:
            process.kill()
            raise RefusedError("reckless process hung")
        process.returncode = os.waitstatus_to_exitcode(status)
        errors = process.stderr.read()
    if process.returncode:
        raise RefusedError("the reckless process has crashed")
    if len(errors) >= BUFFER:
        raise DiedError
    return said


def _answer(said):
    text, end, _ = said.partition(b"\0")
    if not end and len(said) >= BUFFER:
        raise DiedError
    try:
        found = json.loads(text)
    except ValueError as e:
        raise RefusedError("reckless returned invalid character in json output") from e
    if _tokens(found) > MAX_TOKENS:
        raise RefusedError("insufficient tokens to parse reckless output.")
    members = _members(text.decode())
    return {key: [_as_it_stands(item) for item in _items(members[key])] for key in ("result", "log")}


def _tokens(value):
    if isinstance(value, dict):
        return 1 + sum(1 + _tokens(v) for v in value.values())
    return 1 + sum(map(_tokens, value)) if isinstance(value, list) else 1


def _members(text):
    """Return the members of an object, their values as they stand in the text."""
    found, at = {}, _skip(text, text.index("{") + 1)
    while text[at] != "}":
        key, at = _decoder.raw_decode(text, at)
        at = _skip(text, _skip(text, at) + 1)
        _, end = _decoder.raw_decode(text, at)
        found[key], at = text[at:end], _skip(text, end)
        at = _skip(text, at + 1) if text[at] == "," else at
    return found


def _items(text):
    """Return the items of an array as they stand in the text; nothing of what is no array."""
    found, at = [], _skip(text, 1)
    while text.startswith("[") and text[at] != "]":
        _, end = _decoder.raw_decode(text, at)
        found.append(text[at:end])
        at = _skip(text, end)
        at = _skip(text, at + 1) if text[at] == "," else at
    return found


def _skip(text, at):
    while text[at : at + 1] in " \t\r\n" and at < len(text):
        at += 1
    return at


def _as_it_stands(item):
    """A string without its quotes, and with its escapes; anything else as it is written."""
    return item[1:-1] if item.startswith('"') else item
