"""Every error a user can meet is data: a stable code, what happened, and what to do next.

Codes are kebab-case, documented in docs/reference/errors.md, and never change their meaning.
"""

from __future__ import annotations

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_BUG = 70
EXIT_INTERRUPTED = 130


class RecklessError(Exception):
    """Something went wrong that a person can act on.

    `code` is stable and kebab-case; `message` says what happened and what was left as it was; `hint` says what to do
    next and may be empty; `detail` is longer text (a log's tail, every finding) shown below the message.
    """

    exit_code = EXIT_FAILED

    def __init__(self, code: str, message: str, hint: str = "", *, detail: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.detail = detail


class UsageError(RecklessError):
    """The command line itself is wrong: an unknown option, an argument that cannot be read (exit 2)."""

    exit_code = EXIT_USAGE


class ManifestError(RecklessError):
    """A manifest, catalog or list of built-ins that cannot be used; `detail` lists every finding."""


class IndexSourceError(RecklessError):
    """A source of manifests that cannot be reached, or that does not hold what it promises."""


class ResolutionError(RecklessError):
    """No set of releases fits what was asked for; `message` explains in sentences."""


class FetchError(RecklessError):
    """A release's source could not be brought here, or is not what its manifest says."""


class BuildError(RecklessError):
    """A release could not be built; `detail` is the tail of its build log."""


class ToolchainMissingError(BuildError):
    """What a build needs of the operating system is not there; `hint` is the command that installs it."""


class DetectionError(BuildError):
    """A tree without a manifest that is no plugin, or several; `choices` are what can be put behind `URL/tree/REV/`."""

    def __init__(
        self, code: str, message: str, hint: str = "", *, detail: str = "", choices: tuple[str, ...] = ()
    ) -> None:
        super().__init__(code, message, hint, detail=detail)
        self.choices = choices


class ProbeError(RecklessError):
    """A built plugin did not answer getmanifest as lightningd needs; it was never shown to the node."""


class NodeError(RecklessError):
    """lightningd, or lightning-cli, refused or failed.

    `rpc_code` is the JSON-RPC error code (lightningd: common/jsonrpc_errors.h), or None where there was no answer.
    """

    def __init__(
        self, code: str, message: str, hint: str = "", *, detail: str = "", rpc_code: int | None = None
    ) -> None:
        super().__init__(code, message, hint, detail=detail)
        self.rpc_code = rpc_code


class NodeDownError(NodeError):
    """No lightningd listens (lightning-cli exit 2): verbs go on, on disk and config, and say so."""


class ConfigError(RecklessError):
    """A config file of the node that cannot be read, or an edit that would keep the node from starting."""


class StoreError(RecklessError):
    """The state on disk cannot be used: damaged, newer than this reckless, locked, or another user's."""


class ProcessError(RecklessError):
    """A program failed, was missing or ran out of time; `exit_status` is None where it never ended by itself."""

    def __init__(
        self, code: str, message: str, hint: str = "", *, detail: str = "", exit_status: int | None = None
    ) -> None:
        super().__init__(code, message, hint, detail=detail)
        self.exit_status = exit_status
