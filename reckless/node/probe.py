"""The probe: a built plugin run by itself, asked what lightningd will ask it first, and ended.

A plugin that fails here is never shown to the node.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reckless.errors import ProbeError, ProcessError, RecklessError
from reckless.model.manifest import Runtime
from reckless.node.answers import first_part
from reckless.node.check import ProbeNotes, check_manifest, check_options
from reckless.node.getmanifest import Getmanifest, PluginMethod, PluginOption, parse_getmanifest
from reckless.node.programs import cannot_run
from reckless.node.talk import Talk, talk
from reckless.system.process import Command

__all__ = [
    "Getmanifest", "PluginMethod", "PluginOption", "ProbeNotes", "ProbeResult", "check_options", "check_probe", "probe",
]  # fmt: skip

MAX_ANSWER = 8 << 20
TAIL_LINES = 25
_SYSTEMD_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_KEPT_VARIABLES = ("HOME", "USER", "LOGNAME", "TMPDIR")
_NEAR_END = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class ProbeResult:
    """What the plugin answered, the last lines of its stderr, and how many seconds it took to answer."""

    manifest: Getmanifest
    stderr: str = ""
    seconds: float = 0.0


def probe(entrypoint: Path, *, cwd: Path | None, lightningd: str, timeout: float = 120) -> ProbeResult:
    """Run the plugin, ask getmanifest as the lightningd of this version does, and end it and all that it started.

    `cwd` is the network's folder; a temporary one stands in where it is not there yet. Raises ProbeError
    `probe-not-executable`, `probe-exited`, `probe-timeout`, `probe-rubbish`, `probe-invalid`, `probe-disabled`;
    `detail` is the tail of what it wrote to stderr.
    """
    bad = cannot_run(entrypoint)
    if bad:
        raise ProbeError("probe-not-executable", f"{entrypoint} cannot be run: it {bad.why}", "build it again")
    text_ids = _has_text_ids(lightningd)
    request = _request(text_ids=text_ids)
    ear = _Ear(request["id"])
    with _working_folder(cwd) as folder:
        command = Command(argv=(entrypoint,), cwd=folder, env=_environment(lightningd), timeout=timeout, stdin="")
        by_hand = _by_hand(entrypoint, request, lightningd)
        line = json.dumps(request, separators=(",", ":")).encode() + b"\n\n"
        try:
            heard = talk(command, limit=MAX_ANSWER, send=line, enough=ear.hear)
        except ProcessError as e:
            raise ProbeError(
                "probe-not-executable", f"{entrypoint} cannot be run: {e.message}", "build it again"
            ) from e
    tail = _tail(heard.stderr)
    try:
        answer = _answer(ear, heard, timeout, by_hand)
        manifest = parse_getmanifest(answer, text_ids=text_ids)
    except ProbeError as e:
        raise ProbeError(e.code, f"{entrypoint.name}: {e.message}", e.hint, detail=e.detail or tail) from e
    return ProbeResult(manifest=manifest, stderr=tail, seconds=heard.seconds)


def check_probe(
    result: ProbeResult,
    runtime: Runtime,
    *,
    taken_methods: Mapping[str, str],
    taken_options: Mapping[str, str],
    given_options: Sequence[tuple[str, str | None]] = (),
) -> ProbeNotes:
    """Check a probe's answer: see `reckless.node.check.check_manifest`. Raises ProbeError."""
    return check_manifest(
        result.manifest,
        runtime,
        taken_methods=taken_methods,
        taken_options=taken_options,
        given_options=given_options,
    )


class _Ear:
    """Takes JSON-RPC messages off what a plugin has said so far, until our answer is among them."""

    def __init__(self, request_id: object) -> None:
        self.id = request_id
        self.answer: Mapping[str, object] | None = None
        self.rubbish = ""
        self._read = 0

    def hear(self, said: bytes) -> bool:
        """Say whether there is no need to listen on."""
        rest = said[self._read :]
        if not rest.strip():
            return False
        if not rest.lstrip().startswith(b"{"):
            self.rubbish = rest.decode(errors="replace")
            return True
        if not rest.rstrip().endswith(b"}"):
            return False
        try:
            text = rest.decode()
        except UnicodeDecodeError:
            self.rubbish = rest.decode(errors="replace")
            return True
        return self._take(text)

    def _take(self, text: str) -> bool:
        decoder = json.JSONDecoder()
        while stripped := text.lstrip():
            try:
                message, end = decoder.raw_decode(stripped)
            except json.JSONDecodeError as e:
                whole = e.pos < len(stripped) - _NEAR_END and not e.msg.startswith(("Unterminated", "Invalid \\"))
                if whole:
                    self.rubbish = stripped
                return whole
            except RecursionError:
                self.rubbish = stripped
                return True
            self._read += len(text[: len(text) - len(stripped) + end].encode())
            text = stripped[end:]
            if self._judge(message, stripped[:end]):
                return True
        return False

    def _judge(self, message: object, text: str) -> bool:
        if not isinstance(message, dict):
            self.rubbish = text
            return True
        if "id" not in message:  # a notification, such as a line for the log
            if not {"method", "params"} <= message.keys():
                self.rubbish = text
            return bool(self.rubbish)
        if "method" in message:
            return False  # lightningd takes requests for answers to nothing, and drops them
        self.answer = message
        return True


