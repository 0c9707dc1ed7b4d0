"""setconfig: a dynamic option changed for good, by rewriting config files the way lightningd does."""

from __future__ import annotations

import os
import tempfile
import time

import configfile

HEAD = "# Created and update by setconfig, but you can edit this manually when node is stopped."


def save(node, text):
    """Write the line `text` to the setconfig file, comment out what it replaces, and make it hold now."""
    name = text.partition("=")[0]
    if not node.setconfig_file:
        node.setconfig_file = _create_include(node)
    old = node.options.set(name)
    if old and old[-1].file == node.setconfig_file:
        _rewrite(old[-1], text)
        number = old[-1].number
    else:
        if old and old[-1].file:
            _rewrite(old[-1], f"# setconfig commented out (see config.setconfig): {old[-1].text}")
        number = _append(node.setconfig_file, text)
    node.options.lines.append(configfile.Line(text, configfile.NETWORK, node.setconfig_file, number))
    node.options.settle()


def changed(line):
    """Say how a file differs from what was read at boot, or nothing: then the line may be rewritten."""
    try:
        with open(line.file, encoding="utf-8") as f:
            lines = f.read().split("\n")
    except OSError as e:
        return f"Could not load configfile {line.file}: {e.strerror}"
    if line.number >= len(lines):
        return f"Configfile {line.file} no longer has {line.number} lines!"
    now = lines[line.number - 1]
    if now != line.text:
        return f"Configfile {line.file} line {line.number} changed from {line.text} to {now}!"
    return ""


def _create_include(node):
    conf = node.place.conf or os.path.join(node.place.netdir, "config")
    name = os.path.basename(conf)
    _append(conf, f"# Inserted by setconfig {time.ctime()}\ninclude {name}.setconfig")
    _append(f"{conf}.setconfig", HEAD)
    return f"{conf}.setconfig"


def _append(path, text):
    """Append a line; return its number."""
    with open(path, "a+", encoding="utf-8") as f:
        f.seek(0)
        before = f.read()
        f.write(("\n" if before and not before.endswith("\n") else "") + text + "\n")
    return before.count("\n") + 1


def _rewrite(line, text):
    with open(line.file, encoding="utf-8") as f:
        lines = f.read().split("\n")
    lines[line.number - 1] = text
    handle, temporary = tempfile.mkstemp(
        prefix=os.path.basename(line.file) + ".setconfig.", dir=os.path.dirname(line.file)
    )
    with os.fdopen(handle, "w", encoding="utf-8") as f:
        f.write("\n".join(lines))
    os.replace(temporary, line.file)
