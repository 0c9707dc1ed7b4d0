"""How work says what it is doing, upwards, without knowing who listens."""

from __future__ import annotations

from typing import Protocol


class Reporter(Protocol):
    """Receives progress; implementations must be safe to call from several threads."""

    def step(self, name: str, phase: str, detail: str = "") -> None:
        """Say that plugin `name` is now in `phase`: fetch, build, probe, ready, stop, start, done (no more of it)."""
        ...

    def note(self, text: str) -> None:
        """Say something that a person should know, one sentence."""
        ...


class SilentReporter:
    """Drops everything; what tests and quiet callers use."""

    def step(self, name: str, phase: str, detail: str = "") -> None:
        """Drop it."""

    def note(self, text: str) -> None:
        """Drop it."""
