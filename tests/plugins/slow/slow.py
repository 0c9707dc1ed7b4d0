#!/usr/bin/env python3
"""Answers getmanifest only after SLOW_SECONDS (from the environment; 2)."""

import json
import os
import sys
import time

VERSION = "1.0.0"

MANIFEST = {
    "options": [],
    "rpcmethods": [{"name": "slow", "usage": "", "description": "Answer"}],
    "subscriptions": [],
    "hooks": [],
    "dynamic": True,
}
options = {}


def answer(method, params):
    if method == "getmanifest":
        time.sleep(float(os.environ.get("SLOW_SECONDS", "2")))
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
