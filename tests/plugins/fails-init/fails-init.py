#!/usr/bin/env python3
"""Answers getmanifest, and dies in init."""

import json
import sys

VERSION = "1.0.0"

MANIFEST = {
    "options": [],
    "rpcmethods": [{"name": "fails-init", "usage": "", "description": "Answer"}],
    "subscriptions": [],
    "hooks": [],
    "dynamic": True,
}
options = {}


def answer(method, params):
    if method == "getmanifest":
        return MANIFEST
    if method == "init":
        sys.exit("no database")
    return {"version": VERSION, "options": options}


def main():
    for line in sys.stdin:
        if line.strip():
            request = json.loads(line)
            reply = {"jsonrpc": "2.0", "id": request["id"], "result": answer(request["method"], request["params"])}
            print(json.dumps(reply), end="\n\n", flush=True)


main()
