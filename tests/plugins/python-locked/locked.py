#!/usr/bin/env -S uv run --script
# /// script
# requires-python = ">=3.10"
# dependencies = ["idna==3.10", "packaging==24.2"]
# ///
"""Has locked dependencies, a sibling module and a data file, and a first line that asks for uv at every start."""

import json
import sys
from pathlib import Path

import idna
import packaging
import words

VERSION = "1.0.0"

MANIFEST = {
    "options": [{"name": "locked-count", "type": "int", "default": 3, "description": "How many words to say"}],
    "rpcmethods": [{"name": "locked", "usage": "", "description": "Say words from the data file"}],
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
    return {
        "words": words.first(options["locked-count"]),
        "version": VERSION,
        "options": options,
        "idna": idna.__version__,
        "packaging": packaging.__version__,
        "file": Path(__file__).name,
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
    }


def main():
    for line in sys.stdin:
        if line.strip():
            request = json.loads(line)
            reply = {"jsonrpc": "2.0", "id": request["id"], "result": answer(request["method"], request["params"])}
            print(json.dumps(reply), end="\n\n", flush=True)


main()
