#!/usr/bin/env python3
"""A plugin with twenty locked dependencies, all of which it imports at its start, as a real one would."""

import json
import sys

import attrs
import blinker
import certifi
import click
import decorator
import filelock
import idna
import iniconfig
import itsdangerous
import more_itertools
import packaging
import platformdirs
import pluggy
import pyparsing
import six
import sortedcontainers
import tabulate
import termcolor
import toolz
import typing_extensions

VERSION = "1.0.0"
METHOD = "twenty"
USED = (
    attrs, blinker, certifi, click, decorator, filelock, idna, iniconfig, itsdangerous, more_itertools, packaging,
    platformdirs, pluggy, pyparsing, six, sortedcontainers, tabulate, termcolor, toolz, typing_extensions,
)  # fmt: skip

MANIFEST = {
    "options": [],
    "rpcmethods": [{"name": METHOD, "usage": "", "description": "Say how many packages there are"}],
    "subscriptions": [],
    "hooks": [],
    "dynamic": True,
}


def answer(method):
    if method == "getmanifest":
        return MANIFEST
    if method == "init":
        return {}
    return {"packages": len(USED), "version": VERSION}


def main():
    for line in sys.stdin:
        if line.strip():
            request = json.loads(line)
            reply = {"jsonrpc": "2.0", "id": request["id"], "result": answer(request["method"])}
            print(json.dumps(reply), end="\n\n", flush=True)


main()
