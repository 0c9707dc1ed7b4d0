"""Run git so that it can neither ask, nor run what a stranger chose, nor talk in a way that the user did not.

The user's own git config stays in force: people need its `insteadOf`, proxies and certificates. What could run a
command, or change what we get, is overridden on the command line, which wins.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from typing import TYPE_CHECKING

from reckless.errors import FetchError, ProcessError
from reckless.fetch.archive import local_path
from reckless.fetch.giterrors import translate
from reckless.fetch.limits import MAX_BYTES, Deadline
from reckless.system import http
from reckless.system.process import Command, Completed, run

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

# Old repositories have objects that git once wrote and now complains of. These are harmless; others refuse the fetch.
_HARMLESS = (
    "badTimezone", "missingSpaceBeforeDate", "missingSpaceBeforeEmail", "missingNameBeforeEmail", "missingEmail",
    "missingTaggerEntry", "zeroPaddedDate", "zeroPaddedFilemode", "badDateOverflow", "badFilemode", "multipleAuthors",
    "nulInCommit",
)  # fmt: skip
_CONFIG = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.askPass=",
    "credential.interactive=false",
    "protocol.version=2",
    "protocol.allow=never",
    "transfer.fsckObjects=true",
    "fetch.fsckObjects=true",
    *(f"fetch.fsck.{what}=ignore" for what in _HARMLESS),
    "fetch.unpackLimit=1",  # one pack, not hundreds of small files: kind to SD cards
    "fetch.recurseSubmodules=false",
    "fetch.writeCommitGraph=false",
    "fetch.prune=false",
    "fetch.pruneTags=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "http.lowSpeedLimit=100",
    "http.lowSpeedTime=60",
)
# What git itself counts as belonging to one repository (git rev-parse --local-env-vars), but for config given by
# environment: reckless may run inside a hook, where these name another repository.
_FOREIGN = (
    "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_OBJECT_DIRECTORY", "GIT_DIR", "GIT_WORK_TREE", "GIT_IMPLICIT_WORK_TREE",
    "GIT_GRAFT_FILE", "GIT_INDEX_FILE", "GIT_REPLACE_REF_BASE", "GIT_PREFIX", "GIT_SHALLOW_FILE", "GIT_COMMON_DIR",
    "GIT_INTERNAL_SUPER_PREFIX", "GIT_NAMESPACE", "GIT_QUARANTINE_PATH", "GIT_CONFIG", "GIT_TEMPLATE_DIR",
    "GIT_PROXY_COMMAND", "GIT_EXTERNAL_DIFF", "GIT_ALLOW_PROTOCOL",
)  # fmt: skip
_QUIET = {
    "LC_ALL": "C",  # its messages are read
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "",
    "SSH_ASKPASS": "",
    "SSH_ASKPASS_REQUIRE": "never",
    "GCM_INTERACTIVE": "never",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_NO_LAZY_FETCH": "1",  # git 2.44: what is missing is an error, not a hidden request for each object
    "GIT_LFS_SKIP_SMUDGE": "1",
    "GIT_DEFAULT_HASH": "sha1",
    "GIT_DEFAULT_REF_FORMAT": "files",
}
_TRANSPORTS = frozenset({"https", "http", "ssh", "git", "file"})


def is_local(url: str) -> bool:
    """Say whether `url` is on this machine: loopback http, `file://` or an absolute path."""
    return http.is_loopback(url) or local_path(url) is not None


def check_url(url: str) -> None:
    """Raise FetchError `insecure-url` unless `url` is https, loopback http, `file://` or an absolute path."""
    if url.isprintable() and not url.startswith("-") and (http.is_allowed(url) or local_path(url) is not None):
        return
    raise FetchError(
        "insecure-url",
        f"refusing to fetch from {re.sub(r'//[^/]*@', '//***@', url)!r}",
        "only https without a user or password in it, or a path or loopback address of this machine",
    )


class Git:
    """git, for one URL, within one time limit. `transport` is what the user's config makes of the URL."""

    def __init__(self, url: str, deadline: Deadline) -> None:
        """Raise FetchError `git-missing`, `insecure-url`."""
        check_url(url)
        self.url = url
        self.deadline = deadline
        self._transport = ""
        if not shutil.which("git"):
            raise FetchError("git-missing", "git is not installed, and this plugin's source is in git", _install_hint())
        # insteadOf may lead elsewhere, as the user chose. Then that one transport is allowed, and no other: a server
        # cannot redirect from it, and `ext::`, which runs commands, is never one.
        actual = self.run(["ls-remote", "--get-url", url]).stdout.strip()
        self._transport = _transport_of(actual)

    def run(
        self, arguments: Sequence[str], *, stdin: str | None = None, env: Mapping[str, str] | None = None
    ) -> Completed:
        """Run git to its end. Raises FetchError as `giterrors.translate` has it, or `fetch-timeout`."""
        command = self.command(arguments, stdin=stdin, env=env)
        try:
            done = run(command, check=False)
        except ProcessError as e:
            if e.code == "command-timeout":
                raise self.deadline.error() from e
            raise FetchError("git-missing", e.message, _install_hint(), detail=e.detail) from e
        if done.status != 0:
            raise translate(done, self.url, command.by_hand)
        return done

    def command(
        self, arguments: Sequence[str], *, stdin: str | None = None, env: Mapping[str, str] | None = None
    ) -> Command:
        """Return the command that `run` runs."""
        config = [*_CONFIG, f"protocol.{self._transport}.allow=always"] if self._transport else _CONFIG
        options = [word for setting in config for word in ("-c", setting)]
        return Command(
            argv=["git", *options, *arguments],
            env={**_environment(), **(env or {})},
            timeout=self.deadline.left(),
            stdin=stdin,
            file_limit=MAX_BYTES,
        )


def local_git(arguments: Sequence[str], folder: Path, *, timeout: float = 60) -> Completed:
    """Run git in a person's own checkout, only to look; none of its hooks and no monitor of files runs.

    Raises ProcessError, above all where the folder is in no checkout.
    """
    options = [word for setting in _CONFIG for word in ("-c", setting)]
    return run(Command(argv=["git", *options, *arguments], cwd=folder, env=_environment(), timeout=timeout))


def _environment() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if k not in _FOREIGN and not k.startswith("GIT_TRACE")} | _QUIET


def _transport_of(url: str) -> str:
    found = re.match(r"([A-Za-z0-9+.-]+)://", url)
    if found:
        transport = found[1].lower()
    elif re.match(r"[^/:]+::", url):
        transport = ""  # a helper program
    elif re.match(r"[^/:]+:", url):
        transport = "ssh"  # host:path
    else:
        transport = "file"
    if transport not in _TRANSPORTS or url.startswith("-"):
        raise FetchError(
            "insecure-url",
            f"your git config turns the URL into {url!r}, which reckless will not use",
            "see url.*.insteadOf",
        )
    return transport


def _install_hint() -> str:
    if sys.platform == "darwin":
        return "install it: xcode-select --install"
    for tool, line in (
        ("apt-get", "sudo apt install git"),
        ("dnf", "sudo dnf install git"),
        ("pacman", "sudo pacman -S git"),
        ("apk", "sudo apk add git"),
    ):
        if shutil.which(tool):
            return f"install it: {line}"
    return "install git with your system's package manager"
