"""Taking over a plugin that lightningd's own reckless installed.

It becomes an entry of ours as it is: the same files in their old place, the same line in effect in the config, with the
options that stand beside it, while it goes on running. From then on every verb treats it as one of ours; `upgrade` and
`install` build a release and switch over to it as always. That tool's files are kept until the new one runs, and then
for `rollback`, until the next upgrade (reckless.store.legacy.retire).
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Collection, Iterable
from dataclasses import replace
from pathlib import Path

from reckless.errors import ConfigError, NodeError, ProbeError, RecklessError, StoreError
from reckless.model.names import normalize_name
from reckless.model.state import OLD_TOOL, Entry, Receipt, State, receipt_to_json
from reckless.node.files import NodeFiles
from reckless.node.probe import probe
from reckless.operate.legacy import OldPlugin, imagine, networks, old_plugins, real_place
from reckless.operate.session import Session
from reckless.system.files import atomic_write, swap_symlink

_PLUGIN_KEYS = ("plugin", "important-plugin")


def adopt(
    session: Session, state: State, names: Iterable[str], *, dry_run: bool, whole: bool = False, stays: bool = True
) -> State:
    """Return the state with those of these plugins in it that lightningd's own tool installed, taken over as they are.

    With `dry_run` nothing is written. With `whole`, one that cannot be run is refused. One that `stays` is told of; one
    that does not, and is off everywhere, is not run to learn what it is. Raises RecklessError `old-plugin-broken`,
    ConfigError `plugin-in-config`, StoreError `folder-in-the-way`, OSError.
    """
    found = old_plugins(session, state)
    for name in dict.fromkeys(normalize_name(text) for text in names) if found else ():
        plugin = found.get(name)
        if plugin is None:
            continue
        if whole and plugin.damage:
            raise _broken(plugin)
        _refuse_other_lines(session, plugin)
        receipt = _receipt(session, state, plugin, ask=stays or bool(plugin.enabled))
        entry = replace(plugin.entry(), dynamic=receipt.dynamic)
        if dry_run:
            state = imagine(session, state, entry, receipt)
        else:
            state = _take(session, state, plugin, entry, receipt)
            if stays:
                session.reporter.note(f"{name}: taken over from {OLD_TOOL}, as it is")
    return state


def _broken(plugin: OldPlugin) -> RecklessError:
    return RecklessError(
        "old-plugin-broken",
        f"{plugin.name}, which lightningd's own reckless installed, cannot be run: {plugin.damage}; "
        "nothing was changed",
        f"`reckless install {plugin.name}` puts a release of ours in its place; `reckless uninstall {plugin.name}` "
        "removes what is left of it",
    )


def _refuse_other_lines(session: Session, plugin: OldPlugin) -> None:
    """Refuse where a person's own file loads it too: whatever we did, that line would stay. Raises ConfigError."""
    for _, files in networks(session):
        ours = files.our_conf.resolve()
        for line in files.scan().lines:
            named = line.key in _PLUGIN_KEYS and line.value and line.value.startswith("/")
            if named and line.file.resolve() != ours and _is_below(real_place(line.value or ""), plugin.folder):
                raise ConfigError(
                    "plugin-in-config",
                    f"{line.file} line {line.line} loads {plugin.name}, which lightningd's own reckless installed; "
                    "nothing was changed",
                    f"take that line out, then run this again ({files.our_conf} is where plugins are switched on)",
                )


def _is_below(path: str, folder: Path) -> bool:
    return Path(path).is_relative_to(folder.resolve())


def _receipt(session: Session, state: State, plugin: OldPlugin, *, ask: bool) -> Receipt:
    """Ask the plugin what it is; where it does not answer, take what the index and the node say of it."""
    receipt, limit, manifest = plugin.receipt(), session.settings.probe_timeout, None
    if ask and not plugin.damage:
        cwd = session.files.network_dir
        with contextlib.suppress(ProbeError):
            manifest = probe(plugin.path, cwd=cwd, lightningd=session.lightningd, timeout=limit).manifest
    if manifest is None:
        return _seen_by_node(session, plugin, _seen_by_index(session, state, receipt))
    return replace(
        receipt,
        dynamic=manifest.dynamic,
        rpcmethods=tuple(m.name for m in manifest.rpcmethods),
        hooks=manifest.hooks,
        subscriptions=manifest.subscriptions,
        options=tuple(o.name for o in manifest.options),
    )


def _seen_by_index(session: Session, state: State, receipt: Receipt) -> Receipt:
    try:
        found = session.sources(state, offline=True).find(receipt.name)
    except RecklessError:
        return receipt
    runtimes = [release.runtime for release in found.manifest.releases] if found else []
    return replace(
        receipt,
        rpcmethods=tuple(sorted({name for r in runtimes for name in r.rpcmethods or ()})),
        options=tuple(sorted({name for r in runtimes for name in r.options or ()})),
    )


def _seen_by_node(session: Session, plugin: OldPlugin, receipt: Receipt) -> Receipt:
    path = str(plugin.path.resolve())
    try:
        here = next((p for p in session.running() or () if p.name == path), None)
        mine = {n for n, o in session.node.configured().items() if o.plugin == path} if here else set()
    except NodeError:
        return receipt
    options = tuple(sorted({*receipt.options, *mine}))
    return replace(receipt, dynamic=here.dynamic if here else True, options=options)


def _take(session: Session, state: State, plugin: OldPlugin, entry: Entry, receipt: Receipt) -> State:
    """Make it ours: the receipt, `current`, its block in every network's config, the state. Each may be repeated."""
    layout = session.store.layout
    current = layout.current(entry.name)
    if current.exists() and not current.is_symlink():
        raise StoreError(
            "folder-in-the-way",
            f"{current} stands where a link of ours must be: {entry.name}, which lightningd's own reckless installed, "
            "was not taken over; nothing was changed",
            "move it to another name, then run this again",
        )
    plugin.folder.mkdir(exist_ok=True)
    layout.plugin(entry.name).mkdir(exist_ok=True)
    text = json.dumps(receipt_to_json(receipt), indent=1)
    atomic_write(layout.receipt(entry.name, entry.tree), text.encode() + b"\n")
    swap_symlink(current, entry.tree)
    for network, files in networks(session):
        if network in (*plugin.enabled, *plugin.disabled):
            _write_block(session, files, plugin, entry, receipt.options, on=network in plugin.enabled)
    state = state.with_entry(entry)
    session.store.save(state)
    session.store.imagined.pop((entry.name, entry.tree), None)
    return state


def _write_block(
    session: Session, files: NodeFiles, plugin: OldPlugin, entry: Entry, offered: Collection[str], *, on: bool
) -> None:
    """Turn that tool's line, and the plugin's options that a person put below it, into a block of ours: one rename."""
    conf = files.read_our_conf()
    options = (*conf.options(entry.name), *conf.loose_options(offered))
    edited = conf.without_loose_options(offered).with_plugin(
        entry.name, session.store.entrypoint(entry), options, instead_of=plugin.lines
    )
    files.write_our_conf(edited if on else edited.disabled(entry.name))
