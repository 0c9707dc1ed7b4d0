"""Progress: a live line a plugin on a terminal, one line a step where output is piped, kept for the log with --json."""

from __future__ import annotations

import os
import sys
import threading
import time
from types import TracebackType
from typing import TYPE_CHECKING

from reckless.cli.style import clean, dim

if TYPE_CHECKING:
    from rich.live import Live
    from rich.text import Text
    from typing_extensions import Self

_WORDS = {
    "fetch": "fetching", "build": "building", "probe": "probing", "start": "starting", "stop": "stopping",
    "ready": "ready", "look": "looking at it",
}  # fmt: skip


class Progress:
    """A Reporter that shows on stderr what goes on; `log` gets every sentence, for the envelope.

    The phase `done` takes a plugin's live line away, and `ready` stops its clock.
    """

    def __init__(self, *, json: bool, verbose: bool, log: list[str] | None = None) -> None:
        self.log: list[str] = [] if log is None else log
        self._quiet = json
        self._verbose = verbose
        self._lock = threading.Lock()
        self._phases: dict[str, tuple[str, str, float]] = {}
        self._live: Live | None = None
        self._terminal = not json and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"

    def __enter__(self) -> Self:
        """Start showing."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the live lines away; what was said stays."""
        if self._live:
            self._live.stop()

    def step(self, name: str, phase: str, detail: str = "") -> None:
        """Show that `name` is now in `phase`."""
        more = f" ({' '.join(clean(detail).split())})" if detail and self._verbose else ""
        text = f"{name}: {_WORDS.get(phase, phase)}{more}"
        with self._lock:
            if phase == "done":
                self._phases.pop(name, None)
                return
            old = self._phases.get(name)
            if old and old[:2] == (phase, more):
                return  # the same phase goes on; only --verbose tells its parts apart
            self.log.append(text)
            self._phases[name] = (phase, more, time.monotonic())
            if self._terminal:
                self._start()
            elif not self._quiet:
                print(text, file=sys.stderr, flush=True)

    def note(self, text: str) -> None:
        """Show a sentence, and keep it on the screen."""
        line = clean(text)
        with self._lock:
            self.log.append(line)
            if self._quiet:
                return
            if self._live:
                from rich.text import Text

                self._live.console.print(Text(line, style="dim"), soft_wrap=True)
            else:
                print(dim(line, sys.stderr), file=sys.stderr, flush=True)

    def _start(self) -> None:
        if self._live is None:
            from rich.console import Console
            from rich.live import Live

            self._live = Live(
                console=Console(stderr=True), get_renderable=self._lines, refresh_per_second=4, transient=True
            )
            self._live.start()

    def _lines(self) -> Text:
        from rich.text import Text

        now = time.monotonic()
        rows = list(self._phases.items())
        width = max((len(name) for name, _ in rows), default=0)
        lines = [
            f"{name.ljust(width)}  {_WORDS.get(phase, phase)}"
            + ("" if phase == "ready" else f" {now - since:.0f} s")
            + more
            for name, (phase, more, since) in rows
        ]
        return Text("\n".join(lines), no_wrap=True, overflow="ellipsis")
