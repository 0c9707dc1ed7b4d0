"""The environment that build steps run with: what compilers and package clients need, and nothing else.

Builds run code from the network. So variables are let through by name: what points a tool at its index, proxy,
certificates, compiler or home is; tokens, agents' sockets and everything about lightningd are not.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

_ALLOWED = re.compile(
    r"""
      PATH | HOME | USER | LOGNAME | SHELL | LANG | LC_\w+ | TZ | TMPDIR
    | (?i:https?_proxy | all_proxy | no_proxy)
    | SSL_CERT_(FILE|DIR) | CURL_CA_BUNDLE | REQUESTS_CA_BUNDLE | GIT_SSL_CAINFO
    | NODE_EXTRA_CA_CERTS | NIX_SSL_CERT_FILE
    | XDG_(CONFIG|CACHE|DATA)_(HOME|DIRS)
    | PIP_\w+ | UV_\w+ | PYENV_\w+
    | CARGO_\w+ | RUSTUP_\w+ | RUSTC | RUSTC_WRAPPER | RUSTFLAGS | RUST_BACKTRACE
    | GO(PATH|ROOT|PROXY|PRIVATE|NOPROXY|SUMDB|NOSUMDB|INSECURE|VCS|FLAGS|CACHE|MODCACHE|ENV|BIN|TMPDIR|EXPERIMENT)
    | GO(AMD64|ARM|ARM64|386|DEBUG|AUTH|MEMLIMIT) | CGO_\w+
    | (?i:NPM_CONFIG_\w+) | JAVA_HOME | JAVA_TOOL_OPTIONS | MAVEN_(OPTS|ARGS) | GRADLE_(OPTS|USER_HOME)
    | CC | CXX | CPP | AR | LD | RANLIB | STRIP | NM
    | CFLAGS | CXXFLAGS | CPPFLAGS | LDFLAGS | MAKEFLAGS | CPATH | C_INCLUDE_PATH | LIBRARY_PATH | LD_LIBRARY_PATH
    | PKG_CONFIG(_\w+)? | PROTOC(_INCLUDE)? | \w+_(LIB|INCLUDE)_DIR | OPENSSL_\w+ | SDKROOT | DEVELOPER_DIR
    | MACOSX_DEPLOYMENT_TARGET
    """,
    re.VERBOSE,
)
_SECRET = re.compile(r"\w*(TOKEN|SECRET|_AUTH|PUBLISH|CREDENTIAL_PROVIDER)\w*", re.IGNORECASE)
# Settings that move an installation elsewhere, or that we set ourselves: they are for the user's own environments.
_OURS = re.compile(
    r"""
      PIP_(TARGET|PREFIX|ROOT|USER|PYTHON|REQUIREMENT|EDITABLE|CONSTRAINT|REQUIRE_\w+|NO_DEPS|NO_DEPENDENCIES|LOG|SRC
          |QUIET|VERBOSE|CACHE_DIR|NO_CACHE_DIR|DRY_RUN|IGNORE_INSTALLED|NO_COMPILE|COMPILE)
    | UV_(PYTHON|PYTHON_DOWNLOADS|SYSTEM_PYTHON|TARGET|PREFIX|BREAK_SYSTEM_PACKAGES|PROJECT\w*|WORKING_\w+|WORKSPACE
          |CACHE_DIR|NO_CACHE|CONSTRAINT|OVERRIDE|EXCLUDE|REQUIRE_HASHES|VERIFY_HASHES|NO_VERIFY_HASHES|FROZEN|LOCKED|NO_SYNC
          |ENV_FILE|COMPILE_BYTECODE|VENV_\w+|MANAGED_PYTHON|NO_MANAGED_PYTHON|RESOLUTION|DEV|NO_DEV|GROUP|NO_GROUP|EDITABLE)
    | CARGO_(TARGET_DIR|BUILD_TARGET_DIR|BUILD_BUILD_DIR|BUILD_TARGET|INSTALL_ROOT|MANIFEST_\w+|PKG_\w+|BIN_\w+)
    | RUSTUP_(TOOLCHAIN|AUTO_INSTALL) | GOBIN
    | (?i:NPM_CONFIG_(GLOBAL|LOCATION|PREFIX|LOCAL_PREFIX|OMIT|INCLUDE|ONLY|PRODUCTION|DEV|ALSO|OPTIONAL|WORKSPACES?
          |INCLUDE_WORKSPACE_ROOT|PACKAGE_LOCK\w*|SHRINKWRAP|DRY_RUN|JSON|LONG|CACHE|AUDIT|FUND|PROGRESS|COLOR|UPDATE_NOTIFIER
          |INSTALL_STRATEGY|INSTALL_LINKS|SAVE\w*|NODE_OPTIONS|ARGV))
    """,
    re.VERBOSE,
)


def build_environment(home: Path, cache: Path) -> dict[str, str]:
    """Return the environment for build steps, from our own, by an allow-list.

    `home` becomes HOME (pip, cargo and go read the user's settings there). What builds put aside goes below `cache`:
    temporary files too unless the user has set TMPDIR, since /tmp is often memory, and small. Raises OSError.
    """
    return clean(os.environ, home, cache)


def clean(environ: Mapping[str, str], home: Path, cache: Path) -> dict[str, str]:
    """Return what build steps may see of `environ`; as `build_environment`."""
    env = {name: value for name, value in environ.items() if is_allowed(name)}
    env["HOME"] = str(home)
    env.setdefault("PATH", "/usr/local/bin:/usr/bin:/bin")
    env.setdefault("LANG", "C.UTF-8")
    if "TMPDIR" not in env:
        temporary = cache / "tmp"
        temporary.mkdir(parents=True, exist_ok=True)
        temporary.chmod(0o700)
        env["TMPDIR"] = str(temporary)
    # Nothing may ask a question, paint, or fetch an interpreter or compiler that was not asked for.
    return env | {
        "TERM": "dumb",
        "NO_COLOR": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "PIP_NO_INPUT": "1",
        "PIP_USER": "0",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_CACHE_DIR": str(cache / "pip"),
        "UV_CACHE_DIR": str(cache / "uv"),
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_NO_PROGRESS": "1",
        "VIRTUALENV_OVERRIDE_APP_DATA": str(cache / "virtualenv"),
        "CARGO_TERM_COLOR": "never",
        "CARGO_TERM_PROGRESS_WHEN": "never",
        "RUSTUP_AUTO_INSTALL": "0",
        "GOTOOLCHAIN": "local",
        "NPM_CONFIG_CACHE": str(cache / "npm"),
        "NPM_CONFIG_AUDIT": "false",
        "NPM_CONFIG_FUND": "false",
        "NPM_CONFIG_PROGRESS": "false",
        "NPM_CONFIG_UPDATE_NOTIFIER": "false",
    }


def is_allowed(name: str) -> bool:
    """Say whether a build step may see the variable `name`."""
    return bool(_ALLOWED.fullmatch(name)) and not _SECRET.fullmatch(name) and not _OURS.fullmatch(name)
