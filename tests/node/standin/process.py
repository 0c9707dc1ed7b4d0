"""A plugin's process: started in the right environment, spoken to in JSON over stdio, never outliving the daemon."""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import ctypes
import errno
import json
import os
import signal
import subprocess
import sys

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def die_with_parent():
    """Ask the kernel to end this process when its parent ends (Linux; elsewhere the process group is what ends it)."""
    if _libc:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _in_child():
    die_with_parent()
    for number in (signal.SIGPIPE, signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)


class PluginProcess:
    """Started by `start`. `on_message(dict)`, `on_error(text)` and `on_exit()` are called from the event loop."""

    def __init__(self, path, *, on_message, on_error, on_exit):
        self.path = path
        self.on_message, self.on_error, self.on_exit = on_message, on_error, on_exit
        self.process = None
        self._text = ""
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._json = json.JSONDecoder(strict=False)
        self._reader = self._stream = self._pipe = None

    async def start(self, env):
        """Start it. Raises OSError as exec does; a file without a #! line is run by sh, as execvp has it."""
        try:
            self._spawn([self.path], env)
        except OSError as e:
            if e.errno != errno.ENOEXEC:
                raise
            self._spawn(["/bin/sh", self.path], env)
        self._stream = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(self._stream)
        self._pipe, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, self.process.stdout)
        self._reader = asyncio.ensure_future(self._read())

    def _spawn(self, argv, env):
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(argv, stdin=pipe, stdout=pipe, env=env, bufsize=0, preexec_fn=_in_child)  # noqa: PLW1509  # no threads here

    def send(self, message):
        data = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"
        with contextlib.suppress(BrokenPipeError, ValueError):  # it died, or was ended: its reader notices
            self.process.stdin.write(data)

    def kill(self):
        """End it, and wait for its end."""
        if self._reader:
            self._reader.cancel()
            self._pipe.close()
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process.stdin.close()

    async def _read(self):
        while True:
            chunk = await self._stream.read(1 << 16)
            if not chunk:
                self.on_exit()
                return
            self._text += self._decode(chunk)
            while "}" in self._text:  # lightningd looks no closer before the first one
                error, message = self._next()
                if error:
                    self.on_error(error)
                    return
                if message is None:
                    break
                self.on_message(message)

    def _next(self):
        """Return (error, None), (None, message), or (None, None) while the message is incomplete."""
        text = self._text.lstrip()
        if not text:
            return None, None
        try:
            message, end = self._json.raw_decode(text)
        except json.JSONDecodeError as e:
            if e.pos >= len(text.rstrip()) or e.msg.startswith("Unterminated string"):
                return None, None
            return f"Failed to parse RPC JSON response '{self._text}'", None
        if not isinstance(message, dict) or "jsonrpc" not in message:
            return f"JSON-RPC message does not contain \"jsonrpc\" field: '{self._text}'", None
        self._text = text[end:]
        return None, message


def environment(version):
    """What a plugin gets: the daemon's own environment and two names."""
    return os.environ | {"LIGHTNINGD_PLUGIN": "1", "LIGHTNINGD_VERSION": version}
