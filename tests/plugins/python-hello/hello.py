#!/usr/bin/env python3
"""Says hello: a plugin in one plain script, without dependencies."""

import json
import sys

VERSION = "1.0.0"
BROKEN = False  # a release that passes every check before it runs, and then dies in init

MANIFEST = {
    "options": [
        {"name": "hello-greeting", "type": "string", "default": "hello", "description": "What to say", "dynamic": True}
    ],
    "rpcmethods": [{"name": "hello", "usage": "[name]", "description": "Say hello"}],
    "subscriptions": ["shutdown"],
    "hooks": [],
    "dynamic": True,
}
options = {}


def answer(method, params):
    if method == "getmanifest":
        return MANIFEST
    if method == "init":
        if BROKEN:
            sys.exit("this release is broken")
        options.update(params["options"])
        return {}
    if method == "setconfig":
        options[params["config"]] = params["val"]
        return {}
    given = params if isinstance(params, list) else list(params.values())
    name = given[0] if given else "world"
    return {"say": f"{options['hello-greeting']} {name}", "version": VERSION, "options": options}


def main():
    for line in sys.stdin:
        if not line.strip():
            continue
        request = json.loads(line)
        if request["method"] == "shutdown":
            return
        reply = {"jsonrpc": "2.0", "id": request["id"], "result": answer(request["method"], request["params"])}
        print(json.dumps(reply), end="\n\n", flush=True)


main()
