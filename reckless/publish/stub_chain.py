#!/usr/bin/env python3
"""A Bitcoin backend for a regtest lightningd where no bitcoind is at hand: a plugin with the five backend methods.

A real lightningd runs on it when started with --disable-plugin=bcli --plugin=<this file>. The chain is regtest's
genesis block and 101 empty blocks made on the fly; nothing can be spent on it. It imports nothing of ours: any Python
runs it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import struct
import sys
from typing import Any

GENESIS_TX = bytes.fromhex(
    "01000000010000000000000000000000000000000000000000000000000000000000000000ffffffff4d04ffff001d0104455468652054"
    "696d65732030332f4a616e2f32303039204368616e63656c6c6f72206f6e206272696e6b206f66207365636f6e64206261696c6f757420"
    "666f722062616e6b73ffffffff0100f2052a01000000434104678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61"
    "deb649f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5fac00000000"
)
HEIGHT = 101
EASIEST = 0x7FFFFF << 232
OPTIONS = ("bitcoin-rpcuser", "bitcoin-rpcpassword", "bitcoin-datadir", "bitcoin-cli", "bitcoin-rpcport")
METHODS = {
    "getchaininfo": "[last_height]",
    "estimatefees": "",
    "getrawblockbyheight": "height",
    "getutxout": "txid vout",
    "sendrawtransaction": "tx [allowhighfees]",
}
MANIFEST = {
    "options": [{"name": n, "type": "string", "default": "", "description": "ignored"} for n in OPTIONS],
    "rpcmethods": [{"name": name, "usage": usage, "description": name} for name, usage in METHODS.items()],
    "dynamic": False,
    "subscriptions": [],
    "hooks": [],
}


def sha256d(data: bytes) -> bytes:
    """Return Bitcoin's double SHA-256."""
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


def coinbase(height: int) -> bytes:
    """Return the one transaction of a block: 50 bitcoins to anyone."""
    script = b"\x02" + struct.pack("<H", height) + b"\x01\x00"
    txin = b"\x00" * 32 + b"\xff" * 4 + bytes([len(script)]) + script + b"\xff" * 4
    txout = struct.pack("<Q", 50 * 10**8) + b"\x01\x51"
    return struct.pack("<I", 2) + b"\x01" + txin + b"\x01" + txout + b"\x00" * 4


def header(previous: bytes, merkle: bytes, when: int, nonce: int) -> bytes:
    """Return a block's 80 bytes of header."""
    return struct.pack("<I", 1) + previous + merkle + struct.pack("<III", when, 0x207FFFFF, nonce)


def chain() -> list[bytes]:
    """Return all blocks, as bitcoind serializes them."""
    blocks: list[bytes] = []
    previous, when = b"\x00" * 32, 1296688602
    for height in range(HEIGHT + 1):
        tx = GENESIS_TX if height == 0 else coinbase(height)
        nonce = 2 if height == 0 else 0
        head = header(previous, sha256d(tx), when, nonce)
        while int.from_bytes(sha256d(head), "little") >= EASIEST:
            nonce += 1
            head = header(previous, sha256d(tx), when, nonce)
        blocks.append(head + b"\x01" + tx)
        previous, when = sha256d(head), when + 600
    return blocks


def block(params: dict[str, Any] | list[Any], blocks: list[bytes]) -> dict[str, object]:
    """Answer getrawblockbyheight."""
    height = int(params["height"] if isinstance(params, dict) else params[0])
    if height > HEIGHT:
        return {"blockhash": None, "block": None}
    return {"blockhash": sha256d(blocks[height][:80])[::-1].hex(), "block": blocks[height].hex()}


def answer(method: str, params: dict[str, Any] | list[Any], blocks: list[bytes]) -> object:
    """Answer a request of lightningd."""
    if method == "getrawblockbyheight":
        return block(params, blocks)
    answers: dict[str, object] = {
        "getmanifest": MANIFEST,
        "getchaininfo": {"chain": "regtest", "headercount": HEIGHT, "blockcount": HEIGHT, "ibd": False},
        "estimatefees": {
            "feerate_floor": 1000,
            "feerates": [{"blocks": b, "feerate": 1000 * (13 - b)} for b in (2, 6, 12)],
        },
        "getutxout": {"amount": None, "script": None},
        "sendrawtransaction": {"success": True, "errmsg": ""},
    }
    return answers.get(method, {})


def main() -> None:
    """Speak JSON-RPC on stdin and stdout until lightningd goes."""
    blocks, text, decoder = chain(), "", json.JSONDecoder()
    for line in sys.stdin:
        text += line
        while text.strip():
            try:
                request, end = decoder.raw_decode(text.lstrip())
            except json.JSONDecodeError:
                break
            text = text.lstrip()[end:]
            if "id" in request:
                result = answer(request["method"], request["params"], blocks)
                sys.stdout.write(json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": result}) + "\n\n")
                sys.stdout.flush()


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError, KeyboardInterrupt):
        main()
