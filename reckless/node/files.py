"""Where a node's files are, and the few of them that we write."""

from __future__ import annotations

import errno
import os
import pwd
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reckless.errors import ConfigError
from reckless.system.files import atomic_write

# What reads and writes config files is imported where it is used: `reckless list` only asks where the files are.
if TYPE_CHECKING:
    from reckless.node.answers import NodeInfo
    from reckless.node.conf import RecklessConf
    from reckless.node.problems import Problem
    from reckless.node.scan import ConfigLine, Role, Scan

NETWORKS = ("bitcoin", "testnet", "testnet4", "signet", "regtest", "liquid", "liquid-regtest", "litecoin")
_NETWORK_FLAGS = {
    "mainnet": "bitcoin",
    "testnet": "testnet",
    "testnet4": "testnet4",
    "signet": "signet",
    "regtest": "regtest",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class NodeFiles:
    """One node's places. `explicit_conf`: --conf, which stands for both of lightningd's own config files.

    `note` is a sentence for a person where the network had to be guessed.
    """

    lightning_dir: Path
    network: str
    reckless_dir: Path
    explicit_conf: Path | None = None
    note: str = ""

    @property
    def network_dir(self) -> Path:
        """`<lightning-dir>/<network>`, where plugins run; may not be there yet."""
        return self.lightning_dir / self.network

    @property
    def config(self) -> Path:
        """The file that our include line goes into, as with lightningd's own tool."""
        return self.explicit_conf or self.network_dir / "config"

    @property
    def our_conf(self) -> Path:
        """`<reckless-dir>/<network>-reckless.conf`."""
        return self.reckless_dir / f"{self.network}-reckless.conf"

    @property
    def roots(self) -> tuple[tuple[Path, Role], ...]:
        """The files that lightningd starts reading at, in its order."""
        if self.explicit_conf:
            return ((self.explicit_conf, "conf"),)
        return ((self.lightning_dir / "config", "top"), (self.network_dir / "config", "network"))

    def check_owner(self, command: str = "reckless ...") -> None:
        """Refuse to work on another user's node. Raises ConfigError `wrong-user`, whose hint has the line to run."""
        _check_owner(self.lightning_dir, command)

    def read_our_conf(self) -> RecklessConf:
        """Read our file; one that is absent is empty. Raises ConfigError `config-unreadable`."""
        from reckless.node import conf as our_conf
        from reckless.node import lines

        return our_conf.parse(lines.decode(self._read(self.our_conf)))

    def write_our_conf(self, conf: RecklessConf) -> None:
        """Write our file, atomically; one that already has these bytes is left alone.

        Raises ConfigError `config-unreadable`, `config-unwritable`, `disk-full`.
        """
        from reckless.node import conf as our_conf
        from reckless.node import lines

        new = lines.encode(conf.render())
        exists = self.our_conf.exists()
        if exists and self._read(self.our_conf) == new:
            return
        if not exists:
            new = lines.encode(our_conf.HEADER) + new
            self._make_folder(self.our_conf.parent)
        self._write(self.our_conf, new, mode=0o600)

    def ensure_include(self) -> bool:
        """Have lightningd read our file: our one edit of a person's file. Returns whether there was anything to do.

        Our file is made first where it is absent: an include of a missing file keeps lightningd from starting. Raises
        ConfigError `config-unreadable`, `config-unwritable`, `disk-full`, `config-unusable`.
        """
        from reckless.node import lines
        from reckless.node.conf import RecklessConf

        if not self.our_conf.exists():
            self.write_our_conf(RecklessConf())
        if self.scan().includes(self.our_conf):
            return False
        data = self._read(self.config)
        if b"\0" in data:
            raise ConfigError(
                "config-unusable", f"{self.config} has a NUL byte, after which lightningd reads nothing", "take it out"
            )
        path = str(self.our_conf)
        if any(c in path for c in "\r\n"):
            raise ConfigError("config-unusable", f"{path!r} cannot stand in a config file", "-d names another folder")
        self._make_folder(self.config.parent)
        self._write(self.config, lines.encode(lines.append_line(lines.decode(data), f"include {path}")), mode=0o644)
        return True

    def scan(self) -> Scan:
        """Read every line that is in force, includes followed. Raises ConfigError `config-too-large`."""
        from reckless.node.scan import scan_files

        return scan_files(self.roots, must_exist=self.explicit_conf is not None)

    def orphaned_by(self, names: Collection[str]) -> tuple[ConfigLine, ...]:
        """Return the lines of a person's own files that set these options: with no such plugin the node won't start."""
        ours = os.path.realpath(self.our_conf)
        found = self.scan().setting(names)
        return tuple(line for line in found if not line.is_setconfig and os.path.realpath(line.file) != ours)

    def setconfig_lines(self, names: Collection[str]) -> tuple[ConfigLine, ...]:
        """Return the lines that lightningd's `setconfig` wrote for these options."""
        return tuple(line for line in self.scan().setting(names) if line.is_setconfig)

    def drop_setconfig_lines(self, names: Collection[str]) -> tuple[ConfigLine, ...]:
        """Comment out what `setconfig` wrote for these options, one rename a file, and return those lines.

        They stay as comments, so that no line below them moves: lightningd would then refuse `setconfig` of its option.
        """
        from reckless.node import lines

        found = self.setconfig_lines(names)
        for file in dict.fromkeys(line.file for line in found):
            text = lines.decode(self._read(file))
            numbers = {line.line for line in found if line.file == file}
            self._write(file, lines.encode(lines.comment_out(text, numbers)), mode=0o600)
        return found

    def absorb_setconfig(self, conf: RecklessConf, name: str, names: Collection[str]) -> RecklessConf:
        """Move what `setconfig` wrote for a plugin's options into its block, so that it is kept, and leaves, with it.

        `conf` is our file as it is; what is returned has been written. Our file comes first: at no instant is an option
        lost, and given twice it means what was set last.
        """
        found = self.setconfig_lines(names)
        if not found:
            return conf
        if conf.find(name) is not None:
            edited = conf
            for key in dict.fromkeys(line.key for line in found):
                edited = edited.set_option(name, key, *(line.value for line in found if line.key == key))
            self.write_our_conf(edited)
            conf = edited
        self.drop_setconfig_lines(names)
        return conf

    def problems(
        self, plugins: Mapping[str, Collection[str]] | None = None, *, known: Collection[str] | None = None
    ) -> tuple[Problem, ...]:
        """Return all that would keep lightningd from starting, as far as files show it.

        `plugins` maps plugins' paths to their options: such an option without its plugin is a problem. `known` are all
        options that lightningd and the plugins of its config have; any other is a problem. Without it none is.
        """
        from reckless.node.problems import find_problems

        return find_problems(self.scan(), plugins or {}, known)

    def _read(self, path: Path) -> bytes:
        from reckless.node.scan import read_config

        try:
            return read_config(path)
        except FileNotFoundError:
            return b""
        except OSError as e:
            raise ConfigError("config-unreadable", f"cannot read {path}: {e.strerror}", _AS_OWNER) from e

    def _write(self, path: Path, data: bytes, *, mode: int) -> None:
        try:
            atomic_write(path, data, mode=mode)
        except OSError as e:
            code = "disk-full" if e.errno in (errno.ENOSPC, errno.EDQUOT) else "config-unwritable"
            raise ConfigError(code, f"cannot write {path}: {e.strerror}; it is as it was", _AS_OWNER) from e

    def _make_folder(self, path: Path) -> None:
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as e:
            code = "disk-full" if e.errno in (errno.ENOSPC, errno.EDQUOT) else "config-unwritable"
            raise ConfigError(code, f"cannot make {path}: {e.strerror}", _AS_OWNER) from e


_AS_OWNER = "run reckless as the user who runs lightningd, and check that the disk is not full"


def locate(
    lightning_dir: Path | None = None,
    network: str | None = None,
    conf: Path | None = None,
    info: NodeInfo | None = None,
    *,
    reckless_dir: Path | None = None,
) -> NodeFiles:
    """Find the node's files from what the command line says (None: nothing) and what the node says (None: it is down).

    Raises ConfigError `lightning-dir-missing`, `lightning-dir-unreadable`, `wrong-user`, `conf-missing`,
    `unknown-network`, `node-mismatch`.
    """
    if conf is not None:
        conf = _full(conf)
        if not conf.is_file():
            raise ConfigError(
                "conf-missing", f"there is no config file {conf}", "--conf takes the file given to lightningd"
            )
    folder = _find_lightning_dir(lightning_dir, conf, info)
    _check_folder(folder, asked=lightning_dir is not None)
    chosen, note = _find_network(folder, network, conf, info)
    return NodeFiles(
        lightning_dir=folder,
        network=chosen,
        reckless_dir=_full(reckless_dir) if reckless_dir else folder / "reckless",
        explicit_conf=conf,
        note=note,
    )


def _full(path: Path) -> Path:
    """Make a path absolute without resolving symlinks: the config shall say what the person said."""
    return Path(os.path.normpath(Path.cwd() / path.expanduser()))


def _find_lightning_dir(asked: Path | None, conf: Path | None, info: NodeInfo | None) -> Path:
    said = info.lightning_dir if info else None
    if asked is not None:
        folder = _full(asked)
        if said and said.is_dir() and os.path.realpath(said) != os.path.realpath(folder):
            raise ConfigError(
                "node-mismatch",
                f"lightning-cli talks to the node in {said}, but --lightning-dir says {folder}",
                "give the same lightning-dir to both, or unset LIGHTNING_CLI",
            )
        return folder
    if said:
        return said
    if conf is not None:
        from reckless.node.scan import scan_files

        set_there = scan_files([(conf, "conf")]).setting({"lightning-dir"})
        if set_there and set_there[-1].value:
            return _full(Path(set_there[-1].value))
    return Path("~/.lightning").expanduser()


def _check_folder(folder: Path, *, asked: bool) -> None:
    try:
        is_folder = folder.is_dir()
        folder.lstat()
    except PermissionError as e:
        raise ConfigError(
            "lightning-dir-unreadable",
            f"{folder} cannot be looked into",
            "run reckless as the user who runs lightningd",
        ) from e
    except (OSError, ValueError):
        is_folder = False
    if not is_folder:
        more = "" if asked else " (where lightningd keeps its files unless told otherwise)"
        raise ConfigError(
            "lightning-dir-missing",
            f"there is no folder {folder}{more}",
            "give the node's folder with --lightning-dir; lightningd makes it when it first runs",
        )
    if not os.access(folder, os.R_OK | os.X_OK):
        _check_owner(folder, "reckless ...")
        raise ConfigError(
            "lightning-dir-unreadable", f"{folder} cannot be looked into", f"its owner can: chmod u+rwx {folder}"
        )


def _check_owner(folder: Path, command: str) -> None:
    owner = folder.stat().st_uid
    if owner == os.geteuid():
        return
    try:
        name = pwd.getpwuid(owner).pw_name
    except KeyError:
        name = f"#{owner}"
    raise ConfigError(
        "wrong-user",
        f"{folder} belongs to {name}; what reckless writes there must be that user's",
        f"sudo -u {name} {command}" if name.isalnum() else f"sudo -u '{name}' {command}",
    )


def _find_network(folder: Path, asked: str | None, conf: Path | None, info: NodeInfo | None) -> tuple[str, str]:
    if asked is not None:
        asked = "bitcoin" if asked == "mainnet" else asked
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", asked):
            raise ConfigError("unknown-network", f"{asked!r} is not a network", f"it is one of {', '.join(NETWORKS)}")
        if info and info.network != asked:
            raise ConfigError(
                "node-mismatch", f"the node is on {info.network}, but --network says {asked}", "leave --network out"
            )
        if asked not in NETWORKS and not (folder / asked).is_dir():
            raise ConfigError("unknown-network", f"there is no network {asked}", f"it is one of {', '.join(NETWORKS)}")
        return asked, ""
    if info:
        return info.network, ""
    from reckless.node.scan import scan_files

    root: tuple[Path, Role] = (conf, "conf") if conf else (folder / "config", "top")
    for line in reversed(scan_files([root]).lines):
        if line.key == "network" and line.value:
            return line.value, ""
        if line.value is None and line.key in _NETWORK_FLAGS:
            return _NETWORK_FLAGS[line.key], ""
    others = [n for n in NETWORKS if n != "bitcoin" and (folder / n).is_dir()]
    if others and not (folder / "bitcoin").is_dir():
        return "bitcoin", f"taking the network for bitcoin, as lightningd does; for {others[0]}: --network {others[0]}"
    return "bitcoin", ""
