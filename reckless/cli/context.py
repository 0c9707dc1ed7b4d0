"""What every command callback is given: the session, the progress display, and the way its answer goes out."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from reckless.cli.globals import Globals
from reckless.errors import RecklessError

if TYPE_CHECKING:
    from reckless.operate.result import Result
    from reckless.operate.session import Session

_T = TypeVar("_T")


class Context:
    """One command's options of every command, and the two ways to answer: text or one JSON object."""

    def __init__(self, given: Globals, argv: Sequence[str]) -> None:
        self.given = given
        self.argv = argv

    def session(self, reporter: object = None, *, only_looking: bool = False) -> Session:
        """Open the session that the options describe."""
        import os

        from reckless.operate.session import Session, Settings

        g = self.given
        jobs = os.environ.get("RECKLESS_JOBS", "")
        return Session(
            Settings(
                lightning_dir=g.path(g.lightning_dir),
                reckless_dir=g.path(g.reckless_dir),
                conf=g.path(g.conf),
                network=g.network or None,
                jobs=int(jobs) if jobs.isdigit() else 0,
                command="reckless " + " ".join(self.argv),
            ),
            reporter,  # type: ignore[arg-type]  # a Progress, or None
            only_looking=only_looking,
        )

    def change(self, command: str, work: Callable[[Session], Result]) -> int:
        """Run a verb that changes something, showing progress, and say what became of each plugin."""
        from reckless.cli.progress import Progress

        with Progress(json=self.given.json, verbose=self.given.verbose) as progress:
            try:
                result = work(self.session(progress))
            except RecklessError as error:
                if self.given.json:
                    self._print(command, (), [*progress.log, error.message], error, ok=False)
                    return error.exit_code
                raise
        if self.given.json:
            first = next((o.error for o in result.outcomes if o.error), None)
            self._print(command, result.outcomes, [*progress.log, *result.notes], first, ok=result.ok)
        else:
            from reckless.cli.render import say_result

            say_result(result)
        return 0 if result.ok else 1

    def answer(
        self,
        command: str,
        work: Callable[[Session], _T],
        show: Callable[[_T], None],
        *,
        rows: Callable[[_T], Sequence[object]] | None = None,
        ok: Callable[[_T], bool] = lambda _: True,
    ) -> int:
        """Run a verb that only looks; `show` prints its answer, `rows` of it go into the envelope as an array."""
        found = work(self.session(_Stderr(quiet=self.given.json), only_looking=True))
        if self.given.json:
            array = rows(found) if rows else found if isinstance(found, (list, tuple)) else [found]
            self._print(command, array, list(getattr(found, "notes", ())), None, ok=ok(found))
        else:
            show(found)
        return 0 if ok(found) else 1

    def _print(
        self, command: str, result: Sequence[object], log: Sequence[str], error: RecklessError | None, *, ok: bool
    ) -> None:
        from reckless.cli.envelope import envelope

        print(envelope(command, result, log, error, ok=ok))


class _Stderr:
    """A Reporter for verbs that look: sentences go to stderr."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet

    def step(self, name: str, phase: str, detail: str = "") -> None:
        """Say nothing: looking has no phases worth a line."""

    def note(self, text: str) -> None:
        """Print the sentence."""
        if not self._quiet:
            print(text, file=sys.stderr)
