"""The user's pip settings for uv, which does not read them: index, proxy, certificates.

A node operator who has a mirror, or Raspberry Pi OS with its index of ready-made wheels, has told pip. Where uv has
been told nothing of its own, it is given the same, by environment: addresses may hold passwords, and command lines are
logged.
"""

from __future__ import annotations

import configparser
import os
from collections.abc import Mapping
from pathlib import Path

_UV_INDEX = ("UV_INDEX", "UV_INDEX_URL", "UV_DEFAULT_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_NO_INDEX")
_FALSE = {"", "0", "no", "false", "off"}


def for_uv(env: Mapping[str, str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the variables and the flags that make `uv pip install` use what pip is set to in `env`."""
    pip = pip_settings(env)
    given: dict[str, str] = {}
    flags: tuple[str, ...] = ()
    if not _has_index(env):
        # pip takes the best version of all its indexes; uv by itself stops at the first that has the package.
        given["UV_INDEX_STRATEGY"] = "unsafe-best-match"
        if url := pip.get("index-url"):
            given["UV_INDEX_URL"] = url
        if urls := pip.get("extra-index-url", "").split():
            given["UV_EXTRA_INDEX_URL"] = " ".join(urls)
        if links := pip.get("find-links", "").split():
            given["UV_FIND_LINKS"] = ",".join(links)
        if pip.get("no-index", "").lower() not in _FALSE:
            flags = ("--no-index",)
    if certificate := pip.get("cert"):
        given["SSL_CERT_FILE"] = certificate
    if hosts := pip.get("trusted-host", "").split():
        given["UV_INSECURE_HOST"] = " ".join(hosts)
    if seconds := pip.get("timeout") or pip.get("default-timeout"):
        given["UV_HTTP_TIMEOUT"] = seconds
    if proxy := pip.get("proxy"):
        given |= {"HTTPS_PROXY": proxy, "HTTP_PROXY": proxy}
    return {name: value for name, value in given.items() if name not in env and name.lower() not in env}, flags


def pip_settings(env: Mapping[str, str]) -> dict[str, str]:
    """Return pip's options as `pip install` sees them: its config files, then its variables (pip: Configuration)."""
    found: dict[str, str] = {}
    for file in _pip_files(env):
        parser = configparser.RawConfigParser()
        try:
            parser.read(file, encoding="utf-8")
        except (OSError, configparser.Error, UnicodeDecodeError):
            continue  # pip itself will complain where it is used
        for section in ("global", "install"):
            if parser.has_section(section):
                found |= {_key(k): v for k, v in parser.items(section)}
    found |= {_key(n.removeprefix("PIP_").lower()): v for n, v in env.items() if n.startswith("PIP_") and v}
    return found


def _key(name: str) -> str:
    return name.replace("_", "-").removeprefix("--")


def _pip_files(env: Mapping[str, str]) -> list[Path]:
    own = env.get("PIP_CONFIG_FILE", "")
    if own == os.devnull:
        return []
    home = Path(env.get("HOME", "/"))
    config = Path(env.get("XDG_CONFIG_HOME") or home / ".config")
    shared = [Path(d) / "pip" for d in reversed((env.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(os.pathsep)) if d]
    folders = [*shared, Path("/Library/Application Support/pip")]
    files = [*(f / "pip.conf" for f in folders), Path("/etc/pip.conf"), home / ".pip/pip.conf", config / "pip/pip.conf"]
    return [*files, home / "Library/Application Support/pip/pip.conf", *([Path(own)] if own else [])]


def _has_index(env: Mapping[str, str]) -> bool:
    """Say whether uv itself has been told about indexes, by variables or in the user's or system's uv.toml."""
    if any(env.get(name) for name in _UV_INDEX):
        return True
    config = Path(env.get("XDG_CONFIG_HOME") or Path(env.get("HOME", "/")) / ".config")
    own = env.get("UV_CONFIG_FILE")
    for file in [Path(own)] if own else [config / "uv/uv.toml", Path("/etc/uv/uv.toml")]:
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            continue
        if any(
            word in text for word in ("index-url", "[[index]]", "[[pip.index]]", "find-links", "no-index", "index =")
        ):
            return True
    return False
