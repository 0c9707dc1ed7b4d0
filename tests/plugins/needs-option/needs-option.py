#!/usr/bin/env python3
"""Needs the option needy-token: without it, init ends it."""

import json
import sys

VERSION = "1.0.0"

MANIFEST = {
    "options": [{"name": "needy-token", "type": "string", "description": "Must be given"}],
    "rpcmethods": [{"name": "needy", "usage": "", "description": "Answer"}],
    "subscriptions": [],
    "hooks": [],
    "dynamic": True,
}
options = {}


def answer(method, params):
    if method == "getmanifest":
        return MANIFEST
    if method == "init":
        if "needy-token" not in params["options"]:
            sys.exit("needy-token must be set")
        options.update(params["options"])
        return {}
    return {"version": VERSION, "options": options}


def main():
    for line in sys.stdin:
        if line.strip():
            request = json.loads(line)
            reply = {"jsonrpc": "2.0", "id": request["id"], "result": answer(request["method"], request["params"])}
            print(json.dumps(reply), end="\n\n", flush=True)


main()
