"""What git's messages mean to a person. Read in the C locale; git documents none of them, so each has a test."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from reckless.errors import FetchError

if TYPE_CHECKING:
    from reckless.system.process import Completed

_SIGXFSZ = 25  # signal(7), the same number on Linux and macOS


class RefusedError(FetchError):
    """The server does not serve this commit by its hash alone; `final` where it says that it has no such object."""

    final = False


class GitFailedError(FetchError):
    """git failed for a reason not known here: its repository in the cache may be damaged."""


@dataclass(frozen=True, slots=True)
class _Meaning:
    pattern: str
    code: str
    message: str
    hint: str


_NETWORK = "check the network, then run it again"
_NOT_FOUND = "check the address in a browser; a private repository needs a credential helper in your git config"
_MEANINGS = (
    _Meaning(
        r"No space left on device|Disk quota exceeded",
        "disk-full", "the disk is full", "make room, then run it again",
    ),
    _Meaning(
        r"File too large|signal 25",
        "tree-too-large", "{url} sends more than 2 GiB", "it cannot be installed",
    ),
    _Meaning(
        r"Could not resolve (host|proxy)|Name or service not known",
        "network-down", "cannot find {host}: there is no network, or no such host", _NETWORK,
    ),
    _Meaning(
        r"dubious ownership",
        "repository-not-found", "git will not read {url}, which another user owns",
        "see safe.directory in git help config",
    ),
    _Meaning(
        r"could not read (Username|Password)|Authentication failed|Invalid username or|error: 40[134]\b"
        r"|[Rr]epository '?.*'? ?not found|does not appear to be a git repository|Permission denied \(publickey",
        "repository-not-found", "there is no repository at {url}, or it is private", _NOT_FOUND,
    ),
    _Meaning(
        r"corruption on the remote side|remote: fatal: unable to read",
        "repository-damaged", "the repository at {url} is damaged: its server cannot read all of it", "tell its owners",
    ),
    _Meaning(
        r"Failed to connect|Couldn't connect|Connection (refused|reset|timed out|closed)|Network is unreachable"
        r"|No route to host|Operation too slow|Operation timed out|Timeout was reached|Empty reply"
        r"|error: (5\d\d|429)\b",
        "network-down", "cannot fetch from {host}", _NETWORK,
    ),
    _Meaning(
        r"SSL certificate|SSL connect|SSL_|certificate problem|server certificate|gnutls_|OpenSSL",
        "network-down", "cannot talk to {host} securely", "check this machine's clock and certificates",
    ),
    _Meaning(
        r"unable to update url base from redirection|transport '.*' not allowed"
        r"|[Pp]rotocol .*(not supported|not allowed|disabled)",
        "insecure-url", "{url} sends us elsewhere, to a place that reckless will not fetch from",
        "use the address that it redirects to, if you trust it",
    ),
    _Meaning(
        r"early EOF|RPC failed|unexpected disconnect|hung up unexpectedly|Recv failure|Send failure|unable to access"
        r"|Could not read from remote repository",
        "network-down", "{host} broke off in the middle, or cannot be reached", _NETWORK,
    ),
)  # fmt: skip
_REFUSED = re.compile(
    r"Server does not allow request for unadvertised object|couldn't find remote ref|no such remote ref"
    r"|dumb http transport does not support|does not support shallow"
)
_NOT_OURS = re.compile(r"not our ref|upload-pack: not our")
_FSCK = re.compile(r"fsck error|^error: object [0-9a-f]{40}: \w+:", re.MULTILINE)


def translate(done: Completed, url: str, by_hand: str) -> FetchError:
    """Return the error that a failed git command means."""
    text = done.stderr or done.stdout
    tail = "\n".join(text.strip().splitlines()[-25:])
    text = text.replace(url, "URL")  # what a stranger may word as any of the messages below
    if _NOT_OURS.search(text):
        error = RefusedError("no-such-revision", f"{url} does not have the commit", "", detail=tail)
        error.final = True
        return error
    if _REFUSED.search(text):
        return RefusedError("no-such-revision", f"{url} does not serve the commit by its hash", "", detail=tail)
    if done.status in {-_SIGXFSZ, 128 + _SIGXFSZ}:
        text += " File too large"
    if _FSCK.search(text):
        hint = "do not install it; tell whoever maintains the plugin's manifest"
        return FetchError("git-objects-refused", f"git refuses objects of {url}: they are malformed", hint, detail=tail)
    for meaning in _MEANINGS:
        if re.search(meaning.pattern, text):
            message = meaning.message.format(url=url, host=urlsplit(url).netloc or url)
            return FetchError(meaning.code, message, meaning.hint, detail=tail)
    return GitFailedError("git-failed", f"git could not fetch from {url}", f"by hand: {by_hand}", detail=tail)
