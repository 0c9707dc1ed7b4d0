"""What every command callback is given: the session, the progress display, and the way its answer goes out."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from reckless.cli.globals import Globals, secrets_in, without_secrets
from reckless.errors import NodeError, RecklessError, UsageError

if TYPE_CHECKING:
    from reckless.model.reporter import Reporter
    from reckless.node.ahead import AskedAhead
    from reckless.node.rpc import Lightning
    from reckless.operate.result import Result
    from reckless.operate.session import Session, Settings

_T = TypeVar("_T")


class Context:
    """One command: its options, what was said along the way, and the two ways to answer, text or one JSON object."""

    def __init__(self, given: Globals, argv: Sequence[str]) -> None:
        self.given = given
        self.command = ""
        self.log: list[str] = []
        self._argv = argv
        self._session: Session | None = None

    def change(self, command: str, work: Callable[[Session], Result]) -> int:
        """Run a verb that changes something, showing progress, and say what became of each plugin."""
        from reckless.cli.progress import Progress

        self.command = command
        with Progress(json=self.given.json, verbose=self.given.verbose, log=self.log) as progress:
            result = work(self._open(progress))
        self._say_change(result)
        return 0 if result.ok else 1

    def _say_change(self, result: Result) -> None:
        if self.given.json:
            first = next((o.error for o in result.outcomes if o.error), None)
            self._print(result.outcomes, [*self.log, *result.notes], first, ok=result.ok)
        else:
            from reckless.cli.render import say_result

            say_result(result)

    def answer(
        self,
        command: str,
        work: Callable[[Session], _T],
        show: Callable[[_T], None],
        *,
        rows: Callable[[_T], Sequence[object]] | None = None,
        ok: Callable[[_T], bool] = lambda _: True,
        asked: Lightning | None = None,
        long: bool = False,
    ) -> int:
        """Run a verb that leaves the node alone; `show` prints its answer, `rows` of it go into the envelope.

        `long` shows progress.
        """
        self.command = command
        if long:
            from reckless.cli.progress import Progress

            with Progress(json=self.given.json, verbose=self.given.verbose, log=self.log) as progress:
                found = work(self._open(progress, only_looking=True, asked=asked))
        else:
            found = work(self._open(_Stderr(self.log, quiet=self.given.json), only_looking=True, asked=asked))
        array = rows(found) if rows else found if isinstance(found, (list, tuple)) else [found]
        self._say_answer(found, show, array, ok=ok(found))
        return 0 if ok(found) else 1

    def _say_answer(self, found: _T, show: Callable[[_T], None], array: Sequence[object], *, ok: bool) -> None:
        if self.given.json:
            self._print(array, [*self.log, *getattr(found, "notes", ())], None, ok=ok)
        else:
            show(found)

    def ask_ahead(self) -> AskedAhead | None:
        """Begin to ask the node what `list` will want to know; None where there is nothing to ask it with."""
        from reckless.node.ahead import AskedAhead

        given = self.given
        try:
            return AskedAhead(
                lightning_dir=given.path(given.lightning_dir),
                network=given.network or None,
                conf=given.path(given.conf),
            )
        except NodeError:  # whoever asks again says why
            return None

    def fail(self, error: RecklessError) -> int:
        """Say that the command failed; returns its status. Secrets of the command line are masked in every text."""
        if secrets := secrets_in(self._argv):
            from reckless.model.secrets import mask

            error.message, error.hint, error.detail = (
                mask(text, secrets) for text in (error.message, error.hint, error.detail)
            )
        self._say_failure(error)
        return error.exit_code

    def _say_failure(self, error: RecklessError) -> None:
        if self.given.json:
            self._print((), [*self.log, error.message], error, ok=False)
        else:
            from reckless.cli.render import say_error

            say_error(error)

    def show(self, command: str, text: str) -> int:
        """Answer with a text that is the same whatever the node: the version, a help page."""
        self.command = command
        self._say_text(text)
        return 0

    def _say_text(self, text: str) -> None:
        if self.given.json:
            self._print((text,), (), None, ok=True)
        else:
            print(text)

    @property
    def left_behind(self) -> bool:
        """Whether a change under way could not be put back before the command ended."""
        session = self._session
        return session is not None and "store" in vars(session) and session.store.layout.journal.exists()

    def _place(self, name: str) -> str:
        """Return the folder of a plugin."""
        return str(self._session.store.layout.plugin(name)) if self._session else name

    def _open(self, reporter: Reporter, *, only_looking: bool = False, asked: Lightning | None = None) -> Session:
        from reckless.operate.session import Session

        command = " ".join(["reckless", *without_secrets(self._argv)])
        self._session = Session(settings(self.given, command), reporter, only_looking=only_looking, asked=asked)
        return self._session

    def _print(self, result: Sequence[object], log: Sequence[str], error: RecklessError | None, *, ok: bool) -> None:
        from reckless.cli.envelope import envelope

        print(envelope(self.command, result, log, error, ok=ok))


def settings(given: Globals, command: str = "reckless") -> Settings:
    """Return what the command line and the environment say. Raises UsageError `usage`."""
    import os

    from reckless.operate.session import Settings

    jobs = os.environ.get("RECKLESS_JOBS", "")
    if jobs and not (jobs.isascii() and jobs.isdecimal()):
        raise UsageError("usage", f"RECKLESS_JOBS is {jobs!r}, which is no number", "unset it, or set it to 1 or more")
    return Settings(
        lightning_dir=given.path(given.lightning_dir),
        reckless_dir=given.path(given.reckless_dir),
        conf=given.path(given.conf),
        network=given.network or None,
        jobs=int(jobs or 0),
        command=command,
    )


class _Stderr:
    """A Reporter for verbs that look: sentences go to stderr, and into the envelope's log."""

    def __init__(self, log: list[str], *, quiet: bool) -> None:
        self._log = log
        self._quiet = quiet

    def step(self, name: str, phase: str, detail: str = "") -> None:
        """Say nothing: looking has no phases worth a line."""

    def note(self, text: str) -> None:
        """Print the sentence."""
        from reckless.cli.style import clean, dim

        self._log.append(clean(text))
        if not self._quiet:
            print(dim(clean(text), sys.stderr), file=sys.stderr)
