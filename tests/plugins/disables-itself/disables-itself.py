#!/usr/bin/env python3
"""Says in getmanifest that it will not run."""

import json
import sys

VERSION = "1.0.0"

def answer(method, params):
    return {"disable": "there is no printer"}


def main():
    for line in sys.stdin:
        if line.strip():
            request = json.loads(line)
            reply = {"jsonrpc": "2.0", "id": request["id"], "result": answer(request["method"], request["params"])}
            print(json.dumps(reply), end="\n\n", flush=True)


main()
