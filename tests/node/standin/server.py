"""The RPC socket: JSON-RPC requests in, answers out, each command a task of its own."""

from __future__ import annotations

import asyncio
import json
import os

import commands


async def listen(node):
    """Listen on the node's socket (mode 0600), over what an earlier node left there."""
    path = os.path.join(node.place.netdir, node.place.rpc_file)
    if os.path.exists(path):
        os.unlink(path)
    # The node's folder is the working directory: a relative name keeps within a socket's 108 bytes
    mask = os.umask(0o177)
    try:
        return await asyncio.start_unix_server(lambda r, w: _client(node, r, w), path=os.path.relpath(path))
    finally:
        os.umask(mask)


class Object(dict):
    """A JSON object that remembers a key given twice."""

    def __init__(self, pairs):
        super().__init__(pairs)
        self.pairs = pairs


async def _client(node, reader, writer):
    text, decoder, tasks = "", json.JSONDecoder(object_pairs_hook=Object), set()
    while True:
        chunk = await reader.read(1 << 16)
        if not chunk:
            break
        text += chunk.decode(errors="replace")
        while text.strip():
            try:
                request, end = decoder.raw_decode(text.lstrip())
            except json.JSONDecodeError:
                break
            text = text.lstrip()[end:]
            task = asyncio.ensure_future(_answer(node, request, writer))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
    for task in tasks:
        task.cancel()
    writer.close()


async def _answer(node, request, writer):
    answer = {"jsonrpc": "2.0", "id": request.get("id")}
    try:
        answer |= await commands.run(node, request)
    except commands.FailedError as e:
        answer["error"] = {"code": e.code, "message": e.message}
    except Exception as e:  # noqa: BLE001  # whatever it is, it is the daemon's end, not this client's
        node.end(e)
        return
    if "id" in request and not writer.is_closing():
        writer.write(json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n")
        await writer.drain()
    if request.get("method") == "stop" and "result" in answer:
        node.end(None)
