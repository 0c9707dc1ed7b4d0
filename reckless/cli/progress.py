"""Progress: a live line a plugin on a terminal, one line a step where output is piped, kept for the log with --json."""

from __future__ import annotations

import sys
import threading
import time
from types import TracebackType
from typing import TYPE_CHECKING

from reckless.cli.style import clean, dim

if TYPE_CHECKING:
    from rich.live import Live
    from typing_extensions import Self

_WORDS = {
    "fetch": "fetching", "build": "building", "probe": "probing", "start": "starting", "stop": "stopping",
}  # fmt: skip


class Progress:
    """A Reporter that shows on stderr what goes on; `log` holds every sentence, for the envelope."""

    def __init__(self, *, json: bool, verbose: bool) -> None:
        self.log: list[str] = []
        self._quiet = json
        self._verbose = verbose
        self._lock = threading.Lock()
        self._phases: dict[str, tuple[str, float]] = {}
        self._live: Live | None = None
        self._terminal = not json and sys.stderr.isatty()

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
        text = f"{name}: {_WORDS.get(phase, phase)}" + (f" ({clean(detail)})" if detail and self._verbose else "")
        with self._lock:
            if self.log[-1:] == [text]:
                return  # the same phase goes on; only --verbose tells its parts apart
            self.log.append(text)
            self._phases[name] = (phase, time.monotonic())
            if self._terminal:
                self._refresh()
            elif not self._quiet:
                print(text, file=sys.stderr, flush=True)

    def note(self, text: str) -> None:
        """Show a sentence, and keep it on the screen."""
        with self._lock:
            self.log.append(clean(text))
            if self._quiet:
                return
            line = clean(text)
            if self._live:
                self._live.console.print(line, highlight=False, markup=False)
            else:
                print(dim(line, sys.stderr), file=sys.stderr, flush=True)

    def _refresh(self) -> None:
        if self._live is None:
            from rich.console import Console
            from rich.live import Live

            self._live = Live(
                console=Console(stderr=True), get_renderable=self._lines, refresh_per_second=4, transient=True
            )
            self._live.start()

    def _lines(self) -> str:
        now = time.monotonic()
        return "\n".join(
            f"{name}: {_WORDS.get(phase, phase)} {now - since:.0f} s"
            for name, (phase, since) in list(self._phases.items())
        )
