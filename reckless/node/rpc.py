"""Talking to lightningd through the lightning-cli executable.

Exit statuses and error codes are lightningd's (cli/lightning-cli.c, common/jsonrpc_errors.h); node.md of the shared
design has what a real v26.06.6 answers.
"""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reckless.errors import NodeDownError, NodeError, ProcessError
from reckless.model.secrets import looks_secret, mask
from reckless.node import answers
from reckless.node.answers import ConfiguredOption, NodeInfo, RunningPlugin
from reckless.node.talk import Talk, talk
from reckless.system.process import Command

__all__ = ["ConfiguredOption", "Lightning", "LightningCliMissingError", "NodeInfo", "RunningPlugin", "TimeLimits"]

MAX_ANSWER = 32 << 20
_INVALID_PARAMS = -32602
_UNKNOWN_METHOD = -32601
_PLUGIN_DIED = -4
_NO_CONTACT = re.compile(r"Connecting to |Moving into ")
_KEY = re.compile(r"[A-Za-z0-9_-]+")


class LightningCliMissingError(NodeError):
    """There is no lightning-cli to ask with, so whether the node runs is not known."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TimeLimits:
    """Seconds. A plugin has 120 for getmanifest and again for init; lightningd waits 30 for one that it stops."""

    quick: float = 30.0
    start: float = 270.0
    stop: float = 60.0


class Lightning:
    """One node. `lightning_dir`, `network` and `conf` are passed on as lightning-cli's options where they are known.

    `argv` is how lightning-cli is run; without it LIGHTNING_CLI says so (several words, as in
    `docker exec cln lightning-cli`), else it is `lightning-cli`.
    """

    def __init__(
        self,
        *,
        lightning_dir: Path | None = None,
        network: str | None = None,
        conf: Path | None = None,
        argv: Sequence[str] | None = None,
        limits: TimeLimits | None = None,
    ) -> None:
        self.argv = tuple(argv) if argv else _words(os.environ.get("LIGHTNING_CLI", ""))
        named = (("lightning-dir", lightning_dir), ("network", network), ("conf", conf))
        self.flags = tuple(f"--{key}={value}" for key, value in named if value)
        self.limits = limits or TimeLimits()

    def call(self, method: str, params: Mapping[str, object] | None = None, timeout: float | None = None) -> object:
        """Call an RPC method by keyword; values are anything JSON. Returns its answer, parsed.

        Raises NodeDownError `node-down`; LightningCliMissingError; NodeError `node-timeout`, `node-died`,
        `node-answer`, `node-permission`, `lightning-cli-failed`, `lightning-cli-usage`, and for lightningd's own error
        objects `unknown-command`, `plugin-died` or `node-refused`, with `rpc_code`.
        """
        words = [f"{_key(key)}={_word(value)}" for key, value in (params or {}).items()]
        secrets = [_raw(value) for key, value in (params or {}).items() if looks_secret(key)]
        return self._ask(method, words, secrets, timeout)

    def info(self) -> NodeInfo:
        """Ask the node who it is (getinfo). Raises as `call`."""
        return answers.parse_info(self.call("getinfo"))

    def plugins(self) -> tuple[RunningPlugin, ...]:
        """Return every plugin that lightningd lists, its own too. Raises as `call`."""
        return answers.parse_plugins(self.call("plugin", {"subcommand": "list"}))

    def methods(self) -> Mapping[str, str]:
        """Return every RPC method, with the path of the plugin that has it where lightningd says so, else empty."""
        return answers.parse_methods(self._ask("help", [], [], None, flags=("-J",)))

    def options(self) -> Mapping[str, str]:
        """Return every option that has a value or a default, with its plugin's path; empty for lightningd's own.

        The others lightningd does not list: `taken` asks for them.
        """
        return {name: option.plugin or "" for name, option in self.configured().items()}

    def taken(self, names: Iterable[str]) -> Mapping[str, str]:
        """Return which of these option names the node has already, and who has them; empty where it does not say.

        listconfigs leaves out options that have neither a value nor a default, and another plugin that brings such a
        name keeps lightningd from starting: so each name that is not in `options` is asked for by itself. Raises as
        `call`.
        """
        listed = self.options()
        return {name: listed.get(name, "") for name in dict.fromkeys(names) if name in listed or self._knows(name)}

    def _knows(self, option: str) -> bool:
        try:
            self.call("listconfigs", {"config": option})
        except NodeError as e:
            if e.rpc_code == _INVALID_PARAMS:
                return False
            raise
        return True

    def configured(self) -> Mapping[str, ConfiguredOption]:
        """Return every option with its owner and where its values come from (never the values). Raises as `call`."""
        return answers.parse_options(self.call("listconfigs"))

    def conf(self) -> Path | None:
        """Return the file that lightningd was given with --conf, or None. Raises as `call`."""
        try:
            return answers.parse_conf(self.call("listconfigs", {"config": "conf"}))
        except NodeError as e:
            if e.rpc_code == _INVALID_PARAMS:  # older ones know no such option unless it was given
                return None
            raise

    def start(self, path: Path, options: Sequence[tuple[str, str | None]] = ()) -> tuple[RunningPlugin, ...]:
        """Start the plugin at `path` and return all plugins as they are then.

        An option given several times goes several times (a list would arrive as one value); None is a flag. Raises as
        `call`, with the codes `plugin-already-running`, `plugin-not-dynamic`, `plugin-start-failed`,
        and `option-needs-restart` for a value that `plugin start` cannot carry.
        """
        if not options:
            # By position: in keyword form v26.06.6 goes through all options of its config again, and dies at one whose
            # plugin has gone (reckless.operate.starting).
            return self._started(["start", _word(str(path))], [], order="-o")
        words = ["subcommand=start", f"plugin={_word(str(path))}"]
        words += [f"{_key(key)}={_option_word(key, value)}" for key, value in options]
        return self._started(words, [value for key, value in options if value and looks_secret(key)])

    def _started(self, words: Sequence[str], secrets: Sequence[str], order: str = "-k") -> tuple[RunningPlugin, ...]:
        try:
            answer = self._ask("plugin", words, secrets, self.limits.start, order=order)
        except NodeError as e:
            raise _refined(e, _START_CODES, "plugin-start-failed") from e
        return answers.parse_plugins(answer, "plugin start")

    def stop(self, path: Path) -> None:
        """Stop the plugin at `path`.

        Raises as `call`, with the codes `plugin-not-running`, `plugin-not-dynamic`, `plugin-stop-failed`.
        """
        words = ["subcommand=stop", f"plugin={_word(str(path))}"]
        try:
            self._ask("plugin", words, [], self.limits.stop)
        except NodeError as e:
            raise _refined(e, _STOP_CODES, "plugin-stop-failed") from e

    def _ask(
        self,
        method: str,
        words: Sequence[str],
        secrets: Sequence[str],
        timeout: float | None,
        flags: Sequence[str] = (),
        order: str = "-k",
    ) -> object:
        limit = self.limits.quick if timeout is None else timeout
        command = Command(argv=(*self.argv, *self.flags, *flags, order, method, *words), timeout=limit)
        asked = f"plugin {words[0].removeprefix('subcommand=')}" if method == "plugin" and words else method
        said = _Said(asked, self._by_hand(method, words, order), secrets)
        try:
            heard = talk(command, limit=MAX_ANSWER)
        except ProcessError as e:
            raise LightningCliMissingError(
                "lightning-cli-missing",
                f"cannot run {shlex.join(self.argv)}, so whether lightningd runs is not known",
                "set LIGHTNING_CLI to the lightning-cli of your node, such as /opt/cln/bin/lightning-cli or "
                "'docker exec cln lightning-cli'",
            ) from e
        return said.judge(heard, limit)

    def _by_hand(self, method: str, words: Sequence[str], order: str) -> str:
        """Write the line that does the same in a shell; option values are left out of it."""
        keep = words if order == "-o" else ()
        shown = [
            w if w in keep or w.startswith(("subcommand=", "plugin=")) else w.partition("=")[0] + "=..." for w in words
        ]
        return shlex.join([*self.argv, *self.flags, order, method, *shown])


class _Said:
    """Turns what lightning-cli did into an answer or an error, with secrets masked."""

    def __init__(self, asked: str, by_hand: str, secrets: Sequence[str]) -> None:
        self.asked = asked
        self.by_hand = by_hand
        self.secrets = secrets

    def judge(self, heard: Talk, limit: float) -> object:
        if heard.ending == "timeout":
            raise self._error(
                "node-timeout",
                f"lightningd did not answer {self.asked} within {limit:.0f} s",
                f"it may be busy or stuck; by hand: {self.by_hand}",
            )
        if heard.ending == "too-much":
            raise answers.bad_answer(self.asked, f"it is longer than {MAX_ANSWER >> 20} MiB")
        stdout = heard.stdout.decode(errors="replace")
        stderr = mask(heard.stderr.decode(errors="replace"), self.secrets)
        handler: Callable[[str, str], NodeError] | None = {1: self._refusal, 2: self._no_contact, 3: self._usage}.get(
            heard.status or 0
        )
        if handler is not None:
            raise handler(stdout, stderr)
        if heard.status != 0:
            raise self._failed(stdout, stderr, heard.status)
        try:
            return answers.parse_json(stdout, self.asked)
        except NodeError as e:
            e.detail = mask(e.detail, self.secrets)
            raise

    def _error(self, code: str, message: str, hint: str = "", *, rpc_code: int | None = None) -> NodeError:
        return NodeError(code, mask(message, self.secrets), mask(hint, self.secrets), rpc_code=rpc_code)

    def _refusal(self, stdout: str, stderr: str) -> NodeError:
        try:
            error = answers.parse_error(answers.parse_json(stdout, self.asked))
        except NodeError:
            error = None
        if error is None:
            return self._failed(stdout, stderr, 1)
        code, message = error
        kind = {_UNKNOWN_METHOD: "unknown-command", _PLUGIN_DIED: "plugin-died"}.get(code, "node-refused")
        return self._error(
            kind, f"lightningd refused {self.asked}: {answers.first_part(mask(message, self.secrets))}", rpc_code=code
        )

    def _no_contact(self, _stdout: str, stderr: str) -> NodeError:
        text = answers.first_part(stderr)
        if "Permission denied" in stderr:
            return self._error(
                "node-permission",
                f"lightning-cli may not talk to lightningd: {text}",
                "run reckless as the user who runs lightningd: sudo -u USER reckless ...",
            )
        if _NO_CONTACT.search(stderr) or not text:
            return NodeDownError("node-down", f"lightningd is not running ({text or 'no contact'})", "start lightningd")
        if "esponse" in stderr and "socket closed" not in stderr and "reading" not in stderr.lower():
            return self._error("node-answer", f"lightningd's answer to {self.asked} cannot be used: {text}")
        return self._error(
            "node-died",
            f"lightningd was there and went away while it answered {self.asked}: {text}",
            "its log says why; start it again, then run `reckless doctor`",
        )

    def _usage(self, _stdout: str, stderr: str) -> NodeError:
        return self._error(
            "lightning-cli-usage",
            f"lightning-cli does not understand how it was called: {answers.first_part(stderr)}",
            f"by hand: {self.by_hand}",
        )

    def _failed(self, stdout: str, stderr: str, status: int | None) -> NodeError:
        if status == 127:  # a shell, docker or ssh in front of it says so
            return LightningCliMissingError(
                "lightning-cli-missing",
                f"there is no lightning-cli: {answers.first_part(stderr)}",
                "set LIGHTNING_CLI to the lightning-cli of your node",
            )
        said = answers.first_part(stderr or mask(stdout, self.secrets)) or "it said nothing"
        how = "was ended" if status is None else f"exit {status}" if status >= 0 else f"signal {-status}"
        return self._error(
            "lightning-cli-failed",
            f"lightning-cli failed at {self.asked} ({how}): {said}",
            f"by hand: {self.by_hand}",
        )


_START_CODES = (
    (re.compile(r"already registered$|: Invalid argument$"), _INVALID_PARAMS, "plugin-already-running"),
    (re.compile(r"Not a dynamic plugin|cannot be managed"), None, "plugin-not-dynamic"),
)
_STOP_CODES = (
    (re.compile(r"Could not find plugin"), _INVALID_PARAMS, "plugin-not-running"),
    (re.compile(r"cannot be managed"), None, "plugin-not-dynamic"),
)
_HINTS = {
    "plugin-not-dynamic": "it comes and goes with lightningd only: restart lightningd",
    "plugin-already-running": "stop it first",
    "plugin-start-failed": "lightningd's log says more",
}


def _refined(error: NodeError, codes: Sequence[tuple[re.Pattern[str], int | None, str]], otherwise: str) -> NodeError:
    if error.rpc_code is None or error.code == "unknown-command":
        return error
    for pattern, rpc_code, code in codes:
        if pattern.search(error.message) and rpc_code in (None, error.rpc_code):
            return NodeError(code, error.message, _HINTS.get(code, ""), detail=error.detail, rpc_code=error.rpc_code)
    hint = error.hint or _HINTS.get(otherwise, "")
    return NodeError(otherwise, error.message, hint, detail=error.detail, rpc_code=error.rpc_code)


def _words(text: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(text)) or ("lightning-cli",)
    except ValueError as e:
        raise LightningCliMissingError(
            "lightning-cli-missing", f"LIGHTNING_CLI cannot be read: {e}", "check its quotes"
        ) from e


def _key(key: str) -> str:
    if not _KEY.fullmatch(key):
        raise NodeError("invalid-option-name", f"{key!r} is not the name of an option", "letters, digits, - and _")
    return key


def _is_literal(text: str) -> bool:
    """Say whether lightning-cli passes it as JSON rather than as a text (is_literal in cli/lightning-cli.c)."""
    return bool(
        re.fullmatch(r"[0-9.]+", text)
        or text in ("true", "false", "null")
        or (text[:1], text[-1:]) in (("{", "}"), ("[", "]"), ('"', '"'))
    )


def _word(value: object) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False) if _is_literal(value) else value
    return json.dumps(value)


def _raw(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _option_word(key: str, value: str | None) -> str:
    """Write an option's value so that the plugin gets exactly it.

    lightningd hands on the JSON as it stands, escapes included (plugin_add_params in lightningd/plugin.c), so a text
    with a quote or a backslash arrives changed, unless it is itself a JSON object or array, which needs no escaping.
    """
    if value is None:
        return "true"
    if re.fullmatch(r"-?(0|[1-9][0-9]*)|true|false", value):
        return value
    if '"' not in value and "\\" not in value:
        return _word(value)
    try:
        if isinstance(json.loads(value), dict | list) and _is_literal(value):
            return value
    except (ValueError, RecursionError):
        pass
    raise NodeError(
        "option-needs-restart",
        f"the value of {key} has a quote or a backslash, which lightningd changes when it starts a plugin",
        "in the config file it is read as it is: restart lightningd to bring it in",
    )