def _answer(ear: _Ear, heard: Talk, timeout: float, by_hand: str) -> object:
    if ear.answer is not None:
        return _result(ear.answer, ear.id)
    said = ear.rubbish or heard.stdout.decode(errors="replace")
    if ear.rubbish or heard.ending == "too-much":
        raise ProbeError(
            "probe-rubbish",
            f"it does not speak JSON-RPC on its output; it said: {first_part(said)}",
            f"what a plugin prints goes to lightningd: it must log to stderr. By hand: {by_hand}",
        )
    if heard.ending == "timeout":
        said_so_far = f"; it said so far: {first_part(said)}" if said.strip() else ""
        raise ProbeError(
            "probe-timeout",
            f"no answer to getmanifest within {timeout:.0f} s, after which lightningd would end it{said_so_far}",
            f"by hand: {by_hand}",
        )
    raise ProbeError(
        "probe-exited",
        f"it {_how_it_ended(heard)} before it answered getmanifest",
        f"by hand: {by_hand}",
    )


def _result(answer: Mapping[str, object], wanted: object) -> object:
    if answer.get("id") != wanted or isinstance(answer.get("id"), bool):
        raise ProbeError(
            "probe-invalid",
            f"it answers request {first_part(json.dumps(answer.get('id')))}, and was asked {json.dumps(wanted)}: "
            "lightningd would wait for the right one",
            "this is the plugin's fault: report it to its author",
        )
    if "result" not in answer:
        error = answer.get("error")
        message = error.get("message") if isinstance(error, dict) else error
        raise ProbeError(
            "probe-invalid",
            f"it answered getmanifest with an error: {first_part(str(message))}",
            "report it to its author",
        )
    return answer["result"]


def _how_it_ended(heard: Talk) -> str:
    if heard.status is None:
        return "closed its output"
    if heard.status < 0:
        return f"was ended by signal {-heard.status}"
    return f"exited with status {heard.status}"


def _has_text_ids(lightningd: str) -> bool:
    from packaging.version import Version

    from reckless.model.versions import parse_lightningd

    try:
        return parse_lightningd(lightningd) >= Version("25.5rc1")
    except RecklessError:
        return True


def _request(*, text_ids: bool) -> dict[str, object]:
    return {
        "jsonrpc": "2.0",
        "id": "cln:getmanifest#1" if text_ids else 1,
        "method": "getmanifest",
        "params": {"allow-deprecated-apis": True},
    }


def _environment(lightningd: str) -> dict[str, str]:
    """Return what a plugin sees under systemd; lightningd itself sets LC_ALL, too. Nothing of ours leaks into it."""
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    version = lightningd if re.match(r"v", lightningd) else f"v{lightningd}"
    return {
        **kept,
        "PATH": _SYSTEMD_PATH,
        "LC_ALL": "C",
        "LIGHTNINGD_PLUGIN": "1",
        "LIGHTNINGD_VERSION": version,
    }


@contextlib.contextmanager
def _working_folder(cwd: Path | None) -> Iterator[Path]:
    if cwd is not None and cwd.is_dir() and os.access(cwd, os.R_OK | os.X_OK):
        yield cwd
        return
    with tempfile.TemporaryDirectory(prefix="reckless-probe-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def _by_hand(entrypoint: Path, request: Mapping[str, object], lightningd: str) -> str:
    asked = shlex.quote(json.dumps(request, separators=(",", ":")))
    variables = f"LIGHTNINGD_PLUGIN=1 LIGHTNINGD_VERSION={shlex.quote(_environment(lightningd)['LIGHTNINGD_VERSION'])}"
    return f"echo {asked} | {variables} {shlex.quote(str(entrypoint))}"


def _tail(stderr: bytes) -> str:
    return "\n".join(stderr.decode(errors="replace").splitlines()[-TAIL_LINES:])
