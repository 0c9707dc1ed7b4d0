#!/usr/bin/env python3
"""Prints something that is not JSON before it answers."""

import json
import sys

VERSION = "1.0.0"

print("Welcome to rubbish", VERSION, flush=True)

MANIFEST = {
    "options": [],
    "rpcmethods": [{"name": "rubbish", "usage": "", "description": "Answer"}],
    "subscriptions": [],
    "hooks": [],
    "dynamic": True,
}
options = {}


def answer(method, params):
    if method == "getmanifest":
        return MANIFEST
    if method == "init":
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
