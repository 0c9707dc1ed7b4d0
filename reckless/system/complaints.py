"""What programs say when this machine is the trouble: compilers and package clients have the same few sentences."""

from __future__ import annotations

import re

_DISK_FULL = re.compile(r"no space left on device|disk quota exceeded|os error 28\b|errno 28\b", re.IGNORECASE)
_NO_NETWORK = re.compile(
    r"could not resolve host|temporary failure in name resolution|name or service not known|dns error|no such host"
    r"|network is unreachable|connection refused|failed to lookup address|client error \(connect\)"
    r"|nodename nor servname|failed to establish a new connection|connection timed out|i/o timeout|operation timed out"
    r"|could not connect to server|ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ECONNRESET",
    re.IGNORECASE,
)


def says_disk_full(text: str) -> bool:
    """Say whether a program's output names a full disk as its trouble."""
    return bool(_DISK_FULL.search(text))


def says_no_network(text: str) -> bool:
    """Say whether a program's output names the network as its trouble."""
    return bool(_NO_NETWORK.search(text))
