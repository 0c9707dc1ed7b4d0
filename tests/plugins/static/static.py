#!/usr/bin/env python3
"""Is not dynamic: only config and a restart bring it in."""

import json
import sys

VERSION = "1.0.0"

MANIFEST = {
    "options": [{"name": "static-word", "type": "string", "default": "still", "description": "A word"}],
    "rpcmethods": [{"name": "static", "usage": "", "description": "Answer"}],
    "subscriptions": [],
    "hooks": [],
    "dynamic": False,
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
