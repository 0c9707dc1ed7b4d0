"""The one JSON object that --json prints (docs/reference/json.md): results as plain data."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence

from reckless.errors import RecklessError

ENVELOPE_SCHEMA = 1


def envelope(
    command: str, result: Sequence[object], log: Sequence[str], error: RecklessError | None, *, ok: bool
) -> str:
    """Return the envelope as one line. `result` and `log` are always arrays; `error` is null on success."""
    return json.dumps(
        {
            "schema": ENVELOPE_SCHEMA,
            "ok": ok,
            "command": command,
            "result": [plain(item) for item in result],
            "log": list(log),
            "error": plain(error),
        }
    )


def plain(value: object) -> object:
    """Turn frozen types into what JSON has: objects, arrays, strings, numbers, true, false and null."""
    if isinstance(value, RecklessError):
        return {"code": value.code, "message": value.message, "hint": value.hint} | (
            {"detail": value.detail} if value.detail else {}
        )
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(v) for v in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return str(value)
